#include "archive/copy.h"

#include <inttypes.h>
#include <string.h>

#include "archive/catalogue/ancestry.h"
#include "archive/catalogue/replay.h"
#include "archive/keys/keyring_file.h"
#include "archive/keys/keys.h"
#include "archive/volume/keyring_copy.h"
#include "archive/volume/staged.h"
#include "archive/volume/volume.h"
#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"

/* --- the source: no data may remain in -wal files, which are not copied --- */

static bool checkpoint_volume(
	const struct archive_ref *archive, const struct volume_id *id, struct err *err)
{
	CLEANUP(volume_close) struct volume volume = {0};

	return volume_open(archive, id, DB_WRITE, &volume, err) && db_empty_wal(volume.db, err);
}

/* Also applies what a crash kept from the catalogue, so that the copy's catalogue is up to date. */
static bool update_catalogue(
	const struct archive_ref *archive, struct catalogue_state *ret_state, struct err *err)
{
	CLEANUP(zstd_freep) struct zstd *zstd = zstd_new();
	CLEANUP(db_freep) struct db *catalogue = NULL;
	bool needed;

	return catalogue_open(archive, DB_WRITE, &catalogue, err) &&
	       replay_needed(archive, catalogue, &needed, err) &&
	       (!needed || replay(archive, catalogue, zstd, err)) && db_empty_wal(catalogue, err) &&
	       catalogue_state(catalogue, ret_state, err);
}

/* --- is it a copy of this archive? --- */

/* Did a sealed volume of the source replace it? */
static bool was_sealed(
	const char *from, const struct volume_list *ours, const struct volume_id *theirs)
{
	struct err unreadable = ERR_INIT;

	for (size_t i = 0; i < ours->count; i++) {
		uint8_t replaces[ARCHIVE_UUID_BYTES];
		bool sealed;

		if (ours->items[i].sequence == theirs->sequence)
			return volume_peek_seal(
				       from, &ours->items[i], &sealed, replaces, &unreadable) &&
			       sealed && memcmp(replaces, theirs->uuid, ARCHIVE_UUID_BYTES) == 0;
	}
	return false;
}

static bool has_uuid(
	const char *path, const struct volume_id *id, const uint8_t uuid[ARCHIVE_UUID_BYTES])
{
	CLEANUP(freep) char *file = layout_volume_path(path, id);
	uint8_t archive[ARCHIVE_UUID_BYTES];
	struct err unreadable = ERR_INIT;

	return volume_peek_archive(file, id, archive, &unreadable) &&
	       memcmp(archive, uuid, ARCHIVE_UUID_BYTES) == 0;
}

/* Was it a volume of the source, until a checkpoint stopped listing it? */
static bool was_ours(const struct volume_list *ours, const struct volume_id *id,
	const struct catalogue_state *state, const char *to)
{
	return id->sequence < state->checkpoint && !volume_list_has_sequence(ours, id->sequence) &&
	       has_uuid(to, id, state->archive);
}

/* Every volume of the copy must be, or have been, a volume of the source. */
static bool is_same_archive(const char *from, const struct volume_list *ours,
	const struct volume_list *theirs, const struct catalogue_state *state, const char *to,
	struct err *err)
{
	for (size_t i = 0; i < theirs->count; i++) {
		const struct volume_id *id = &theirs->items[i];

		if (!volume_list_has(ours, id) && !was_ours(ours, id, state, to) &&
			!was_sealed(from, ours, id))
			return err_set(err, ERR_CREATE,
				"%s: has volumes that this archive lacks; it looks like the copy "
				"of another archive: use another folder",
				to);
	}
	return true;
}

/*
 * Remove volumes that the source has pruned or sealed since. Only after the catalogue is in place:
 * until then the old catalogue names them, and a crash would leave a copy that lacks mail. A crash
 * in here leaves volumes that no catalogue names; the next run removes them.
 */
static bool remove_old(const struct volume_list *ours, const struct volume_list *theirs,
	const char *to, struct err *err)
{
	CLEANUP(volume_list_free) struct volume_list replaced = {0};

	return volume_list_replaced(to, &replaced, err) &&
	       volume_list_remove_others(to, &replaced, ours, err) &&
	       volume_list_remove_others(to, theirs, ours, err);
}

/* Is the copy under the source's master key? If its keyring is lost or damaged, the header of a
 * volume shows it. *ret_before: it is under an earlier key. */
static bool is_under(const char *to, const struct volume_id *theirs, const struct keys_view *key,
	bool *ret_before)
{
	uint32_t ours = key->encrypted ? key->keyring.key_epoch : 0;
	struct keyring there;
	struct err unreadable = ERR_INIT;
	uint32_t key_epoch = 0;

	if (keyring_file_or_copy(to, &there, &unreadable)) {
		bool same = key->encrypted && keyring_is_of(&there, key->master);

		*ret_before = same || there.key_epoch < ours;
		return same && there.change.under_way == key->keyring.change.under_way;
	}
	*ret_before =
		!volume_peek_key_epoch(to, theirs, &key_epoch, &unreadable) || key_epoch < ours;
	return !*ret_before && key_epoch == ours;
}

/*
 * A copy under another master key is refused: all its volumes would have to be replaced, and an
 * interrupted run would leave volumes under two keys that neither keyring opens. Volumes of another
 * archive are reported elsewhere.
 */
static bool has_same_key(const struct archive_ref *from, const char *to,
	const struct volume_list *theirs, const struct catalogue_state *state, struct err *err)
{
	CLEANUP(keys_view_free) struct keys_view key = {0};
	size_t i = 0; /* the first readable volume of this archive */
	bool before;

	while (i < theirs->count && !has_uuid(to, &theirs->items[i], state->archive))
		i++;
	if (i == theirs->count)
		return true;
	if (!keys_look(from, &key, err))
		return false;
	if (is_under(to, &theirs->items[i], &key, &before))
		return true;
	if (!before)
		return err_set(err, ERR_CREATE,
			"%s: has another master key than this archive, so it was left alone; copy "
			"to another folder",
			to);
	return err_set(err, ERR_CREATE,
		"%s: was copied before the master key changed; copy to another folder, then remove "
		"this copy",
		to);
}

/* --- staging --- */

static bool copy_file(
	const char *from, const char *to, struct archive_copied *copied, struct err *err)
{
	uint64_t bytes;

	if (!fs_copy(from, to, &bytes, err))
		return false;
	copied->files += bytes > 0;
	copied->bytes += bytes;
	return true;
}

/* A keyring at the target without one at the source belongs to another archive: remove it. */
static bool copy_keyring(const struct archive_ref *from, const char *to,
	struct archive_copied *copied, struct err *err)
{
	CLEANUP(freep) char *here = layout_keyring_path(from->path);
	CLEANUP(freep) char *there = layout_keyring_path(to);

	if (fs_exists(here))
		return copy_file(here, there, copied, err);
	return archive_is_encrypted(from) || fs_remove(there, err);
}

/*
 * The volumes to copy. The copy's newest volume is copied again whenever the catalogue changed,
 * even with equal time and size, because file systems may have coarse times. Older volumes never
 * change.
 */
static void list_changed(
	const struct ancestry *places, bool same_catalogue, struct volume_list *changed)
{
	const struct volume_list *ours = places->ours, *theirs = places->theirs;
	int64_t newest = theirs->count ? theirs->items[theirs->count - 1].sequence : 0;

	for (size_t i = 0; i < ours->count; i++) {
		const struct volume_id *id = &ours->items[i];
		CLEANUP(freep) char *here = layout_volume_path(places->from->path, id);
		CLEANUP(freep) char *there = layout_volume_path(places->to->path, id);

		if (id->sequence < newest ? fs_was_copied(there, here)
					  : same_catalogue && fs_is_copy(there, here))
			continue;
		ARRAY_GROW(changed->items, changed->count, changed->cap);
		changed->items[changed->count++] = *id;
	}
}

static bool stage_volumes(const char *from, const char *to, const struct volume_list *volumes,
	struct archive_copied *copied, struct err *err)
{
	for (size_t i = 0; i < volumes->count; i++) {
		CLEANUP(freep) char *here = layout_volume_path(from, &volumes->items[i]);
		CLEANUP(freep) char *there = layout_volume_path(to, &volumes->items[i]);
		CLEANUP(freep) char *staged = layout_staged_path(there);

		if (!copy_file(here, staged, copied, err))
			return false;
	}
	return true;
}

/* Another program may have removed files meanwhile: check before the catalogue makes them count. */
static bool all_present(const char *to, const struct volume_list *volumes, struct err *err)
{
	for (size_t i = 0; i < volumes->count; i++) {
		CLEANUP(freep) char *there = layout_volume_path(to, &volumes->items[i]);
		CLEANUP(freep) char *staged = layout_staged_path(there);

		if (!fs_exists(there) && !fs_exists(staged))
			return err_set(err, ERR_LOCAL,
				"%s: disappeared while it was copied; run the copy again", there);
	}
	return true;
}

/*
 * Stage all new files beside the old ones; replaced is the copy's head, NULL: none. fs_copy() syncs
 * each file and its folder before the next one, so a crash between any two steps leaves the old
 * state:
 *
 *	volumes		without a staged catalogue they are ignored; the next run reuses them
 *	keyring		has the same master key (has_same_key()), so it opens the old state too
 *	`copied`	lists the new head before it arrives, and the old head until then
 *	catalogue	its rename makes all staged files count
 */
static bool stage(const struct ancestry *places, const uint8_t *replaced,
	struct archive_copied *copied, struct err *err)
{
	const char *from = places->from->path, *to = places->to->path;
	CLEANUP(volume_list_free) struct volume_list changed = {0};
	CLEANUP(freep) char *here = layout_catalogue_path(from);
	CLEANUP(freep) char *there = layout_catalogue_path(to);
	CLEANUP(freep) char *staged = layout_staged_path(there);
	bool same = fs_is_copy(there, here);

	list_changed(places, same, &changed);
	if (staged_remove_others(to, &changed, err) &&
		stage_volumes(from, to, &changed, copied, err) &&
		copy_keyring(places->from, to, copied, err) &&
		ancestry_note_copied(to, places->state->head, replaced, err) &&
		((same && changed.count == 0) || (all_present(to, places->ours, err) &&
							 copy_file(here, staged, copied, err))))
		return true;
	return err_wrap(err, "%s: was left unchanged", to);
}

/* --- all of it --- */

/* A copy that was written to has become an archive of its own and is not overwritten. */
static bool is_untouched(const char *to, const struct volume_list *theirs, struct err *err)
{
	CLEANUP(freep) char *catalogue = layout_catalogue_path(to);
	bool touched = db_has_wal(catalogue);

	for (size_t i = 0; i < theirs->count; i++) {
		CLEANUP(freep) char *path = layout_volume_path(to, &theirs->items[i]);

		touched = touched || db_has_wal(path);
	}
	return !touched ||
	       err_set(err, ERR_CREATE,
		       "%s: was written to since it was copied, so it was left alone; copy "
		       "to another folder",
		       to);
}

/* Reading the copy's volumes needs its keyring. If it is lost, the source's is the same one, as
 * has_same_key() checked. */
static bool mend_keyring(const struct archive_ref *from, const char *to,
	const struct volume_list *theirs, struct archive_copied *copied, struct err *err)
{
	struct keyring there;
	struct err unreadable = ERR_INIT;

	return theirs->count == 0 || keyring_file_or_copy(to, &there, &unreadable) ||
	       copy_keyring(from, to, copied, err);
}

/*
 * No file of the old state is removed before the new one counts. A crash up to the end of stage()
 * leaves the old state; from then on the next writer, or the next run, publishes the new one; a
 * crash in remove_old() leaves replaced volumes, which the next run removes. The copy is checked
 * before stage(); the only change until then puts back a lost keyring, which the checks need.
 */
static bool copy_locked(const struct archive_ref *from, const struct archive_ref *to,
	struct archive_copied *copied, struct err *err)
{
	CLEANUP(volume_list_free) struct volume_list ours = {0}, theirs = {0};
	struct catalogue_state state;
	const struct ancestry places = {from, &ours, &state, to, &theirs};
	uint8_t head[SHA256_BYTES];
	bool any;

	if (!volume_list(from->path, &ours, err) || !volume_list(to->path, &theirs, err))
		return false;
	if (ours.count == 0)
		return err_set(err, ERR_CORRUPT, "%s: has no volumes", from->path);
	return is_untouched(to->path, &theirs, err) &&
	       checkpoint_volume(from, &ours.items[ours.count - 1], err) &&
	       update_catalogue(from, &state, err) &&
	       has_same_key(from, to->path, &theirs, &state, err) &&
	       is_same_archive(from->path, &ours, &theirs, &state, to->path, err) &&
	       mend_keyring(from, to->path, &theirs, copied, err) &&
	       ancestry_check(&places, &any, head, err) &&
	       stage(&places, any ? head : NULL, copied, err) && staged_publish(to->path, err) &&
	       remove_old(&ours, &theirs, to->path, err);
}

bool archive_copy(const struct archive_ref *from, const char *to, int timeout_ms,
	struct archive_copied *ret_copied, struct err *err)
{
	const struct archive_ref copy = {to, from->keys};
	CLEANUP(freep) char *volumes = layout_volumes_path(to);
	CLEANUP(fs_unlock) int ours = -1;
	CLEANUP(fs_unlock) int theirs = -1;
	struct archive_copied copied = {0};

	if (!archive_exists(from->path))
		return err_set(err, ERR_NOT_FOUND, "%s: there is no archive here", from->path);
	if (!fs_make_dirs(to, LAYOUT_FOLDER_MODE, err) ||
		!fs_make_dirs(volumes, LAYOUT_FOLDER_MODE, err) ||
		!staged_lock_and_publish(from->path, timeout_ms, &ours, err) ||
		!staged_lock_and_publish(to, timeout_ms, &theirs, err) ||
		!copy_locked(from, &copy, &copied, err))
		return false;
	*ret_copied = copied;
	return true;
}
