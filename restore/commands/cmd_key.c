/* `mailstow key`: the passphrases and keys that open an encrypted archive. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/unlock.h"
#include "mirror/account_unlock.h"
#include "restore/app_secrets.h"
#include "restore/commands/cmd_key_rekey.h"
#include "restore/commands/commands.h"
#include "restore/options.h"
#include "restore/say.h"
#include "restore/ui/json.h"
#include "restore/ui/table.h"
#include "restore/ui/when.h"

enum { PASSPHRASE_BYTES_MAX = 1024 };
enum { RECOVERY };

static bool print_key_json(void *context, const struct archive_key *key, struct err *err)
{
	struct json *line = json_begin();

	(void)context;
	(void)err;
	json_put_int(line, "id", key->id);
	json_put_text(line, "kind", key->kind);
	json_put_time(line, "created", key->created_ms);
	json_print(line);
	return true;
}

static bool add_key_row(void *context, const struct archive_key *key, struct err *err)
{
	char id[TABLE_NUMBER_MAX], created[WHEN_TEXT_MAX];
	const char *cells[] = {id, key->kind, created};

	(void)err;
	table_number(key->id, id);
	when_format(key->created_ms, true, created);
	table_row(context, cells);
	return true;
}

static bool list_archive_keys(const struct app *app, const char *path, struct err *err)
{
	static const struct table_column columns[] = {
		{"ID", TEXT_RIGHT}, {"KIND", TEXT_LEFT}, {"ADDED", TEXT_LEFT}};

	if (app->json)
		return archive_each_key(path, print_key_json, NULL, err);
	CLEANUP(table_end) struct table table;

	table_init(&table, columns, ARRAY_LEN(columns));
	return archive_each_key(path, add_key_row, &table, err);
}

static bool add_passphrase(const struct archive_ref *archive, struct err *err)
{
	CLEANUP(buf_wipe) struct buf text = BUF_INIT(PASSPHRASE_BYTES_MAX);
	struct archive_secret secret;
	uint32_t id;

	if (!app_ask_new_passphrase(&text, &secret, err))
		return false;
	if (!archive_add_key(archive, &secret, &id, err))
		return false;
	say_note("key %" PRIu32 " was added", id);
	return true;
}

static bool add_recovery_key(
	const struct app *app, const struct archive_ref *archive, struct err *err)
{
	char text[ARCHIVE_RECOVERY_KEY_TEXT];
	struct archive_secret secret = {ARCHIVE_RECOVERY_KEY, text, sizeof(text) - 1};
	uint32_t id;
	bool good;

	archive_new_recovery_key(text);
	good = archive_add_key(archive, &secret, &id, err);
	if (good && app->json) {
		struct json *line = json_begin();

		json_put_int(line, "id", id);
		json_put_text(line, "recovery_key", text);
		json_print(line);
	} else if (good) {
		(void)printf("%s\n", text);
		say_note("this recovery key opens the archive if every other key is lost; print it "
			 "and keep it elsewhere: it is not shown again (key %" PRIu32 ")",
			id);
	}
	crypto_wipe(text, sizeof(text));
	return good;
}

/* mailstowd opens the archive with the configured secret: warns if that one was just removed. */
static void warn_if_configured_secret_fails(const struct account_ref *place)
{
	CLEANUP(buf_wipe) struct buf text = BUF_INIT(CONFIG_SECRET_BYTES_MAX);
	struct archive_secret secret;
	struct err err = ERR_INIT;

	if (!place->account || !mirror_has_secret(place->account))
		return;
	if (!mirror_read_secret(place->account, NULL, &text, &secret, &err) ||
		!archive_unlock(&place->archive, &secret, &err))
		say_warn("%s: the configured secret does not open the archive: %s", place->name,
			err.text);
}

static bool remove_key(
	const struct app *app, const struct account_ref *place, const char *text, struct err *err)
{
	char *end;
	uint64_t id = strtoull(text, &end, 10);

	if (end == text || *end || id == 0 || id > UINT32_MAX)
		return err_set(err, ERR_USAGE,
			"key remove: expected an ID as 'mailstow key list' shows it");
	if (!app_consents(app, "Remove this key?"))
		return err_set(err, ERR_CANCELLED, "nothing was removed");
	if (!archive_remove_key(&place->archive, (uint32_t)id, err))
		return false;
	say_note("key %" PRIu64
		 " was removed; it still opens earlier copies of the archive and of its "
		 "volumes",
		id);
	warn_if_configured_secret_fails(place);
	return true;
}

static bool set_with_recovery(void *context, int id, const char *value, struct err *err)
{
	(void)id;
	(void)value;
	(void)err;
	*(bool *)context = true;
	return true;
}

static bool run_on_keyring(struct app *app, const struct account_ref *place,
	const struct arguments *arguments, struct err *err)
{
	const char *what = arguments->items[0];
	const char *path = place->archive.path;

	if (!archive_needs_secret(&place->archive))
		return err_set(err, ERR_NOT_FOUND, "%s is not encrypted", path);
	if (strcmp(what, "list") == 0)
		return list_archive_keys(app, path, err);
	if (!app_unlock(place, err))
		return false;
	if (strcmp(what, "add") == 0)
		return add_passphrase(&place->archive, err);
	if (strcmp(what, "recovery") == 0)
		return add_recovery_key(app, &place->archive, err);
	if (strcmp(what, "remove") == 0)
		return remove_key(app, place, arguments->items[2], err);
	return err_set(err, ERR_USAGE,
		"key: expected list, add, recovery, remove, encrypt or rotate, then ACCOUNT");
}

static bool run_key(struct app *app, int argc, char **argv, struct err *err)
{
	static const struct option_spec specs[] = {{"recovery", OPTION_PLAIN, RECOVERY}};
	bool with_recovery = false;
	const struct options options = {
		specs, ARRAY_LEN(specs), set_with_recovery, &with_recovery, 2, 3};
	CLEANUP(account_ref_free) struct account_ref place = {0};
	struct arguments arguments;
	const char *what;

	if (!options_parse(app, argc, argv, &options, &arguments, err))
		return false;
	what = arguments.items[0];
	if ((arguments.count == 3) != (strcmp(what, "remove") == 0) ||
		(with_recovery && strcmp(what, "rotate") != 0))
		return err_set(err, ERR_USAGE, "key: wrong arguments");
	if (!account_ref_find_whole(app, arguments.items[1], &place, err))
		return false;
	if (!archive_exists(place.archive.path))
		return err_set(err, ERR_NOT_FOUND, "%s: no archive there", place.archive.path);
	if (strcmp(what, "encrypt") == 0)
		return rekey_encrypt(app, &place, err);
	if (strcmp(what, "rotate") == 0)
		return rekey_rotate(app, &place, with_recovery, err);
	return run_on_keyring(app, &place, &arguments, err);
}

const struct command cmd_key = {
	.name = "key",
	.group = COMMAND_SETUP,
	.summary = "manage the keys that open an encrypted archive",
	.usage = "list|add|recovery ACCOUNT\nremove ACCOUNT ID\n"
		 "encrypt ACCOUNT\nrotate ACCOUNT [--recovery]",
	.help = "list      list the keys\n"
		"add       add a passphrase, or a key of 64 hexadecimal digits; asks for it at\n"
		"          the terminal\n"
		"recovery  create and print a recovery key, to keep somewhere else\n"
		"remove    remove a key; it still opens earlier copies of the archive\n"
		"encrypt   encrypt a plain archive with the configured secret: rewrites every\n"
		"          volume, then removes the plain files\n"
		"rotate    change the master key: rewrites every volume under a new one. Keeps\n"
		"          the keys whose secret is configured or typed when asked; removes all\n"
		"          others, which then open only earlier copies\n"
		"\n"
		"  --recovery  with rotate: also create and print a new recovery key\n"
		"\n"
		"Encrypt and rotate may be interrupted at any time: the archive stays usable,\n"
		"and the same command resumes. mailstowd may keep running.\n",
	.run = run_key,
};
