/* One account: its keys, what follows from them, and what does not go together. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "config/loading.h"
#include "config/texts.h"

enum { VALUE_SHOWN_BYTES = 80, PORT_IMAPS = 993, PORT_IMAP = 143 };

struct config_place origin_place(const struct origin *origin, const char *key)
{
	const struct entry *entry = origin->section ? section_entry(origin->section, key) : NULL;
	struct config_place place = origin->place;

	if (entry)
		place.line = entry->line;
	return place;
}

static bool is_secret(const char *key)
{
	static const char *const keys[] = {
		"password", "passphrase", "token", "key", "secret", "oauth-client-secret"};

	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (strcmp(keys[i], key) == 0)
			return true;
	return false;
}

static void unknown_key(
	struct loading *loading, const struct key_table *table, const struct setting *setting)
{
	const struct key *nearest = key_nearest(table, setting->key);
	const char *shown = document_key_shown(setting->key) ? setting->key : "key";
	CLEANUP(freep) char *names = key_names(table);

	if (is_secret(setting->key))
		problem_add(&loading->problems, setting->place, setting->key,
			"a secret does not belong here; a command, file or credential that has it "
			"is accepted, such as password-command");
	else if (nearest)
		problem_add(&loading->problems, setting->place, shown,
			"unknown key in [%s]; is %s meant?", setting->section, nearest->name);
	else
		problem_add(&loading->problems, setting->place, shown,
			"unknown key in [%s]; accepted: %s", setting->section, names);
}

static void bad_value(struct loading *loading, const struct key *key, const struct setting *setting)
{
	CLEANUP(freep)
	char *shown = str_printable(setting->value, strlen(setting->value), VALUE_SHOWN_BYTES);

	if (key->kind == VALUE_URL || key->kind == VALUE_COMMAND)
		problem_add(&loading->problems, setting->place, key->name, "not accepted; %s is",
			key->accepted);
	else
		problem_add(&loading->problems, setting->place, key->name,
			"\"%s\" is not accepted; %s is", shown, key->accepted);
}

void loading_set(struct loading *loading, const struct key_table *table, void *target,
	const struct setting *setting)
{
	const struct key *key = key_find(table, setting->key);

	if (!key)
		unknown_key(loading, table, setting);
	else if (!key_set(key, target, loading->folder, setting->value))
		bad_value(loading, key, setting);
}

void loading_set_section(struct loading *loading, const struct key_table *table, void *target,
	const struct section *section)
{
	for (size_t i = 0; i < section->count; i++) {
		const struct entry *entry = &section->entries[i];
		const struct setting setting = {.section = section->name,
			.key = entry->key,
			.value = entry->value,
			.place = {.line = entry->line}};

		loading_set(loading, table, target, &setting);
	}
}

void account_complete(struct loading *loading, struct config_account *account,
	const struct origin *origin, const struct section *keys)
{
	const char *preset = preset_host(account->address ? account->address : "");

	if (account->mirror && !account->host && !preset && !section_entry(keys, "host"))
		problem_add(&loading->problems, origin->place, "host",
			"missing for account %s; a host name, or the address of a known provider, "
			"is accepted, or mirror = no",
			account->name);
	if (!account->host)
		account->host = xstrdup(preset ? preset : "");
	if (!account->address)
		account->address = xstrdup("");
	if (!account->user)
		account->user = xstrdup(account->address[0] ? account->address : account->name);
	if (account->port == 0)
		account->port = account->tls == CONFIG_TLS_IMPLICIT ? PORT_IMAPS : PORT_IMAP;
}

struct choice {
	const char *key;
	const char *value; /* NULL: not given */
};

/* At most one of them may be given; the second one is the problem. */
static void check_one_of(struct loading *loading, const struct origin *origin,
	const struct choice *choices, size_t count)
{
	const char *first = NULL;

	for (size_t i = 0; i < count; i++) {
		if (first && choices[i].value)
			problem_add(&loading->problems, origin_place(origin, choices[i].key),
				choices[i].key, "%s is given, too; one of them is accepted", first);
		else if (choices[i].value)
			first = choices[i].key;
	}
}

static void check_secrets(
	struct loading *loading, const struct config_account *account, const struct origin *origin)
{
	const struct choice login[] = {
		{"password-command", account->password.command},
		{"password-file", account->password.file},
		{"password-credential", account->password.credential},
		{"token-command", account->token.command},
	};
	const struct choice archive[] = {
		{"passphrase-command", account->passphrase.command},
		{"passphrase-file", account->passphrase.file},
		{"key-file", account->key_file},
		{"key-credential", account->key_credential},
	};

	check_one_of(loading, origin, login, ARRAY_LEN(login));
	check_one_of(loading, origin, archive, ARRAY_LEN(archive));
}

void account_check(
	struct loading *loading, const struct config_account *account, const struct origin *origin)
{
	bool token =
		account->auth == CONFIG_AUTH_XOAUTH2 || account->auth == CONFIG_AUTH_OAUTHBEARER;

	if (account->tls == CONFIG_TLS_OFF && account->host && account->host[0] &&
		!text_is_loopback(account->host))
		problem_add(&loading->problems, origin_place(origin, "tls"), "tls",
			"off is accepted for loopback addresses only; implicit or starttls is");
	if (token && !account->token.command && !account->oauth_client_id)
		problem_add(&loading->problems, origin_place(origin, "auth"), "auth",
			"%s needs token-command or oauth-client-id",
			config_auth_word(account->auth));
	check_secrets(loading, account, origin);
}

void account_clear(struct config_account *account)
{
	key_table_free(&account_keys, account);
	freep(&account->name);
	freep(&account->archive_path);
}

void account_keep(
	struct loading *loading, struct config_account *account, const struct origin *origin)
{
	struct config *config = loading->config;

	if (config->accounts_count >= CONFIG_ACCOUNTS_MAX) {
		if (!loading->accounts_ended)
			problem_add(&loading->problems, origin->place, "line",
				"more than %d accounts", CONFIG_ACCOUNTS_MAX);
		loading->accounts_ended = true;
		account_clear(account);
		return;
	}
	ARRAY_GROW(loading->origins, config->accounts_count, loading->origins_cap);
	ARRAY_GROW(config->accounts, config->accounts_count, loading->accounts_cap);
	loading->origins[config->accounts_count] = *origin;
	config->accounts[config->accounts_count++] = *account;
	*account = (struct config_account){0};
}

void loading_account(struct loading *loading, const struct section *section, const char *name)
{
	const struct origin origin = {.place = {.line = section->line}, .section = section};
	struct config_account account = {.name = xstrdup(name)};
	CLEANUP(freep) char *shown = str_printf("[%s]", section->name);
	bool good = config_name_valid(name);

	if (!good)
		problem_add(&loading->problems, origin.place, shown,
			"not an account name; 1 to 64 of A-Z a-z 0-9 . _ + @ -, no leading dot, "
			"are accepted");
	account_defaults(&account);
	loading_set_section(loading, &account_keys, &account, section);
	account_complete(loading, &account, &origin, section);
	account_check(loading, &account, &origin);
	if (loading->look_at_files)
		account_look_at_files(loading, &account, &origin);
	if (good)
		account_keep(loading, &account, &origin);
	else
		account_clear(&account);
}

struct named {
	const char *name;
	size_t index;
};

static int by_name_and_index(const void *a, const void *b)
{
	const struct named *left = a, *right = b;
	int names = strcmp(left->name, right->name);

	return names ? names : (left->index > right->index) - (left->index < right->index);
}

void accounts_find_repeated(struct loading *loading)
{
	const struct config *config = loading->config;
	size_t count = config->accounts_count;
	CLEANUP(freep) struct named *sorted = xcalloc(count + 1, sizeof(*sorted));

	for (size_t i = 0; i < count; i++)
		sorted[i] = (struct named){config->accounts[i].name, i};
	qsort(sorted, count, sizeof(*sorted), by_name_and_index);
	for (size_t i = 1; i < count; i++) {
		const struct origin *before = &loading->origins[sorted[i - 1].index];

		if (strcmp(sorted[i].name, sorted[i - 1].name) == 0)
			problem_add(&loading->problems, loading->origins[sorted[i].index].place,
				"name", "%s was there before, at %s:%u; once is accepted",
				sorted[i].name, loading->problems.files.items[before->place.file],
				before->place.line);
	}
}
