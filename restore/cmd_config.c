#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "restore/app.h"
#include "restore/json.h"
#include "restore/table.h"

static const char *const tls_names[] = {"implicit", "starttls", "off"};

static const char *source_of(const struct config_secret *secret)
{
	if (secret->command)
		return "command";
	if (secret->file)
		return "file";
	return secret->credential ? "credential" : "none";
}

static void as_json(const struct config_account *account)
{
	struct json *line = json_line();

	json_text(line, "account", account->name);
	json_text(line, "address", account->address);
	json_text(line, "host", account->host);
	json_int(line, "port", account->port);
	json_text(line, "tls", tls_names[account->tls]);
	json_text(line, "user", account->user);
	json_text(line, "password", source_of(&account->password));
	json_flag(line, "mirror", account->mirror);
	json_text(line, "archive", account->archive_path);
	json_print(line);
}

static void as_text(const struct config_account *account)
{
	(void)printf("\n[account %s]\n", account->name);
	if (account->address[0])
		(void)printf("address = %s\n", account->address);
	(void)printf("host = %s\nport = %u\ntls = %s\n", account->host, (unsigned)account->port,
		tls_names[account->tls]);
	(void)printf("user = %s\n; password from: %s\nmirror = %s\n", account->user,
		source_of(&account->password), account->mirror ? "yes" : "no");
	(void)printf("connections = %d\nidle-renew = %" PRId64 "s\npoll = %" PRId64
		     "s\nflag-scan = %" PRId64 "s\n",
		account->connections, account->idle_renew_ms / 1000, account->poll_ms / 1000,
		account->flag_scan_ms / 1000);
	(void)printf("; archive: %s\n", account->archive_path);
}

int cmd_config(struct app *app, int argc, char **argv)
{
	struct err err = ERR_INIT;

	if (argc != 2 || strcmp(argv[1], "show") != 0)
		return app_usage(argv[0], "config takes: show");
	if (!app_config(app, &err))
		return app_fail(&err);
	if (!app->json)
		(void)printf("; %s\n[mailstow]\narchive-dir = %s\nworkers = %d\n",
			app->config->file, app->config->archive_dir, app->config->workers);
	for (size_t i = 0; i < app->config->accounts_count; i++) {
		if (app->json)
			as_json(&app->config->accounts[i]);
		else
			as_text(&app->config->accounts[i]);
	}
	return 0;
}
