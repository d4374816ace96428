/* `mailstow account`: lists the accounts; adopts an archive from elsewhere for one. */
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/adopt.h"
#include "archive/unlock.h"
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

static void print_account_json(const struct config_account *account)
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

static bool list_accounts(struct app *app, struct err *err)
{
	static const struct table_column columns[] = {{"ACCOUNT", TEXT_LEFT, 12},
		{"ADDRESS", TEXT_LEFT, 12}, {"HOST", TEXT_LEFT, 12}, {"MIRROR"},
		{"ARCHIVE", TEXT_LEFT, 12}};
	const struct config *config;
	struct table table;

	if (!app_config(app, &config, err))
		return false;
	for (size_t i = 0; app->json && i < config->accounts_count; i++)
		print_account_json(&config->accounts[i]);
	if (app->json)
		return true;
	table_init(&table, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < config->accounts_count; i++) {
		const struct config_account *account = &config->accounts[i];
		const char *cells[] = {account->name, account->address, account->host,
			account->mirror ? "yes" : "no",
			archive_exists(account->archive_path) ? account->archive_path : "none"};

		table_row(&table, cells);
	}
	table_end(&table);
	return true;
}

/* --- adopt: which account and archive --- */

struct adoption {
	struct archive_ref from; /* the archive to adopt, without a trailing "/" */
	char *name;              /* of the account */
	char *file;              /* the configuration */
	char *section; /* text to add to the file; "": the account is configured already */
	struct config *config;
	const struct config_account *account;
};

static void adoption_free(struct adoption *adoption)
{
	free((char *)adoption->from.path);
	archive_keys_freep(&adoption->from.keys);
	free(adoption->name);
	free(adoption->file);
	free(adoption->section);
	config_freep(&adoption->config);
}

/* The last component of a path, resolved for "." and "..". */
static char *folder_name(const char *path)
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
	adoption->from = (struct archive_ref){xstrndup(path, len), archive_keys_new()};
	adoption->name = name ? xstrdup(name) : folder_name(adoption->from.path);
	if (config_name_valid(adoption->name))
		return true;
	shown = str_printable(adoption->name, strlen(adoption->name), CONFIG_NAME_BYTES_MAX);
	return err_set(err, ERR_USAGE,
		"account adopt: '%s' cannot be an account's name; choose another with --name NAME "
		"(1 to 64 of A-Z a-z 0-9 . _ + @ -, no leading dot)",
		shown);
}

static char *make_section(const struct adoption *adoption)
{
	return str_printf(
		"[account %s]\n"
		"# An adopted archive, to read and restore from. To mirror into it, fill\n"
		"# in the server below and remove the line mirror = no.\n"
		"# address =\n"
		"# host =\n"
		"# user =\n"
		"# password-command =\n"
		"%s"
		"mirror = no\n",
		adoption->name,
		archive_needs_secret(&adoption->from)
			? "# Or passphrase-file, or key-file; without one mailstow asks.\n"
			  "# passphrase-command =\n"
			: "");
}

static bool load_config_with(struct adoption *adoption, const char *section, struct err *err)
{
	CLEANUP(str_list_free) struct str_list problems = {0};

	config_freep(&adoption->config);
	if (!config_load_with(adoption->file, section, &adoption->config, &problems, err))
		return app_bad_config(&problems, err);
	adoption->account = config_account(adoption->config, adoption->name);
	return true;
}

/* Loads the configuration as it will be, with the account in it. */
static bool find_or_add_account(struct app *app, struct adoption *adoption, struct err *err)
{
	adoption->file = config_find_or_place(app->config_file);
	adoption->section = xstrdup("");
	if (!load_config_with(adoption, "", err))
		return false;
	if (adoption->account)
		return true;
	free(adoption->section);
	adoption->section = make_section(adoption);
	return load_config_with(adoption, adoption->section, err);
}

/* --- adopt: copy, check, configure --- */

/* An account with a secret adopts only an archive that this secret opens. */
static bool unlock_for_account(const struct adoption *adoption, struct err *err)
{
	CLEANUP(buf_wipe) struct buf text = BUF_INIT(CONFIG_SECRET_BYTES_MAX);
	const struct account_ref place = {
		.name = (char *)adoption->from.path, .archive = adoption->from};
	struct archive_secret secret;

	if (!mirror_has_secret(adoption->account))
		return app_unlock(&place, err);
	if (!archive_needs_secret(&adoption->from))
		return err_set(err, ERR_CONFIG,
			"%s: is not encrypted, but a passphrase or key is configured for account "
			"%s, and mailstowd would not write to it; encrypt it first, or remove the "
			"key from the configuration",
			adoption->from.path, adoption->account->name);
	return mirror_read_secret(adoption->account, NULL, &text, &secret, err) &&
	       archive_unlock(&adoption->from, &secret, err);
}

static bool print_damage(void *context, const struct archive_finding *finding, struct err *err)
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
		say_note("lost: and %zu more; 'mailstow check' lists all",
			finding->lost_count - LOST_SHOWN_MAX);
	return true;
}

static bool is_in_place(const char *from, const char *to)
{
	CLEANUP(freep) char *here = realpath(from, NULL);
	CLEANUP(freep) char *there = realpath(to, NULL);

	return here && there && strcmp(here, there) == 0;
}

static bool adopt_checked(
	const struct adoption *adoption, struct archive_adopted *ret_adopted, struct err *err)
{
	const char *to = adoption->account->archive_path;
	struct err cause = ERR_INIT;

	if (archive_adopt(&adoption->from, to, print_damage, NULL, ARCHIVE_LOCK_TIMEOUT_MS,
		    ret_adopted, &cause))
		return true;
	if (cause.kind == ERR_CORRUPT)
		return err_set(err, cause.kind,
			"%s: nothing was adopted, but what is intact can be restored from it: %s",
			adoption->from.path, cause.text);
	return err_set(err, cause.kind, "%s", cause.text);
}

/* The archive is in place by now: if the file cannot be written, prints what to add by hand. */
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

static void print_adopted(const struct app *app, const struct adoption *adoption,
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
		(void)printf("%s: already holds this archive.\n", account->archive_path);
	else
		(void)printf(
			"%s: %s (%s) copied and checked.\n", account->archive_path, files, size);
	if (adoption->section[0])
		(void)printf("%s: account %s is not mirrored yet; add its server to this file.\n",
			adoption->file, account->name);
}

static bool adopt_archive(struct app *app, const char *path, const char *name, struct err *err)
{
	CLEANUP(adoption_free) struct adoption adoption = {0};
	struct archive_adopted adopted;
	bool in_place;

	if (!choose_name(&adoption, path, name, err))
		return false;
	if (!archive_exists(adoption.from.path))
		return err_set(err, ERR_NOT_FOUND, "%s: no archive there", adoption.from.path);
	if (!find_or_add_account(app, &adoption, err) || !unlock_for_account(&adoption, err))
		return false;
	/*
	 * The archive is put in place before the configuration names it. A crash between the two
	 * leaves an archive without an account; the same command then finds it there and adds the
	 * account. The other order could leave an account whose archive is missing.
	 */
	in_place = is_in_place(adoption.from.path, adoption.account->archive_path);
	if (!adopt_checked(&adoption, &adopted, err))
		return false;
	if (!in_place)
		app_remember_copy(adoption.account->archive_path, adoption.from.path);
	app->partial = !write_section(&adoption);
	print_adopted(app, &adoption, &adopted);
	return true;
}

/* --- the command --- */

static bool set_name(void *context, int id, const char *value, struct err *err)
{
	const char **name = context;

	(void)id;
	(void)err;
	*name = value;
	return true;
}

static bool run_account(struct app *app, int argc, char **argv, struct err *err)
{
	static const struct option_spec specs[] = {{"name", OPTION_VALUE, NAME}};
	const char *name = NULL;
	const struct options options = {specs, ARRAY_LEN(specs), set_name, &name, 1, 2};
	struct arguments arguments;
	const char *what;

	if (!options_parse(app, argc, argv, &options, &arguments, err))
		return false;
	what = arguments.items[0];
	if (strcmp(what, "list") == 0 && arguments.count == 1 && !name)
		return list_accounts(app, err);
	if (strcmp(what, "adopt") == 0 && arguments.count == 2)
		return adopt_archive(app, arguments.items[1], name, err);
	return err_set(err, ERR_USAGE, "account: expected 'list' or 'adopt PATH'");
}

const struct command cmd_account = {
	.name = "account",
	.group = COMMAND_SETUP,
	.summary = "list the accounts, or adopt an archive for one",
	.usage = "list\nadopt PATH [--name NAME]",
	.help = "list   list the accounts of the configuration\n"
		"adopt  copy the archive at PATH, for example from another disk, and make the\n"
		"       copy an account's archive. The copy is checked before it is put in\n"
		"       place; PATH itself is only read. An account that is not configured yet\n"
		"       is added to the configuration.\n"
		"\n"
		"  --name NAME    the account; default: the name of the folder PATH\n",
	.run = run_account,
};
