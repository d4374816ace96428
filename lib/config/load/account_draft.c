#include "config/load/account_draft.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "config/config_limits.h"
#include "config/load/account_files.h"
#include "config/load/account_keys.h"
#include "config/load/presets.h"
#include "config/load/texts.h"

enum { PORT_IMAPS = 993, PORT_IMAP = 143 };

/* A missing host is a problem, unless a wrong one has been reported. */
static void derive_missing(struct config_load *load, struct config_account *account,
	const struct origin *origin, const struct section *keys)
{
	const char *preset = preset_host(account->address ? account->address : "");

	if (account->mirror && !account->host && !preset && !section_entry(keys, "host"))
		problem_add(&load->problems, origin->place, "host",
			"missing for account %s; expected a host name, the address of a known "
			"provider, or mirror = no",
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

/* At most one of the keys may be set; each further one is a problem. */
static void check_one_of(struct config_load *load, const struct origin *origin,
	const struct choice *choices, size_t count)
{
	const char *first = NULL;

	for (size_t i = 0; i < count; i++) {
		if (first && choices[i].value)
			problem_add(&load->problems, origin_place(origin, choices[i].key),
				choices[i].key, "%s is set as well; set only one of them", first);
		else if (choices[i].value)
			first = choices[i].key;
	}
}

static void check_secrets(
	struct config_load *load, const struct config_account *account, const struct origin *origin)
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

	check_one_of(load, origin, login, ARRAY_LEN(login));
	check_one_of(load, origin, archive, ARRAY_LEN(archive));
}

void account_check(
	struct config_load *load, const struct config_account *account, const struct origin *origin)
{
	bool token =
		account->auth == CONFIG_AUTH_XOAUTH2 || account->auth == CONFIG_AUTH_OAUTHBEARER;

	if (account->tls == CONFIG_TLS_OFF && account->host && account->host[0] &&
		!text_is_loopback(account->host))
		problem_add(&load->problems, origin_place(origin, "tls"), "tls",
			"off is for loopback addresses only; expected implicit or starttls");
	if (token && !account->token.command && !account->oauth_client_id)
		problem_add(&load->problems, origin_place(origin, "auth"), "auth",
			"%s needs token-command or oauth-client-id; set one of them",
			config_auth_word(account->auth));
	check_secrets(load, account, origin);
}

/* Takes what *account owns. An account whose name is not valid is dropped: that was reported. */
static void append_account(
	struct config_load *load, struct config_account *account, const struct origin *origin)
{
	if (!config_name_valid(account->name)) {
		account_clear(account);
		return;
	}
	if (load->accounts_count >= CONFIG_ACCOUNTS_MAX) {
		if (!load->accounts_full)
			problem_add(&load->problems, origin->place, "line", "more than %d accounts",
				CONFIG_ACCOUNTS_MAX);
		load->accounts_full = true;
		account_clear(account);
		return;
	}
	ARRAY_GROW(load->origins, load->accounts_count, load->origins_cap);
	ARRAY_GROW(load->accounts, load->accounts_count, load->accounts_cap);
	load->origins[load->accounts_count] = *origin;
	load->accounts[load->accounts_count++] = *account;
	*account = (struct config_account){0};
}

void account_finish(struct config_load *load, struct config_account *account,
	const struct origin *origin, const struct section *keys)
{
	derive_missing(load, account, origin, keys);
	account_check(load, account, origin);
	if (load->check_files)
		account_check_files(load, account, origin);
	append_account(load, account, origin);
}

void load_account(struct config_load *load, const struct section *section, const char *name)
{
	const struct origin origin = {.place = {.line = section->line}, .section = section};
	struct config_account account = {.name = xstrdup(name)};
	CLEANUP(freep) char *shown = str_printf("[%s]", section->name);

	if (!config_name_valid(name))
		problem_add(&load->problems, origin.place, shown,
			"not a valid account name; expected " ACCOUNT_NAME_ACCEPTED);
	account_defaults(&account);
	load_set_section(load, &account_keys, &account, section);
	account_finish(load, &account, &origin, section);
}

struct account_name {
	const char *name;
	size_t index;
};

static int by_name_and_index(const void *a, const void *b)
{
	const struct account_name *left = a, *right = b;
	int names = strcmp(left->name, right->name);

	return names ? names : (left->index > right->index) - (left->index < right->index);
}

void load_find_repeated_accounts(struct config_load *load)
{
	size_t count = load->accounts_count;
	CLEANUP(freep) struct account_name *sorted = xcalloc(count + 1, sizeof(*sorted));

	for (size_t i = 0; i < count; i++)
		sorted[i] = (struct account_name){load->accounts[i].name, i};
	qsort(sorted, count, sizeof(*sorted), by_name_and_index);
	for (size_t i = 1; i < count; i++) {
		const struct origin *first = &load->origins[sorted[i - 1].index];

		if (strcmp(sorted[i].name, sorted[i - 1].name) == 0)
			problem_add(&load->problems, load->origins[sorted[i].index].place, "name",
				"%s is already used at %s:%u; expected a name of its own",
				sorted[i].name, load->problems.files.items[first->place.file],
				first->place.line);
	}
}
