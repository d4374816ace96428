#include "archive/rekey.h"

#include <inttypes.h>
#include <string.h>

#include "archive/catalogue/create.h"
#include "archive/catalogue/litter.h"
#include "archive/catalogue/rebuild.h"
#include "archive/compact/reclaim.h"
#include "archive/compact/rewrite.h"
#include "archive/compact/rewrite_rekey.h"
#include "archive/forget.h"
#include "archive/keys/keyring_file.h"
#include "archive/keys/keys.h"
#include "archive/keys/secrets.h"
#include "archive/volume/keyring_copy.h"
#include "archive/volume/readers.h"
#include "archive/volume/staged.h"
#include "archive/volume/writer_lock.h"
#include "base/fs.h"
#include "base/str.h"

enum archive_rekey_state archive_rekey_state(const char *path)
{
	CLEANUP(freep) char *file = layout_keyring_path(path);
	struct keyring keyring;
	struct err unreadable = ERR_INIT;

	if (!fs_exists(file) || !keyring_file_or_copy(path, &keyring, &unreadable) ||
		!keyring.change.under_way)
		return ARCHIVE_REKEY_NONE;
	return keyring.change.from_key_epoch == 0 ? ARCHIVE_REKEY_ENCRYPTING
						  : ARCHIVE_REKEY_ROTATING;
}

/* --- starting a change --- */

struct locks {
	int repack; /* a volume repacked now would get the old key */
	int writer;
};

static void locks_free(struct locks *locks)
{
	fs_unlock(&locks->writer);
	fs_unlock(&locks->repack);
}

static bool lock_both(const char *path, int timeout_ms, struct locks *locks, struct err *err)
{
	if (!archive_exists(path))
		return err_set(err, ERR_NOT_FOUND, "%s: there is no archive here", path);
	return repack_lock_take(path, timeout_ms, &locks->repack, err) &&
	       staged_lock_and_publish(path, timeout_ms, &locks->writer, err);
}

static bool find_newest(const char *path, struct volume_id *ret_id, struct err *err)
{
	CLEANUP(volume_list_free) struct volume_list list = {0};

	if (!volume_list(path, &list, err))
		return false;
	if (list.count == 0)
		return err_set(err, ERR_CORRUPT, "%s: has no volumes", path);
	*ret_id = list.items[list.count - 1];
	return true;
}

/*
 * Changes one file, the keyring, atomically. A crash before its rename leaves a plain archive;
 * after it, the keyring says that plain volumes up to the newest are still valid, and
 * archive_rekey() continues.
 */
bool archive_encrypt_begin(const struct archive_ref *archive, const struct archive_secret *secret,
	int timeout_ms, struct err *err)
{
	CLEANUP(locks_free) struct locks locks = {-1, -1};
	CLEANUP(freep) char *file = NULL;
	uint8_t uuid[ARCHIVE_UUID_BYTES];
	struct volume_id newest;

	if (!lock_both(archive->path, timeout_ms, &locks, err) ||
		!archive_mend_keyring(archive->path, err))
		return false;
	if (archive_is_encrypted(archive))
		return err_set(err, ERR_USAGE, "%s: is already encrypted", archive->path);
	if (!find_newest(archive->path, &newest, err))
		return false;
	file = layout_volume_path(archive->path, &newest);
	return volume_peek_archive(file, &newest, uuid, err) &&
	       keys_create(archive, uuid, secret, newest.sequence, err);
}

static bool carry(struct keyring *keyring, const struct secret *master,
	const struct keyring *before, const struct archive_carried *carried, struct err *err)
{
	enum keyring_kind kind = secrets_kind(&carried->secret);
	CLEANUP(secret_freep) struct secret *bytes = NULL;
	uint32_t id;

	if (!secrets_bytes(&carried->secret, &bytes, err))
		return false;
	if (carried->id == 0)
		return keyring_add(keyring, master, kind, bytes->data, bytes->len, &id, err);
	for (size_t i = 0; i < before->count; i++)
		if (before->slots[i].id == carried->id && before->slots[i].kind == kind)
			return keyring_carry(
				keyring, master, &before->slots[i], bytes->data, bytes->len, err);
	return err_set(
		err, ERR_BUSY, "key %" PRIu32 " was removed meanwhile; try again", carried->id);
}

/* Changes the keyring only, atomically, as archive_encrypt_begin() does. The new one wraps the
 * previous master key, so a crash after its rename loses nothing. */
bool archive_rotate_begin(const struct archive_ref *archive, const struct archive_carried *carried,
	size_t count, int timeout_ms, struct err *err)
{
	CLEANUP(locks_free) struct locks locks = {-1, -1};
	CLEANUP(keys_view_free) struct keys_view view = {0};
	CLEANUP(secret_freep) struct secret *master = NULL;
	struct volume_id newest = {0};
	struct keyring keyring;

	if (!lock_both(archive->path, timeout_ms, &locks, err) ||
		!archive_mend_keyring(archive->path, err) || !keys_look(archive, &view, err) ||
		!find_newest(archive->path, &newest, err))
		return false;
	if (!view.encrypted)
		return err_set(err, ERR_NOT_FOUND, "%s: is not encrypted", archive->path);
	if (view.keyring.change.under_way)
		return err_set(err, ERR_BUSY, "%s: its keys were changed meanwhile; try again",
			archive->path);
	keyring_next_epoch(&view.keyring, view.master, newest.sequence, &keyring, &master);
	for (size_t i = 0; i < count; i++)
		if (!carry(&keyring, master, &view.keyring, &carried[i], err))
			return false;
	if (keyring.count == 0)
		return err_set(err, ERR_AUTH, "%s: no key would open it; keep or add at least one",
			archive->path);
	if (!keyring_file_write(archive->path, &keyring, master, err))
		return false;
	keys_put(archive->keys, keyring.key_epoch, master);
	return true;
}

/* --- rewriting one volume after the other --- */

struct rekeying {
	const struct archive_ref *archive;
	const struct archive_rekey *options;
	int timeout_ms;
	uint32_t key_epoch;
	int64_t until;
	uint64_t total; /* bytes of all volumes to rewrite */
	uint64_t done;  /* bytes of the rewritten ones */
	uint64_t own;   /* bytes of the current one */
	uint64_t wrote; /* bytes written of its replacement */
	struct archive_rekeyed result;
};

static void report_progress(const struct rekeying *rekeying)
{
	const struct archive_rekey *options = rekeying->options;
	uint64_t own = rekeying->wrote < rekeying->own ? rekeying->wrote : rekeying->own;

	if (options->progress)
		options->progress(options->context, rekeying->done + own, rekeying->total);
}

static void add_written(void *context, uint64_t bytes)
{
	struct rekeying *rekeying = context;

	rekeying->wrote += bytes;
	report_progress(rekeying);
}

static bool is_outdated(
	struct rekeying *rekeying, const struct volume_id *id, bool *ret_outdated, struct err *err)
{
	uint32_t key_epoch;

	*ret_outdated = false;
	if (id->sequence > rekeying->until)
		return true;
	if (!volume_peek_key_epoch(rekeying->archive->path, id, &key_epoch, err))
		return false;
	*ret_outdated = key_epoch != rekeying->key_epoch;
	return true;
}

static bool choose_outdated(
	void *context, const struct catalogue_volume *volume, bool *ret_chosen, struct err *err)
{
	return is_outdated(context, &volume->id, ret_chosen, err);
}

static bool rewrite_one(
	struct rekeying *rekeying, const struct rewrite_plan *plan, bool *ret_done, struct err *err)
{
	const struct rewrite_watch watch = {rekeying->options->cancel, add_written, rekeying};
	bool is_sealed = plan->volume.state == VOLUME_SEALED;
	CLEANUP(directory_free) struct directory directory = {0};
	struct volume made = {0};
	bool ok;

	if (!(is_sealed ? rewrite_rekey : rewrite_repack)(
		    rekeying->archive, plan, &watch, &made, &directory, err))
		return err_wrap(err, "volume %" PRId64, plan->volume.id.sequence);
	ok = rewrite_replace(
		rekeying->archive, plan, &made, &directory, rekeying->timeout_ms, ret_done, err);
	if (made.db)
		rewrite_discard(&made);
	return ok;
}

/* Remove the replaced file before the next one is rewritten, so that at most one volume exists
 * twice. */
static bool remove_replaced(struct rekeying *rekeying, struct err *err)
{
	CLEANUP(maintenance_close) struct maintenance job = {.lock = -1};

	return maintenance_open(&job, rekeying->archive, rekeying->timeout_ms, err) &&
	       litter_remove_all(
		       rekeying->archive->path, job.packer.catalogue, READERS_REMOVED_MS, err);
}

static bool rewrite_next(
	struct rekeying *rekeying, bool *ret_found, bool *ret_done, struct err *err)
{
	CLEANUP(rewrite_plan_free) struct rewrite_plan plan = {0};

	*ret_done = false;
	if (!rewrite_plan_next(
		    rekeying->archive, 0, choose_outdated, rekeying, ret_found, &plan, err))
		return false;
	if (!*ret_found)
		return true;
	rekeying->own = volume_file_bytes(rekeying->archive->path, &plan.volume.id);
	rekeying->wrote = 0;
	report_progress(rekeying);
	if (!rewrite_one(rekeying, &plan, ret_done, err) || !remove_replaced(rekeying, err))
		return false;
	if (*ret_done) {
		rekeying->result.volumes++;
		rekeying->result.bytes += rekeying->own;
		rekeying->done += rekeying->own;
	}
	return true;
}

static bool rewrite_all(struct rekeying *rekeying, struct err *err)
{
	bool found = true;
	bool done;
	int tries = 0;

	while (found) {
		if (!rewrite_next(rekeying, &found, &done, err))
			return false;
		tries = done ? 0 : tries + 1;
		if (tries == REKEY_TRIES)
			return err_set(err, ERR_BUSY,
				"%s: other programs keep changing it; try again",
				rekeying->archive->path);
	}
	return true;
}

/* --- before and after --- */

/* Count every file under the previous key, whether or not the catalogue lists it. */
static bool count_total(struct rekeying *rekeying, struct err *err)
{
	CLEANUP(volume_list_free) struct volume_list list = {0};

	rekeying->total = 0;
	if (!volume_list(rekeying->archive->path, &list, err))
		return false;
	for (size_t i = 0; i < list.count; i++) {
		bool outdated;

		if (!is_outdated(rekeying, &list.items[i], &outdated, err))
			return false;
		rekeying->total +=
			outdated ? volume_file_bytes(rekeying->archive->path, &list.items[i]) : 0;
	}
	return true;
}

/*
 * Opening for writing starts a volume under the new key, if the newest is under the previous one. A
 * journal checkpoint in it lists all volumes under their present uuids, so that each can be
 * replaced once. Sparse volumes, and those marked for removal, are emptied into it as well.
 *
 * A crash repeats only what is missing: the header of the newest volume says under which key it is,
 * and the catalogue in which volume the last journal checkpoint is.
 */
static bool prepare_rekey(struct rekeying *rekeying, struct err *err)
{
	CLEANUP(maintenance_close) struct maintenance job = {.lock = -1};
	CLEANUP(freep) char *folder = layout_volumes_path(rekeying->archive->path);
	struct catalogue_state state;
	struct reclaim reclaim;
	bool owed;

	if (!maintenance_open(&job, rekeying->archive, rekeying->timeout_ms, err) ||
		!layout_remove_leftovers(folder, err) ||
		!catalogue_state(job.packer.catalogue, &state, err) ||
		!reclaim_is_owed(&job, &owed, err))
		return false;
	reclaim_init(&reclaim, &job);
	reclaim.reader_wait_ms = READERS_REMOVED_MS;
	if (job.packer.last.generation > 0 && (owed || state.checkpoint <= rekeying->until) &&
		!reclaim_run(&reclaim, err))
		return false;
	return litter_remove_all(
		       rekeying->archive->path, job.packer.catalogue, READERS_REMOVED_MS, err) &&
	       count_total(rekeying, err);
}

/*
 * Rebuild the catalogue under the new key. Its old file held everything under the previous one.
 * Leftovers go after the rebuild: among them is the marker of an interrupted forget, whose work the
 * rebuild completes. A crash before that repeats the rebuild.
 */
static bool replace_catalogue(const struct archive_ref *archive, struct err *err)
{
	CLEANUP(freep) char *folder = layout_volumes_path(archive->path);
	CLEANUP(freep) char *forgetting = layout_forgotten_path(archive->path);
	bool outdated;

	return catalogue_is_outdated(archive, &outdated, err) &&
	       ((!outdated && !fs_exists(forgetting)) || rebuild_locked(archive, err)) &&
	       layout_remove_leftovers(archive->path, err) && layout_remove_leftovers(folder, err);
}

static bool end_change(const struct archive_ref *archive, struct err *err)
{
	CLEANUP(keys_view_free) struct keys_view view = {0};

	if (!keys_look(archive, &view, err))
		return false;
	if (!view.keyring.change.under_way) /* the file was removed or replaced under the lock */
		return err_set(err, ERR_BUSY, "%s: its keyring was changed meanwhile; try again",
			archive->path);
	keyring_finish_change(&view.keyring);
	return keyring_file_write(archive->path, &view.keyring, view.master, err);
}

/* Volumes still under the old key were marked for removal by an interrupted run: remove them now.
 */
static bool check_all_rewritten(struct rekeying *rekeying, struct db *catalogue, struct err *err)
{
	return litter_remove_all(rekeying->archive->path, catalogue, READERS_REMOVED_MS, err) &&
	       count_total(rekeying, err) &&
	       (rekeying->total == 0 ||
		       err_set(err, ERR_BUSY, "%s: another program changed it meanwhile; try again",
			       rekeying->archive->path));
}

/*
 * The end of a change. A crash between two steps leaves a keyring that still knows both keys, so
 * the archive opens and the next run repeats the steps: files beside the archive, catalogue, and
 * last the keyring, which makes the previous key useless.
 */
static bool finish(struct rekeying *rekeying, struct err *err)
{
	const struct archive_rekey *options = rekeying->options;
	CLEANUP(maintenance_close) struct maintenance job = {.lock = -1};
	uint8_t uuid[ARCHIVE_UUID_BYTES];

	if (!maintenance_open(&job, rekeying->archive, rekeying->timeout_ms, err) ||
		!check_all_rewritten(rekeying, job.packer.catalogue, err))
		return false;
	memcpy(uuid, job.packer.state.archive, sizeof(uuid));
	maintenance_end(&job);
	return (!options->beside || options->beside(options->context, uuid, err)) &&
	       replace_catalogue(rekeying->archive, err) && end_change(rekeying->archive, err);
}

static bool read_change(struct rekeying *rekeying, struct err *err)
{
	CLEANUP(keys_view_free) struct keys_view view = {0};

	if (!keys_look(rekeying->archive, &view, err))
		return false;
	if (!view.keyring.change.under_way)
		return err_set(err, ERR_USAGE, "%s: no change of its keys is in progress",
			rekeying->archive->path);
	rekeying->key_epoch = view.keyring.key_epoch;
	rekeying->until = view.keyring.change.until;
	rekeying->result.key_epoch = rekeying->key_epoch;
	return true;
}

/*
 * Every step can be interrupted and repeated: the keyring knows both keys until finish() replaces
 * it, and which files are still under the previous key is read from their headers, not remembered.
 * What a crash within a step leaves: prepare_rekey(), rewrite_replace(), finish().
 */
bool archive_rekey(const struct archive_ref *archive, const struct archive_rekey *options,
	int timeout_ms, struct archive_rekeyed *ret_rekeyed, struct err *err)
{
	struct rekeying rekeying = {
		.archive = archive, .options = options, .timeout_ms = timeout_ms};
	CLEANUP(fs_unlock) int lock = -1;

	if (!archive_exists(archive->path))
		return err_set(err, ERR_NOT_FOUND, "%s: there is no archive here", archive->path);
	if (!repack_lock_take(archive->path, timeout_ms, &lock, err) ||
		!read_change(&rekeying, err) || !prepare_rekey(&rekeying, err) ||
		!rewrite_all(&rekeying, err) || !finish(&rekeying, err))
		return false;
	*ret_rekeyed = rekeying.result;
	return true;
}
