/* The accounts there are, and archives from elsewhere that become theirs. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/adopt.h"
#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"
#include "mirror/account_unlock.h"
#include "restore/app_archive.h"
#include "restore/app_secrets.h"
#include "restore/commands/commands.h"
#include "restore/options.h"
#include "restore/say.h"
#include "restore/ui/json.h"
#include "restore/ui/table.h"

enum { NAME, LOST_SHOWN_MAX = 3 };

/* --- list --- */

static void list_json(const struct config_account *account)
{
	struct json *line = json_begin();

	json_put_text(line, "account", account->name);
	json_put_text(line, "address", account->address[0] ? account->address : NULL);
	json_put_text(line, "host", account->host[0] ? account->host : NULL);
	json_put_bool(line, "mirror", account->mirror);
	json_put_bool(line, "archive", archive_exists(account->archive_path));
	json_put_text(line, "path", account->archive_path);
	json_print(line);
}

static void list_row(struct table *table, const struct config_account *account)
{
	const char *cells[] = {account->name, account->address, account->host,
		account->mirror ? "yes" : "no",
		archive_exists(account->archive_path) ? account->archive_path : "none"};

	table_row(table, cells);
}

static bool list(struct app *app, struct err *err)
{
	static const struct table_column columns[] = {{"ACCOUNT", TEXT_LEFT, 12},
		{"ADDRESS", TEXT_LEFT, 12}, {"HOST", TEXT_LEFT, 12}, {"MIRROR"},
		{"ARCHIVE", TEXT_LEFT, 12}};
	const struct config *config;
	struct table table;

	if (!app_config(app, &config, err))
		return false;
	for (size_t i = 0; app->json && i < config->accounts_count; i++)
		list_json(&config->accounts[i]);
	if (app->json)
		return true;
	table_init(&table, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < config->accounts_count; i++)
		list_row(&table, &config->accounts[i]);
	table_end(&table);
	return true;
}

/* --- adopt: what it is about --- */

struct adoption {
	char *from;    /* the archive, without "/" at its end */
	char *name;    /* of the account */
	char *file;    /* the configuration */
	char *section; /* that is to be added to it; "": it has the account */
	struct config *config;
	const struct config_account *account;
};

static void adoption_free(struct adoption *adoption)
{
	free(adoption->from);
	free(adoption->name);
	free(adoption->file);
	free(adoption->section);
	config_freep(&adoption->config);
}

/* The folder's own name, also of ".". */
static char *name_of(const char *path)
{
	CLEANUP(freep) char *full = realpath(path, NULL);
	const char *last = strrchr(path, '/');
	const char *name = last ? last + 1 : path;

	if ((name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) && full)
		name = strrchr(full, '/') + 1;
	return xstrdup(name);
}

static bool choose_name(
	struct adoption *adoption, const char *path, const char *name, struct err *err)
{
	size_t len = strlen(path);
	CLEANUP(freep) char *shown = NULL;

	while (len > 1 && path[len - 1] == '/')
		len--;
	adoption->from = xstrndup(path, len);
	adoption->name = name ? xstrdup(name) : name_of(adoption->from);
	if (config_name_valid(adoption->name))
		return true;
	shown = str_printable(adoption->name, strlen(adoption->name), CONFIG_NAME_BYTES_MAX);
	return err_set(err, ERR_USAGE,
		"account adopt: '%s' cannot be an account's name; --name NAME, 1 to 64 of A-Z a-z "
		"0-9 . _ + @ -, no leading dot, gives another",
		shown);
}

static char *make_section(const struct adoption *adoption)
{
	return str_printf("[account %s]\n"
			  "# From an archive that was adopted: mail is read and restored from it. "
			  "To mirror\n"
			  "# into it again, fill in where the mail is, and take mirror = no away.\n"
			  "# address =\n"
			  "# host =\n"
			  "# user =\n"
			  "# password-command =\n"
			  "%s"
			  "mirror = no\n",
		adoption->name,
		archive_needs_secret(adoption->from)
			? "# Or passphrase-file, key-file; without one the terminal is asked.\n"
			  "# passphrase-command =\n"
			: "");
}

static bool load(struct adoption *adoption, const char *section, struct err *err)
{
	CLEANUP(str_list_free) struct str_list problems = {0};

	config_freep(&adoption->config);
	if (!config_load_with(adoption->file, section, &adoption->config, &problems, err))
		return app_bad_config(&problems, err);
	adoption->account = config_account(adoption->config, adoption->name);
	return true;
}

/* The configuration as it will be: with the account. */
static bool find_account(struct app *app, struct adoption *adoption, struct err *err)
{
	adoption->file = config_find_or_place(app->config_file);
	adoption->section = xstrdup("");
	if (!load(adoption, "", err))
		return false;
	if (adoption->account)
		return true;
	free(adoption->section);
	adoption->section = make_section(adoption);
	return load(adoption, adoption->section, err);
}

/* --- adopt: doing it --- */

/* With the account's secret, if it has one: what it does not open is not to become its archive. */
static bool unlock(const struct adoption *adoption, struct err *err)
{
	CLEANUP(buf_wipe) struct buf text = BUF_INIT(CONFIG_SECRET_BYTES_MAX);
	const struct account_ref place = {.name = adoption->from, .archive_path = adoption->from};
	struct archive_secret secret;

	if (!mirror_has_secret(adoption->account))
		return app_unlock(&place, err);
	if (!archive_needs_secret(adoption->from))
		return err_set(err, ERR_CONFIG,
			"%s: is not encrypted, and account %s has a passphrase or key: nothing "
			"would be added in plain",
			adoption->from, adoption->account->name);
	return mirror_read_secret(adoption->account, NULL, &text, &secret, err) &&
	       archive_unlock(adoption->from, &secret, err);
}

static bool tell_damage(void *context, const struct archive_finding *finding, struct err *err)
{
	(void)context;
	(void)err;
	say_note("%s: %s", finding->where, finding->what);
	for (size_t i = 0; i < finding->lost_count && i < LOST_SHOWN_MAX; i++) {
		const char *folder = finding->lost[i].folder;
		CLEANUP(freep) char *shown = str_printable(folder, strlen(folder), strlen(folder));

		say_note("lost: %s %" PRIu32, shown, finding->lost[i].uid);
	}
	if (finding->lost_count > LOST_SHOWN_MAX)
		say_note("lost: and %zu more; mailstow check lists all",
			finding->lost_count - LOST_SHOWN_MAX);
	return true;
}

static bool is_in_place(const char *from, const char *to)
{
	CLEANUP(freep) char *here = realpath(from, NULL);
	CLEANUP(freep) char *there = realpath(to, NULL);

	return here && there && strcmp(here, there) == 0;
}

static bool take_in(
	const struct adoption *adoption, struct archive_adopted *ret_adopted, struct err *err)
{
	const char *to = adoption->account->archive_path;
	struct err of = ERR_INIT;

	if (archive_adopt(adoption->from, to, tell_damage, NULL, ARCHIVE_LOCK_TIMEOUT_MS,
		    ret_adopted, &of))
		return true;
	if (of.kind == ERR_CORRUPT)
		return err_set(err, of.kind,
			"%s: nothing was adopted; what is sound can be restored from there: %s",
			adoption->from, of.text);
	return err_set(err, of.kind, "%s", of.text);
}

/* Mail is safe by now: what is left to do by hand is told. */
static bool write_section(const struct adoption *adoption)
{
	struct err err = ERR_INIT;

	if (adoption->section[0] == '\0' || config_add(adoption->file, adoption->section, &err))
		return true;
	say_warn("%s", err.text);
	say_note("add this to %s:", adoption->file);
	(void)fputs(adoption->section, stderr);
	return false;
}

static void tell(const struct app *app, const struct adoption *adoption,
	const struct archive_adopted *adopted)
{
	const struct config_account *account = adoption->account;
	char size[STR_SIZE_MAX], files[STR_COUNT_MAX];

	if (app->json) {
		struct json *line = json_begin();

		json_put_text(line, "account", account->name);
		json_put_text(line, "path", account->archive_path);
		json_put_count(line, "files", adopted->files);
		json_put_count(line, "bytes", adopted->bytes);
		json_put_text(line, "head", adopted->head[0] ? adopted->head : NULL);
		json_put_bool(line, "mirror", account->mirror);
		json_print(line);
		return;
	}
	str_format_size(adopted->bytes, size);
	str_format_count(adopted->files, "file", files);
	if (adopted->was_there)
		(void)printf("%s: is there already, as it is now.\n", account->archive_path);
	else
		(void)printf("%s: %s copied (%s), checked.\n", account->archive_path, files, size);
	if (adoption->section[0])
		(void)printf("%s: account %s does not mirror; what to fill in stands there.\n",
			adoption->file, account->name);
}

static bool adopt(struct app *app, const char *path, const char *name, struct err *err)
{
	CLEANUP(adoption_free) struct adoption adoption = {0};
	struct archive_adopted adopted;
	bool in_place;

	if (!choose_name(&adoption, path, name, err))
		return false;
	if (!archive_exists(adoption.from))
		return err_set(err, ERR_NOT_FOUND, "%s: there is no archive", adoption.from);
	if (!find_account(app, &adoption, err) || !unlock(&adoption, err))
		return false;
	in_place = is_in_place(adoption.from, adoption.account->archive_path);
	if (!take_in(&adoption, &adopted, err))
		return false;
	if (!in_place)
		app_remember_copy(adoption.account->archive_path, adoption.from);
	app->partial = !write_section(&adoption);
	tell(app, &adoption, &adopted);
	return true;
}

/* --- the command --- */

static bool set(void *context, int id, const char *value, struct err *err)
{
	const char **name = context;

	(void)id;
	(void)err;
	*name = value;
	return true;
}

static bool run(struct app *app, int argc, char **argv, struct err *err)
{
	static const struct option_spec specs[] = {{"name", OPTION_VALUE, NAME}};
	const char *name = NULL;
	const struct options options = {specs, ARRAY_LEN(specs), set, &name, 1, 2};
	struct arguments arguments;
	const char *what;

	if (!options_parse(app, argc, argv, &options, &arguments, err))
		return false;
	what = arguments.items[0];
	if (strcmp(what, "list") == 0 && arguments.count == 1 && !name)
		return list(app, err);
	if (strcmp(what, "adopt") == 0 && arguments.count == 2)
		return adopt(app, arguments.items[1], name, err);
	return err_set(err, ERR_USAGE, "account: list, or adopt PATH, is what it can do");
}

const struct command cmd_account = {
	.name = "account",
	.group = COMMAND_SETUP,
	.summary = "list the accounts, or take in an archive as one's",
	.usage = "list\nadopt PATH [--name NAME]",
	.help = "list   the accounts of the configuration\n"
		"adopt  PATH, for example a copy on another disk, becomes the archive of an\n"
		"       account, which is added to the configuration if it is not there. PATH is\n"
		"       only read; the copy is checked before it is put in place.\n"
		"\n"
		"  --name NAME    the account; otherwise it is called as the folder is\n",
	.run = run,
};
