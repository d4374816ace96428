#include "restore/commands/cmd_key_rekey.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/check.h"
#include "archive/rekey.h"
#include "archive/unlock.h"
#include "base/fs.h"
#include "base/str.h"
#include "mirror/account_unlock.h"
#include "mirror/ledger.h"
#include "restore/app_secrets.h"
#include "restore/say.h"
#include "restore/ui/json.h"
#include "restore/ui/progress.h"
#include "restore/ui/table.h"
#include "restore/ui/when.h"
#include "restore/upload/restore_journal.h"
#include "state/state.h"

enum { CARRIED_MAX = 17 /* the most keys an archive can have, and a new one */ };

/* --- files outside the archive --- */

/* The state database knows the account by the path of its archive, as configured or resolved. */
static bool rekey_state(const char *state_dir, const struct archive_ref *archive, struct err *err)
{
	CLEANUP(freep) char *file = str_printf("%s/state.db", state_dir);
	CLEANUP(freep) char *real = realpath(archive->path, NULL);
	CLEANUP(state_freep) struct state *state = NULL;

	return !fs_exists(file) || (state_open(state_dir, &state, err) &&
					   ledger_hide_names(state, archive->path, archive, err) &&
					   (!real || strcmp(real, archive->path) == 0 ||
						   ledger_hide_names(state, real, archive, err)));
}

/* --- rewriting --- */

struct rekey_run {
	const struct account_ref *place;
	struct progress_line progress;
};

static void show_rekey_progress(void *context, uint64_t bytes, uint64_t total)
{
	struct rekey_run *work = context;

	work->progress.total_bytes = total;
	progress_update(&work->progress, 0, bytes, clock_mono_ms());
}

/* Restore journals and the ledger describe the mail, in plain text or under the old key. */
static bool rekey_outside_files(
	void *context, const uint8_t uuid[ARCHIVE_UUID_BYTES], struct err *err)
{
	struct rekey_run *work = context;
	CLEANUP(freep) char *state_dir = config_state_dir();

	return restore_journal_remove_all(state_dir, uuid, err) &&
	       rekey_state(state_dir, &work->place->archive, err);
}

static void print_rekeyed(
	const struct app *app, const char *done, const struct archive_rekeyed *rekeyed)
{
	char volumes[STR_COUNT_MAX], size[STR_SIZE_MAX];
	struct json *line;

	if (!app->json) {
		str_format_count(rekeyed->volumes, "volume", volumes);
		str_format_size(rekeyed->bytes, size);
		(void)printf("%s: %s (%s) rewritten.\n", done, volumes, size);
		return;
	}
	line = json_begin();
	json_put_bool(line, "summary", true);
	json_put_int(line, "epoch", rekeyed->key_epoch);
	json_put_count(line, "volumes", rekeyed->volumes);
	json_put_count(line, "bytes", rekeyed->bytes);
	json_print(line);
}

static bool rekey_volumes(const struct app *app, const struct account_ref *place, const char *what,
	const char *done, struct err *err)
{
	struct rekey_run work = {.place = place,
		.progress = {.shown = app_shows_progress(app), .fd = STDERR_FILENO}};
	const struct archive_rekey wish = {
		.progress = show_rekey_progress, .beside = rekey_outside_files, .context = &work};
	struct archive_rekeyed rekeyed;
	bool good = archive_rekey(&place->archive, &wish, ARCHIVE_LOCK_TIMEOUT_MS, &rekeyed, err);

	progress_clear(&work.progress);
	if (good)
		print_rekeyed(app, done, &rekeyed);
	return good ||
	       err_wrap(err, "interrupted; 'mailstow key %s %s' resumes", what, place->name);
}

/* --- secrets of the keys that stay, in locked memory --- */

struct carried {
	struct archive_carried items[CARRIED_MAX];
	struct secret *texts[CARRIED_MAX];
	size_t count;
};

static void carried_free(struct carried *carried)
{
	for (size_t i = 0; i < carried->count; i++)
		secret_freep(&carried->texts[i]);
}

static void carry_secret(struct carried *carried, uint32_t id, const struct archive_secret *secret)
{
	struct secret *text = secret_copy(secret->text, secret->len);

	carried->texts[carried->count] = text;
	carried->items[carried->count++] = (struct archive_carried){
		.id = id, .secret = {secret->kind, (const char *)text->data, text->len}};
}

static bool is_carried(const struct carried *carried, uint32_t id)
{
	for (size_t i = 0; i < carried->count; i++)
		if (carried->items[i].id == id)
			return true;
	return false;
}

/* --- whether everything can be read --- */

static bool fail_on_finding(void *context, const struct archive_finding *finding, struct err *err)
{
	const struct account_ref *place = context;

	return err_set(err, ERR_CORRUPT,
		"%s: %s: %s; nothing was changed; 'mailstow check %s' lists all damage",
		place->name, finding->where, finding->what, place->name);
}

/* Damaged data cannot be rewritten; refuses now instead of stopping half-way. */
static bool check_intact(const struct account_ref *place, struct err *err)
{
	const struct archive_check check = {.finding = fail_on_finding, .context = (void *)place};
	struct archive_checked checked;

	return archive_check(&place->archive, &check, ARCHIVE_LOCK_TIMEOUT_MS, &checked, err);
}

/* --- encrypt --- */

static bool read_new_secret(const struct account_ref *place, struct buf *text,
	struct archive_secret *ret_secret, struct err *err)
{
	if (!place->account)
		return app_ask_new_passphrase(text, ret_secret, err);
	if (!mirror_has_secret(place->account))
		return err_set(err, ERR_CONFIG,
			"%s: configure passphrase-command, passphrase-file, key-file or "
			"key-credential first; without it, mailstowd could not write to the "
			"encrypted archive",
			place->name);
	return mirror_read_secret(place->account, NULL, text, ret_secret, err);
}

static bool confirm(const struct app *app, const char *question, struct err *err)
{
	return app_consents(app, question) || err_set(err, ERR_CANCELLED, "nothing was changed");
}

static bool begin_encrypt(const struct app *app, const struct account_ref *place, struct err *err)
{
	CLEANUP(buf_wipe) struct buf text = BUF_INIT(CONFIG_SECRET_BYTES_MAX);
	struct archive_secret secret;

	/* all that can fail or be declined comes first: the change begins with the last call */
	if (!read_new_secret(place, &text, &secret, err))
		return false;
	if (!check_intact(place, err))
		return false;
	if (app_asks(app)) {
		say_note("this encrypts every volume and removes the plain files");
		say_note("afterwards nothing opens the archive without its secret");
	}
	return confirm(app, "Encrypt the archive?", err) &&
	       archive_encrypt_begin(&place->archive, &secret, ARCHIVE_LOCK_TIMEOUT_MS, err);
}

bool rekey_encrypt(const struct app *app, const struct account_ref *place, struct err *err)
{
	const char *path = place->archive.path;
	enum archive_rekey_state state = archive_rekey_state(path);

	if (state == ARCHIVE_REKEY_ENCRYPTING)
		return app_unlock(place, err) &&
		       rekey_volumes(app, place, "encrypt", "Encrypted", err);
	if (archive_needs_secret(&place->archive))
		return err_set(err, ERR_USAGE,
			"%s is already encrypted; 'mailstow key rotate %s' changes its master key",
			place->name, place->name);
	if (!begin_encrypt(app, place, err) ||
		!rekey_volumes(app, place, "encrypt", "Encrypted", err))
		return false;
	say_note("create a recovery key in case the secret is lost: 'mailstow key recovery %s'",
		place->name);
	say_note("earlier copies of the archive are not encrypted: copy to another folder, then "
		 "remove them");
	return true;
}

/* --- rotate --- */

static bool unlock_and_carry(
	const struct account_ref *place, struct carried *carried, struct err *err)
{
	CLEANUP(buf_wipe) struct buf text = BUF_INIT(CONFIG_SECRET_BYTES_MAX);
	const char *path = place->archive.path;
	struct archive_secret secret;
	uint32_t id;

	if (!app_read_secret(place, &text, &secret, err) ||
		!archive_unlock(&place->archive, &secret, err) ||
		!archive_find_key(path, &secret, &id, err))
		return false;
	carry_secret(carried, id, &secret);
	return true;
}

struct key_listing {
	const struct app *app;
	const struct carried *carried;
	size_t dropped;
	bool show;
};

static bool list_key(void *context, const struct archive_key *key, struct err *err)
{
	struct key_listing *listing = context;
	bool stays = is_carried(listing->carried, key->id);
	char added[WHEN_TEXT_MAX];

	(void)err;
	listing->dropped += !stays;
	if (!listing->show)
		return true;
	if (listing->app->json) {
		struct json *line = json_begin();

		json_put_int(line, "id", key->id);
		json_put_text(line, "kind", key->kind);
		json_put_bool(line, "kept", stays);
		json_print(line);
	}
	when_format(key->created_ms, false, added);
	say_note("key %" PRIu32 " (%s, added %s) %s", key->id, key->kind, added,
		stays ? "stays" : "will be removed: its secret was not given");
	return true;
}

static bool list_keys(const struct app *app, const char *path, const struct carried *carried,
	bool show, size_t *ret_dropped, struct err *err)
{
	struct key_listing listing = {.app = app, .carried = carried, .show = show};

	if (!archive_each_key(path, list_key, &listing, err))
		return false;
	*ret_dropped = listing.dropped;
	return true;
}

/* Asks for the secret of one more key, to keep it; nothing typed ends the questions. */
static bool ask_for_secret(
	const char *path, struct carried *carried, bool *ret_more, struct err *err)
{
	CLEANUP(buf_wipe) struct buf text = BUF_INIT(CONFIG_SECRET_BYTES_MAX);
	struct archive_secret secret;
	uint32_t id;

	*ret_more = app_ask_secret("Secret of a key to keep (Enter: no more)", &text, err);
	if (!*ret_more) {
		err_clear(err);
		return true;
	}
	secret = app_secret_of(path, &text);
	if (!archive_find_key(path, &secret, &id, err)) {
		if (err->kind != ERR_AUTH)
			return false;
		say_note("%s", err->text);
		err_clear(err);
	} else if (!is_carried(carried, id)) {
		carry_secret(carried, id, &secret);
	}
	return true;
}

static bool gather_secrets(
	const struct app *app, const char *path, struct carried *carried, struct err *err)
{
	size_t dropped;
	bool more = true;

	if (!list_keys(app, path, carried, true, &dropped, err))
		return false;
	if (!app_asks(app))
		return true;
	while (more && dropped > 0 && carried->count + 1 < CARRIED_MAX)
		if (!ask_for_secret(path, carried, &more, err) ||
			!list_keys(app, path, carried, false, &dropped, err))
			return false;
	return true;
}

static void show_recovery(const struct app *app, const char *text)
{
	struct json *line;

	if (!app->json) {
		(void)printf("%s\n", text);
		say_note("this recovery key opens the archive if every other key is lost; print it "
			 "and keep it elsewhere: it is not shown again");
		return;
	}
	line = json_begin();
	json_put_text(line, "recovery_key", text);
	json_print(line);
}

/*
 * Prints the new recovery key once the keyring holds it, before the long rewrite. A crash between
 * the two leaves a recovery key that nobody saw; the other keys open the archive, and 'key
 * recovery' makes another one.
 */
static bool begin_rotate(const struct app *app, const struct archive_ref *archive,
	struct carried *carried, bool recovery, struct err *err)
{
	char text[ARCHIVE_RECOVERY_KEY_TEXT];
	const struct archive_secret secret = {ARCHIVE_RECOVERY_KEY, text, sizeof(text) - 1};
	bool good;

	if (recovery) {
		archive_new_recovery_key(text);
		carry_secret(carried, 0, &secret);
	}
	good = archive_rotate_begin(
		archive, carried->items, carried->count, ARCHIVE_LOCK_TIMEOUT_MS, err);
	if (good && recovery) {
		show_recovery(app, text);
		good = app_flush(err);
	}
	crypto_wipe(text, sizeof(text));
	return good;
}

static bool begin_or_resume_rotate(
	const struct app *app, const struct account_ref *place, bool recovery, struct err *err)
{
	CLEANUP(carried_free) struct carried carried = {0};
	const char *path = place->archive.path;

	if (!unlock_and_carry(place, &carried, err))
		return false;
	if (archive_rekey_state(path) == ARCHIVE_REKEY_NONE &&
		(!check_intact(place, err) || !gather_secrets(app, path, &carried, err) ||
			!confirm(app, "Change the master key and remove all other keys?", err) ||
			!begin_rotate(app, &place->archive, &carried, recovery, err)))
		return false;
	return rekey_volumes(app, place, "rotate", "Rotated", err);
}

bool rekey_rotate(
	const struct app *app, const struct account_ref *place, bool recovery, struct err *err)
{
	const char *path = place->archive.path;

	if (!archive_needs_secret(&place->archive))
		return err_set(err, ERR_NOT_FOUND,
			"%s is not encrypted; 'mailstow key encrypt %s' encrypts it", place->name,
			place->name);
	if (archive_rekey_state(path) == ARCHIVE_REKEY_ENCRYPTING)
		return err_set(err, ERR_USAGE,
			"%s: its encryption was interrupted; 'mailstow key encrypt %s' resumes it",
			place->name, place->name);
	if (!begin_or_resume_rotate(app, place, recovery, err))
		return false;
	say_note("earlier copies of the archive still open with the old keys: copy to another "
		 "folder, then remove them");
	return true;
}
