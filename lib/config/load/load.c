#include "config/load/load.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "config/load/account_keys.h"
#include "config/load/key_value.h"

enum { VALUE_SHOWN_BYTES = 80 };

void load_begin(struct config_load *load, const char *path)
{
	const char *slash = strrchr(path, '/');

	load->folder = xstrndup(path, slash ? (size_t)(slash - path) : 0);
	(void)problems_file(&load->problems, path);
}

void load_free(struct config_load *load)
{
	for (size_t i = 0; i < load->accounts_count; i++)
		account_clear(&load->accounts[i]);
	free(load->accounts);
	free(load->origins);
	document_free(&load->document);
	problems_free(&load->problems);
	free(load->folder);
}

struct config_place origin_place(const struct origin *origin, const char *key)
{
	const struct entry *entry = origin->section ? section_entry(origin->section, key) : NULL;
	struct config_place place = origin->place;

	if (entry)
		place.line = entry->line;
	return place;
}

/* Names under which people put the secret itself. */
static bool names_a_secret(const char *key)
{
	static const char *const keys[] = {
		"password", "passphrase", "token", "key", "secret", "oauth-client-secret"};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (strcmp(keys[i], key) == 0)
			return true;
	return false;
}

static void add_unknown_key(
	struct config_load *load, const struct key_table *table, const struct setting *setting)
{
	const struct config_key *nearest = key_nearest(table, setting->key);
	const char *shown = document_key_shown(setting->key) ? setting->key : "key";
	CLEANUP(freep) char *names = key_names(table);

	if (names_a_secret(setting->key))
		problem_add(&load->problems, setting->place, setting->key,
			"this file must not contain a secret; expected a command, file or "
			"credential that provides it, such as password-command");
	else if (nearest)
		problem_add(&load->problems, setting->place, shown,
			"unknown key in [%s]; did you mean %s?", setting->section, nearest->name);
	else
		problem_add(&load->problems, setting->place, shown,
			"unknown key in [%s]; expected %s", setting->section, names);
}

/* A URL and a command may contain a secret: their value is not repeated. */
static void add_bad_value(
	struct config_load *load, const struct config_key *key, const struct setting *setting)
{
	CLEANUP(freep)
	char *shown = str_printable(setting->value, strlen(setting->value), VALUE_SHOWN_BYTES);

	if (key->kind == VALUE_URL || key->kind == VALUE_COMMAND)
		problem_add(&load->problems, setting->place, key->name,
			"this value is not valid; expected %s", key->accepted);
	else
		problem_add(&load->problems, setting->place, key->name,
			"\"%s\" is not valid; expected %s", shown, key->accepted);
}

void load_set(struct config_load *load, const struct key_table *table, void *target,
	const struct setting *setting)
{
	const struct config_key *key = key_find(table, setting->key);

	if (!key)
		add_unknown_key(load, table, setting);
	else if (!key_set(key, target, load->folder, setting->value))
		add_bad_value(load, key, setting);
}

void load_set_section(struct config_load *load, const struct key_table *table, void *target,
	const struct section *section)
{
	for (size_t i = 0; i < section->count; i++) {
		const struct entry *entry = &section->entries[i];
		const struct setting setting = {.section = section->name,
			.key = entry->key,
			.value = entry->value,
			.place = {.line = entry->line}};

		load_set(load, table, target, &setting);
	}
}

void account_clear(struct config_account *account)
{
	key_table_free(&account_keys, account);
	freep(&account->name);
	freep(&account->archive_path);
}
