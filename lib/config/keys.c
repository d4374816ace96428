#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "config/internal.h"

enum { CONNECTIONS_MAX = 20, WORKERS_MAX = 64, PORT_MAX = 65535, PERCENT_MAX = 100 };

static const char *const tls_words[] = {"implicit", "starttls", "off", NULL};
static const char *const auth_words[] = {
	"auto", "plain", "login", "scram-sha-256", "scram-sha-1", "xoauth2", "oauthbearer", NULL};
static const char *const yes_words[] = {"no", "yes", NULL};

enum value_kind {
	VALUE_TEXT,     /* char *, not empty */
	VALUE_MAYBE,    /* char *, may be empty */
	VALUE_PATH,     /* char *, "~" expanded, not empty */
	VALUE_NUMBER,   /* int, 1..limit */
	VALUE_PORT,     /* uint16_t */
	VALUE_WORD,     /* enum as int, by words */
	VALUE_YES,      /* bool */
	VALUE_DURATION, /* int64_t ms > 0 */
	VALUE_FOREVER,  /* int64_t ms, -1 for "forever" */
	VALUE_SIZE,     /* uint64_t > 0 */
	VALUE_PERCENT,  /* int */
	VALUE_GLOBS,    /* str_list */
	VALUE_KEEP,     /* char *, checked */
};

struct key {
	const char *name;
	size_t offset;
	enum value_kind kind;
	int limit;
	const char *const *words;
	const char *accepted;
};

#define ACCOUNT(member) offsetof(struct config_account, member)
#define GENERAL(member) offsetof(struct config, member)

static const struct key account_keys[] = {
	{"address", ACCOUNT(address), VALUE_TEXT, 0, NULL, "a mail address"},
	{"host", ACCOUNT(host), VALUE_TEXT, 0, NULL, "a host name or address"},
	{"port", ACCOUNT(port), VALUE_PORT, 0, NULL, "a number from 1 to 65535"},
	{"tls", ACCOUNT(tls), VALUE_WORD, 0, tls_words, "implicit, starttls or off"},
	{"tls-ca-file", ACCOUNT(tls_ca_file), VALUE_PATH, 0, NULL, "a PEM file"},
	{"tls-pin-sha256", ACCOUNT(tls_pin_sha256), VALUE_TEXT, 0, NULL,
		"SHA-256 of the server's public key in base64 or hex"},
	{"user", ACCOUNT(user), VALUE_TEXT, 0, NULL, "a login name"},
	{"auth", ACCOUNT(auth), VALUE_WORD, 0, auth_words,
		"auto, plain, login, scram-sha-256, scram-sha-1, xoauth2 or oauthbearer"},
	{"password-command", ACCOUNT(password.command), VALUE_TEXT, 0, NULL, "a shell command"},
	{"password-file", ACCOUNT(password.file), VALUE_PATH, 0, NULL, "a file of mode 0600"},
	{"password-credential", ACCOUNT(password.credential), VALUE_TEXT, 0, NULL,
		"the name of a systemd credential"},
	{"token-command", ACCOUNT(token.command), VALUE_TEXT, 0, NULL, "a shell command"},
	{"oauth-client-id", ACCOUNT(oauth_client_id), VALUE_MAYBE, 0, NULL, "text"},
	{"oauth-client-secret-file", ACCOUNT(oauth_client_secret_file), VALUE_PATH, 0, NULL,
		"a file of mode 0600"},
	{"oauth-tenant", ACCOUNT(oauth_tenant), VALUE_TEXT, 0, NULL, "text"},
	{"master-user", ACCOUNT(master_user), VALUE_MAYBE, 0, NULL, "a login name"},
	{"mirror", ACCOUNT(mirror), VALUE_YES, 0, yes_words, "yes or no"},
	{"folders", ACCOUNT(folders), VALUE_GLOBS, 0, NULL, "globs, '!' before one excludes"},
	{"connections", ACCOUNT(connections), VALUE_NUMBER, CONNECTIONS_MAX, NULL,
		"a number from 1 to 20"},
	{"idle-renew", ACCOUNT(idle_renew_ms), VALUE_DURATION, 0, NULL, "a duration: 10s 5m 2h 7d"},
	{"poll", ACCOUNT(poll_ms), VALUE_DURATION, 0, NULL, "a duration: 10s 5m 2h 7d"},
	{"flag-scan", ACCOUNT(flag_scan_ms), VALUE_DURATION, 0, NULL, "a duration: 10s 5m 2h 7d"},
	{"passphrase-command", ACCOUNT(passphrase.command), VALUE_MAYBE, 0, NULL,
		"a shell command"},
	{"passphrase-file", ACCOUNT(passphrase.file), VALUE_PATH, 0, NULL, "a file of mode 0600"},
	{"key-file", ACCOUNT(key_file), VALUE_PATH, 0, NULL, "a file of mode 0600"},
	{"key-credential", ACCOUNT(key_credential), VALUE_TEXT, 0, NULL,
		"the name of a systemd credential"},
	{"keep", ACCOUNT(keep), VALUE_KEEP, 0, NULL,
		"all, or last= hourly= daily= weekly= monthly= yearly= within="},
	{"keep-deleted", ACCOUNT(keep_deleted_ms), VALUE_FOREVER, 0, NULL,
		"forever or a duration: 10s 5m 2h 7d"},
	{"guard-threshold", ACCOUNT(guard_percent), VALUE_PERCENT, 0, NULL, "0% to 100%"},
	{"max-message-size", ACCOUNT(max_message_bytes), VALUE_SIZE, 0, NULL,
		"a size: 512M (k M G T)"},
	{"ping-url", ACCOUNT(ping_url), VALUE_MAYBE, 0, NULL, "a URL"},
};

static const struct key general_keys[] = {
	{"archive-dir", GENERAL(archive_dir), VALUE_PATH, 0, NULL, "a folder"},
	{"workers", GENERAL(workers), VALUE_NUMBER, WORKERS_MAX, NULL, "a number from 1 to 64"},
	{"metrics-listen", GENERAL(metrics_listen), VALUE_MAYBE, 0, NULL, "ADDRESS:PORT"},
	{"metrics-textfile", GENERAL(metrics_textfile), VALUE_MAYBE, 0, NULL, "a file"},
	{"notify-command", GENERAL(notify_command), VALUE_MAYBE, 0, NULL, "a shell command"},
};

static bool set_text(char **text, const char *value, bool may_be_empty)
{
	if (!may_be_empty && value[0] == '\0')
		return false;
	free(*text);
	*text = value[0] ? xstrdup(value) : NULL;
	return true;
}

static bool set_path(char **text, const char *value)
{
	if (value[0] == '\0')
		return false;
	free(*text);
	*text = fs_expand_home(value);
	return true;
}

static bool set_number(int *number, const char *value, int limit)
{
	uint64_t parsed;

	if (!str_parse_u64(value, &parsed) || parsed < 1 || parsed > (uint64_t)limit)
		return false;
	*number = (int)parsed;
	return true;
}

static bool set_port(uint16_t *port, const char *value)
{
	int number;

	if (!set_number(&number, value, PORT_MAX))
		return false;
	*port = (uint16_t)number;
	return true;
}

static bool set_word(const char *const *words, const char *value, unsigned *ret_index)
{
	for (unsigned i = 0; words[i]; i++) {
		if (strcmp(words[i], value) == 0) {
			*ret_index = i;
			return true;
		}
	}
	return false;
}

static bool set_percent(int *percent, const char *value)
{
	size_t len = strlen(value);
	CLEANUP(freep) char *number = len ? xstrndup(value, len - 1) : xstrdup("");
	uint64_t parsed;

	if (len == 0 || value[len - 1] != '%' || !str_parse_u64(number, &parsed) ||
		parsed > PERCENT_MAX)
		return false;
	*percent = (int)parsed;
	return true;
}

static bool set_globs(struct str_list *globs, const char *value)
{
	str_list_free(globs);
	while (*value) {
		size_t len = strcspn(value, " \t");

		if (len > 0)
			str_list_take(globs, xstrndup(value, len));
		value += len;
		value += strspn(value, " \t");
	}
	return globs->count > 0;
}

/* One word of `keep`: NAME=NUMBER, or within=DURATION. */
static bool keep_word_valid(const char *word)
{
	static const char *const names[] = {
		"last=", "hourly=", "daily=", "weekly=", "monthly=", "yearly="};
	uint64_t number;
	int64_t duration_ms;

	if (str_starts(word, "within="))
		return config_parse_duration(word + strlen("within="), &duration_ms);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (str_starts(word, names[i]))
			return str_parse_u64(word + strlen(names[i]), &number);
	return false;
}

static bool set_keep(char **keep, const char *value)
{
	CLEANUP(str_list_free) struct str_list words = {0};

	if (!set_globs(&words, value))
		return false;
	for (size_t i = 0; i < words.count; i++)
		if (strcmp(value, "all") != 0 && !keep_word_valid(words.items[i]))
			return false;
	return set_text(keep, value, false);
}

static bool set_forever(int64_t *ms, const char *value)
{
	if (strcmp(value, "forever") == 0) {
		*ms = -1;
		return true;
	}
	return config_parse_duration(value, ms);
}

static bool set_value(const struct key *key, void *at, const char *value)
{
	unsigned index = 0;

	switch (key->kind) {
	case VALUE_TEXT:
		return set_text(at, value, false);
	case VALUE_MAYBE:
		return set_text(at, value, true);
	case VALUE_PATH:
		return set_path(at, value);
	case VALUE_NUMBER:
		return set_number(at, value, key->limit);
	case VALUE_PORT:
		return set_port(at, value);
	case VALUE_WORD:
		if (!set_word(key->words, value, &index))
			return false;
		*(unsigned *)at = index;
		return true;
	case VALUE_YES:
		if (!set_word(key->words, value, &index))
			return false;
		*(bool *)at = index == 1;
		return true;
	case VALUE_DURATION:
		return config_parse_duration(value, at) && *(int64_t *)at > 0;
	case VALUE_FOREVER:
		return set_forever(at, value);
	case VALUE_SIZE:
		return config_parse_size(value, at) && *(uint64_t *)at > 0;
	case VALUE_PERCENT:
		return set_percent(at, value);
	case VALUE_GLOBS:
		return set_globs(at, value);
	case VALUE_KEEP:
		return set_keep(at, value);
	}
	return false;
}

static enum key_result set_by_table(const struct key *keys, size_t count, void *target,
	const char *name, const char *value, const char **ret_reason)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(keys[i].name, name) != 0)
			continue;
		*ret_reason = keys[i].accepted;
		return set_value(&keys[i], (char *)target + keys[i].offset, value) ? KEY_SET
										   : KEY_BAD;
	}
	return KEY_UNKNOWN;
}

enum key_result account_set(
	struct config_account *account, const char *key, const char *value, const char **ret_reason)
{
	return set_by_table(account_keys, ARRAY_LEN(account_keys), account, key, value, ret_reason);
}

enum key_result general_set(
	struct config *config, const char *key, const char *value, const char **ret_reason)
{
	return set_by_table(general_keys, ARRAY_LEN(general_keys), config, key, value, ret_reason);
}

void account_free(struct config_account *account)
{
	for (size_t i = 0; i < ARRAY_LEN(account_keys); i++) {
		enum value_kind kind = account_keys[i].kind;
		char **text = (char **)((char *)account + account_keys[i].offset);

		if (kind == VALUE_TEXT || kind == VALUE_MAYBE || kind == VALUE_PATH ||
			kind == VALUE_KEEP)
			freep(text);
	}
	str_list_free(&account->folders);
	freep(&account->name);
	freep(&account->archive_path);
}

void account_defaults(struct config_account *account)
{
	static const char *const defaults[][2] = {{"folders", "*"}, {"connections", "2"},
		{"idle-renew", "9m"}, {"poll", "5m"}, {"flag-scan", "1h"}, {"keep", "all"},
		{"keep-deleted", "forever"}, {"guard-threshold", "30%"},
		{"max-message-size", "512M"}, {"mirror", "yes"}};

	for (size_t i = 0; i < ARRAY_LEN(defaults); i++) {
		const char *reason;

		(void)account_set(account, defaults[i][0], defaults[i][1], &reason);
	}
}
