#include "config/config.h"

#include <ini.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "config/internal.h"

enum { WORKERS_DEFAULT = 4, PORT_IMAPS = 993, PORT_IMAP = 143, PROBLEM_VALUE_BYTES = 80 };

struct loading {
	struct config *config;
	size_t accounts_cap;
	struct str_list problems;
	char *section;                  /* the one we are in, as written */
	struct config_account *account; /* NULL: not in one */
	bool general, ignored;          /* in [mailstow]; in a section already complained about */
	bool general_seen;
	unsigned line;
	const char *text; /* what was not read yet */
};

static void problem(struct loading *loading, unsigned line, const char *key, const char *format,
	...) PRINTF_LIKE(4, 5);

static void problem(
	struct loading *loading, unsigned line, const char *key, const char *format, ...)
{
	CLEANUP(freep) char *reason = NULL;
	va_list args;

	if (loading->problems.count >= CONFIG_PROBLEMS_MAX)
		return;
	va_start(args, format);
	if (vasprintf(&reason, format, args) < 0)
		abort();
	va_end(args);
	str_list_take(&loading->problems,
		str_printf("%s:%u: %s: %s", loading->config->file, line, key, reason));
}

static struct config_account *account_named(struct config *config, const char *name)
{
	for (size_t i = 0; i < config->accounts_count; i++)
		if (strcmp(config->accounts[i].name, name) == 0)
			return &config->accounts[i];
	return NULL;
}

static void begin_account(struct loading *loading, const char *name)
{
	struct config *config = loading->config;

	if (!config_name_valid(name)) {
		problem(loading, loading->line, loading->section,
			"not an account name; 1 to 64 of A-Z a-z 0-9 . _ + @ -, no leading dot");
		loading->ignored = true;
		return;
	}
	if (account_named(config, name)) {
		problem(loading, loading->line, loading->section, "this section was there before");
		loading->ignored = true;
		return;
	}
	if (config->accounts_count >= CONFIG_ACCOUNTS_MAX) {
		problem(loading, loading->line, loading->section, "more than %d accounts",
			CONFIG_ACCOUNTS_MAX);
		loading->ignored = true;
		return;
	}
	ARRAY_GROW(config->accounts, config->accounts_count, loading->accounts_cap);
	loading->account = &config->accounts[config->accounts_count++];
	*loading->account = (struct config_account){.name = xstrdup(name), .line = loading->line};
	account_defaults(loading->account);
}

static void begin_section(struct loading *loading, const char *section)
{
	free(loading->section);
	loading->section = xstrdup(section);
	loading->account = NULL;
	loading->general = strcmp(section, "mailstow") == 0;
	loading->ignored = false;
	if (loading->general && loading->general_seen) {
		problem(loading, loading->line, section, "this section was there before");
		loading->ignored = true;
	} else if (loading->general) {
		loading->general_seen = true;
	} else if (str_starts(section, "account ")) {
		begin_account(loading, section + strlen("account "));
	} else {
		CLEANUP(freep)
		char *shown = str_printable(section, strlen(section), PROBLEM_VALUE_BYTES);

		problem(loading, loading->line, shown,
			"unknown section; [mailstow] and [account NAME] are known");
		loading->ignored = true;
	}
}

static void set_key(struct loading *loading, const char *key, const char *value)
{
	const char *accepted = NULL;
	CLEANUP(freep) char *shown_key = str_printable(key, strlen(key), PROBLEM_VALUE_BYTES);
	CLEANUP(freep) char *shown = str_printable(value, strlen(value), PROBLEM_VALUE_BYTES);
	enum key_result result;

	if (strcmp(key, "password") == 0 || strcmp(key, "passphrase") == 0) {
		problem(loading, loading->line, key,
			"secrets do not belong here; use %s-command or %s-file", key, key);
		return;
	}
	result = loading->general ? general_set(loading->config, key, value, &accepted)
				  : account_set(loading->account, key, value, &accepted);
	if (result == KEY_UNKNOWN)
		problem(loading, loading->line, shown_key,
			"unknown key in [%s]; see mailstow.conf(5)", loading->section);
	else if (result == KEY_BAD)
		problem(loading, loading->line, shown_key, "\"%s\" is not accepted; %s is", shown,
			accepted);
}

/* libinih calls this for each key. Sections were seen by next_line(), also empty ones. */
static int on_key(void *user, const char *section, const char *name, const char *value)
{
	struct loading *loading = user;

	(void)section;
	if (!loading->section)
		problem(loading, loading->line, name, "stands before the first [section]");
	else if (!loading->ignored)
		set_key(loading, name, value);
	return 1;
}

static void see_section(struct loading *loading, const char *line)
{
	const char *end = strchr(line, ']');

	if (line[0] == '[' && end) {
		CLEANUP(freep) char *name = xstrndup(line + 1, (size_t)(end - line - 1));

		begin_section(loading, name);
	}
}

/* libinih's reader: one line a call, without leading blanks (no continuation lines). */
static char *next_line(char *line, int size, void *user)
{
	struct loading *loading = user;
	size_t len = strcspn(loading->text, "\n");
	const char *text = loading->text + strspn(loading->text, " \t");
	size_t kept = len - (size_t)(text - loading->text < (ptrdiff_t)len ? text - loading->text
									   : (ptrdiff_t)len);

	if (loading->text[0] == '\0')
		return NULL;
	loading->line++;
	loading->text += len + (loading->text[len] == '\n');
	if (kept >= (size_t)size) {
		problem(loading, loading->line, "line", "longer than %d bytes", size - 1);
		kept = 0;
	}
	memcpy(line, text, kept);
	line[kept] = '\0';
	see_section(loading, line);
	return line;
}

static bool loopback(const char *host)
{
	return strcmp(host, "localhost") == 0 || strcmp(host, "::1") == 0 ||
	       (str_starts(host, "127.") && strspn(host, "0123456789.") == strlen(host));
}

static int secrets_given(const struct config_secret *secret)
{
	return (secret->command != NULL) + (secret->file != NULL) + (secret->credential != NULL);
}

static void finish_account(struct loading *loading, struct config_account *account)
{
	const char *host =
		account->host ? NULL : preset_host(account->address ? account->address : "");

	if (host)
		account->host = xstrdup(host);
	if (!account->host)
		problem(loading, account->line, "host",
			"missing in [account %s]; a host name, or the address of a known provider",
			account->name);
	if (!account->host)
		account->host = xstrdup("");
	if (!account->address)
		account->address = xstrdup("");
	if (!account->user)
		account->user = xstrdup(account->address[0] ? account->address : account->name);
	if (account->port == 0)
		account->port = account->tls == CONFIG_TLS_IMPLICIT ? PORT_IMAPS : PORT_IMAP;
	if (account->tls == CONFIG_TLS_OFF && !loopback(account->host))
		problem(loading, account->line, "tls",
			"off is accepted for loopback addresses only; implicit or starttls");
	if (secrets_given(&account->password) > 1)
		problem(loading, account->line, "password-command",
			"give one of password-command, password-file and password-credential");
	account->archive_path = str_printf("%s/%s", loading->config->archive_dir, account->name);
}

static char *default_archive_dir(void)
{
	const char *data = getenv("XDG_DATA_HOME");
	const char *home = getenv("HOME");

	if (data && data[0] == '/')
		return str_printf("%s/mailstow", data);
	if (geteuid() != 0 && home)
		return str_printf("%s/.local/share/mailstow", home);
	return xstrdup("/var/lib/mailstow");
}

static void finish(struct loading *loading)
{
	struct config *config = loading->config;
	char **texts[] = {
		&config->metrics_listen, &config->metrics_textfile, &config->notify_command};

	if (!config->archive_dir)
		config->archive_dir = default_archive_dir();
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (!*texts[i])
			*texts[i] = xstrdup("");
	for (size_t i = 0; i < config->accounts_count; i++)
		finish_account(loading, &config->accounts[i]);
}

static void loading_free(struct loading *loading)
{
	str_list_free(&loading->problems);
	free(loading->section);
	config_freep(&loading->config);
}

static void parse_text(struct loading *loading, const char *text)
{
	int line;

	loading->text = text;
	line = ini_parse_stream(next_line, loading, on_key, loading);
	if (line > 0)
		problem(loading, (unsigned)line, "syntax",
			"not understood; [section] or key = value");
}

bool config_load(
	const char *path, struct config **ret_config, struct str_list *problems, struct err *err)
{
	CLEANUP(loading_free) struct loading loading = {0};
	CLEANUP(buf_free) struct buf text = BUF_INIT(CONFIG_FILE_BYTES_MAX);

	if (!fs_read(path, &text, err)) {
		err->kind = ERR_CONFIG;
		return err_wrap(err, "configuration");
	}
	loading.config = xcalloc(1, sizeof(*loading.config));
	loading.config->file = xstrdup(path);
	loading.config->workers = WORKERS_DEFAULT;
	parse_text(&loading, buf_str(&text));
	finish(&loading);
	if (loading.problems.count > 0) {
		(void)err_set(err, ERR_CONFIG, "%s", loading.problems.items[0]);
		for (size_t i = 0; problems && i < loading.problems.count; i++)
			str_list_add(problems, loading.problems.items[i]);
		return false;
	}
	*ret_config = TAKE(loading.config);
	return true;
}

void config_freep(struct config **config)
{
	struct config *old = *config;

	if (!old)
		return;
	for (size_t i = 0; i < old->accounts_count; i++)
		account_free(&old->accounts[i]);
	free(old->accounts);
	free(old->file);
	free(old->archive_dir);
	free(old->metrics_listen);
	free(old->metrics_textfile);
	free(old->notify_command);
	free(old);
	*config = NULL;
}

const struct config_account *config_account(const struct config *config, const char *name)
{
	const struct config_account *found = NULL;

	for (size_t i = 0; i < config->accounts_count; i++)
		if (strcmp(config->accounts[i].name, name) == 0)
			return &config->accounts[i];
	for (size_t i = 0; i < config->accounts_count; i++) {
		if (!str_equal_case(config->accounts[i].address, name))
			continue;
		if (found)
			return NULL;
		found = &config->accounts[i];
	}
	return found;
}

bool config_find(const char *given, char **ret_path, struct err *err)
{
	const char *xdg = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	CLEANUP(str_list_free) struct str_list places = {0};

	if (given) {
		*ret_path = xstrdup(given);
		return true;
	}
	if (xdg && xdg[0] == '/')
		str_list_take(&places, str_printf("%s/mailstow/mailstow.conf", xdg));
	if (home)
		str_list_take(&places, str_printf("%s/.config/mailstow/mailstow.conf", home));
	str_list_add(&places, "/etc/mailstow/mailstow.conf");
	for (size_t i = 0; i < places.count; i++) {
		if (fs_exists(places.items[i])) {
			*ret_path = xstrdup(places.items[i]);
			return true;
		}
	}
	return err_set(err, ERR_CONFIG,
		"no configuration: looked for %s%s%s; give one with -c FILE", places.items[0],
		places.count > 1 ? " and " : "",
		places.count > 1 ? places.items[places.count - 1] : "");
}

char *config_state_dir(void)
{
	const char *systemd = getenv("STATE_DIRECTORY"), *xdg = getenv("XDG_STATE_HOME");
	const char *home = getenv("HOME");

	if (systemd && systemd[0] == '/')
		return xstrdup(systemd);
	if (xdg && xdg[0] == '/')
		return str_printf("%s/mailstow", xdg);
	if (geteuid() != 0 && home)
		return str_printf("%s/.local/state/mailstow", home);
	return xstrdup("/var/lib/mailstow/state");
}
