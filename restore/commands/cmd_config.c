/* `mailstow config show`: the configuration as read. Shows where secrets come from, never them. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "restore/commands/commands.h"
#include "restore/options.h"
#include "restore/ui/json.h"

enum { COLUMN = 28 };

/* Where a section's lines go: a JSON object, or stdout as INI. */
struct section_sink {
	struct json *line; /* NULL: INI */
};

static void begin_section(struct section_sink *sink, bool json, const char *section)
{
	sink->line = json ? json_begin() : NULL;
	if (json)
		json_put_text(sink->line, "section", section);
	else
		(void)printf("[%s]\n", section);
}

static void end_section(struct section_sink *sink, bool last)
{
	if (sink->line)
		json_print(sink->line);
	else if (!last)
		(void)putchar('\n');
}

static void put_line(struct section_sink *sink, const char *key, const char *value)
{
	CLEANUP(freep) char *shown = NULL;

	if (!value || value[0] == '\0')
		return;
	if (sink->line) {
		json_put_text(sink->line, key, value);
		return;
	}
	shown = str_printable(value, strlen(value), strlen(value) * 8);
	(void)printf("%-*s = %s\n", COLUMN - 3, key, shown);
}

static void put_count(struct section_sink *sink, const char *key, uint64_t number)
{
	char text[32];

	(void)snprintf(text, sizeof(text), "%" PRIu64, number);
	put_line(sink, key, text);
}

/* In the largest unit that fits exactly, as a configuration file has it. */
static void put_duration(struct section_sink *sink, const char *key, int64_t ms)
{
	static const struct {
		int64_t ms;
		char letter;
	} units[] = {{86400000, 'd'}, {3600000, 'h'}, {60000, 'm'}, {1000, 's'}};
	char text[32] = "forever";

	for (size_t i = 0; ms >= 0 && i < ARRAY_LEN(units); i++) {
		if (ms % units[i].ms != 0 && units[i].letter != 's')
			continue;
		(void)snprintf(
			text, sizeof(text), "%" PRId64 "%c", ms / units[i].ms, units[i].letter);
		break;
	}
	put_line(sink, key, text);
}

static void put_size(struct section_sink *sink, const char *key, uint64_t bytes)
{
	static const char letters[] = {'T', 'G', 'M', 'k'};
	char text[32];
	uint64_t unit = 1ULL << 40;

	(void)snprintf(text, sizeof(text), "%" PRIu64, bytes);
	for (size_t i = 0; i < ARRAY_LEN(letters); i++, unit >>= 10) {
		if (bytes % unit == 0) {
			(void)snprintf(
				text, sizeof(text), "%" PRIu64 "%c", bytes / unit, letters[i]);
			break;
		}
	}
	put_line(sink, key, text);
}

/*
 * Shows the program of a command but not its arguments, which may be secrets (`echo hunter2`);
 * hides all of it if it does not begin with a plain program name.
 */
static void put_command(struct section_sink *sink, const char *key, const char *command)
{
	static const char letters[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789./_-";
	size_t len = command ? strspn(command, letters) : 0;
	CLEANUP(freep) char *text = NULL;

	if (!command || command[0] == '\0')
		return;
	if (command[len] == '\0' && len > 0)
		text = xstrdup(command);
	else if (command[len] == ' ' && len > 0)
		text = str_printf("%.*s (arguments hidden)", (int)len, command);
	else
		text = xstrdup("(hidden)");
	put_line(sink, key, text);
}

/* Shows scheme and host only: the path of a ping URL is a secret. */
static void put_url(struct section_sink *sink, const char *key, const char *url)
{
	const char *host = url ? strstr(url, "://") : NULL;
	const char *credentials = host ? strchr(host, '@') : NULL;
	size_t len;
	CLEANUP(freep) char *text = NULL;

	if (!url || url[0] == '\0')
		return;
	if (!host || credentials) {
		put_line(sink, key, "(hidden)");
		return;
	}
	len = (size_t)(host - url) + 3 + strcspn(host + 3, "/?#");
	text = url[len] ? str_printf("%.*s/(hidden)", (int)len, url) : xstrdup(url);
	put_line(sink, key, text);
}

static void put_secret(
	struct section_sink *sink, const char *name, const struct config_secret *secret)
{
	CLEANUP(freep) char *command = str_printf("%s-command", name);
	CLEANUP(freep) char *file = str_printf("%s-file", name);
	CLEANUP(freep) char *credential = str_printf("%s-credential", name);

	put_command(sink, command, secret->command);
	put_line(sink, file, secret->file);
	put_line(sink, credential, secret->credential);
}

static char *joined(const struct str_list *words)
{
	char *text = xstrdup("");

	for (size_t i = 0; i < words->count; i++) {
		char *longer = str_printf("%s%s%s", text, i ? " " : "", words->items[i]);

		free(text);
		text = longer;
	}
	return text;
}

static void put_login(struct section_sink *sink, const struct config_account *account)
{
	put_line(sink, "address", account->address);
	put_line(sink, "host", account->host);
	put_count(sink, "port", account->port);
	put_line(sink, "tls", config_tls_word(account->tls));
	put_line(sink, "tls-ca-file", account->tls_ca_file);
	put_line(sink, "tls-pin-sha256", account->tls_pin_sha256);
	put_line(sink, "user", account->user);
	put_line(sink, "auth", config_auth_word(account->auth));
	put_secret(sink, "password", &account->password);
	put_secret(sink, "token", &account->token);
	put_line(sink, "oauth-client-id", account->oauth_client_id);
	put_line(sink, "oauth-client-secret-file", account->oauth_client_secret_file);
	put_line(sink, "oauth-tenant", account->oauth_tenant);
	put_line(sink, "master-user", account->master_user);
}

static void put_account(struct section_sink *sink, const struct config_account *account)
{
	CLEANUP(freep) char *folders = joined(&account->folders);
	CLEANUP(freep) char *guard = str_printf("%d%%", account->guard_percent);

	put_login(sink, account);
	put_line(sink, "mirror", account->mirror ? "yes" : "no");
	put_line(sink, "folders", folders);
	put_count(sink, "connections", (uint64_t)account->connections);
	put_duration(sink, "idle-renew", account->idle_renew_ms);
	put_duration(sink, "poll", account->poll_ms);
	put_duration(sink, "flag-scan", account->flag_scan_ms);
	put_secret(sink, "passphrase", &account->passphrase);
	put_line(sink, "key-file", account->key_file);
	put_line(sink, "key-credential", account->key_credential);
	put_line(sink, "keep", account->keep);
	put_duration(sink, "keep-deleted", account->keep_deleted_ms);
	put_duration(sink, "seal-after", account->seal_after_ms);
	put_line(sink, "guard-threshold", guard);
	put_size(sink, "max-message-size", account->max_message_bytes);
	put_url(sink, "ping-url", account->ping_url);
}

static void show_config(const struct config *config, bool json)
{
	struct section_sink sink;

	if (!json)
		(void)printf("# %s, including defaults\n", config->file);
	begin_section(&sink, json, "mailstow");
	put_line(&sink, "archive-dir", config->archive_dir);
	put_count(&sink, "workers", (uint64_t)config->workers);
	put_line(&sink, "metrics-listen", config->metrics_listen);
	put_line(&sink, "metrics-textfile", config->metrics_textfile);
	put_command(&sink, "notify-command", config->notify_command);
	end_section(&sink, config->accounts_count == 0);
	for (size_t i = 0; i < config->accounts_count; i++) {
		const struct config_account *account = &config->accounts[i];
		CLEANUP(freep) char *section = str_printf("account %s", account->name);

		begin_section(&sink, json, section);
		put_account(&sink, account);
		end_section(&sink, i + 1 == config->accounts_count);
	}
}

static bool run_config(struct app *app, int argc, char **argv, struct err *err)
{
	const struct options options = {.arguments_min = 1, .arguments_max = 1};
	struct arguments arguments;
	const struct config *config;

	if (!options_parse(app, argc, argv, &options, &arguments, err))
		return false;
	if (strcmp(arguments.items[0], "show") != 0)
		return err_set(err, ERR_USAGE, "config: expected 'show'");
	if (!app_config(app, &config, err))
		return false;
	show_config(config, app->json);
	return true;
}

const struct command cmd_config = {
	.name = "config",
	.group = COMMAND_SETUP,
	.summary = "show the configuration as mailstow reads it",
	.usage = "show",
	.help = "Includes defaults. Shows where secrets come from, never the secrets.\n",
	.run = run_config,
};
