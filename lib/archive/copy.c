#include "archive/copy.h"

#include <inttypes.h>
#include <string.h>

#include "archive/catalogue.h"
#include "archive/heads.h"
#include "archive/replace.h"
#include "archive/replay.h"
#include "archive/staged.h"
#include "archive/vault.h"
#include "archive/volume.h"
#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"

enum { FOLDER_MODE = 0700 };

/* --- files without -wal --- */

static bool settle_volume(const char *path, const struct volume_id *id, struct err *err)
{
	CLEANUP(volume_close) struct volume volume = {0};

	return volume_open(path, id, DB_WRITE, &volume, err) && db_empty_wal(volume.db, err);
}

/* The catalogue is brought up to the volumes, too, where a crash left it behind. */
static bool settle_catalogue(const char *path, struct catalogue_state *ret_state, struct err *err)
{
	CLEANUP(zstd_freep) struct zstd *zstd = zstd_new();
	CLEANUP(db_freep) struct db *catalogue = NULL;

	bool needed;

	return catalogue_open(path, DB_WRITE, &catalogue, err) &&
	       replay_needed(path, catalogue, &needed, err) &&
	       (!needed || replay(path, catalogue, zstd, err)) && db_empty_wal(catalogue, err) &&
	       catalogue_state(catalogue, ret_state, err);
}

static bool settle(const char *path, const struct volume_list *volumes,
	struct catalogue_state *ret_state, struct err *err)
{
	return settle_volume(path, &volumes->items[volumes->count - 1], err) &&
	       settle_catalogue(path, ret_state, err);
}

/* --- the copy --- */

/* Has a sealed one of ours taken its place? */
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
	CLEANUP(freep) char *file = volume_path(path, id);
	uint8_t archive[ARCHIVE_UUID_BYTES];
	struct err unreadable = ERR_INIT;

	return volume_peek_archive(file, id, archive, &unreadable) &&
	       memcmp(archive, uuid, ARCHIVE_UUID_BYTES) == 0;
}

static bool has_sequence(const struct volume_list *list, int64_t sequence)
{
	for (size_t i = 0; i < list->count; i++)
		if (list->items[i].sequence == sequence)
			return true;
	return false;
}

static bool was_ours(const struct volume_list *ours, const struct volume_id *id,
	const struct catalogue_state *state, const char *to)
{
	return id->sequence < state->checkpoint && !has_sequence(ours, id->sequence) &&
	       has_uuid(to, id, state->archive);
}

/* What stands there is the source's, or was until it was sealed, or a checkpoint did without it. */
static bool is_same_archive(const char *from, const struct volume_list *ours,
	const struct volume_list *theirs, const struct catalogue_state *state, const char *to,
	struct err *err)
{
	for (size_t i = 0; i < theirs->count; i++) {
		const struct volume_id *id = &theirs->items[i];

		if (!volume_list_has(ours, id) && !was_ours(ours, id, state, to) &&
			!was_sealed(from, ours, id))
			return err_set(err, ERR_CREATE,
				"%s: holds volumes that this archive has not: is it a copy of "
				"another one?",
				to);
	}
	return true;
}

static bool remove_others(const struct volume_list *ours, const struct volume_list *theirs,
	const char *to, struct err *err)
{
	for (size_t i = 0; i < theirs->count; i++) {
		CLEANUP(freep) char *path = volume_path(to, &theirs->items[i]);

		if (!volume_list_has(ours, &theirs->items[i]) && !fs_remove(path, err))
			return false;
	}
	return true;
}

/* What was there and is pruned or sealed, and what a run that was stopped left of such. After the
 * catalogue, which no longer names them. */
static bool remove_old(const struct volume_list *ours, const struct volume_list *theirs,
	const char *to, struct err *err)
{
	CLEANUP(volume_list_free) struct volume_list replaced = {0};

	return volume_list_replaced(to, &replaced, err) &&
	       remove_others(ours, &replaced, to, err) && remove_others(ours, theirs, to, err);
}

/* A keyring that is lost or damaged is told by the volumes. */
static bool is_under(const char *to, const struct volume_id *theirs, const struct vault_view *key)
{
	struct keyring there;
	struct err unreadable = ERR_INIT;
	uint32_t epoch;

	if (vault_read_keyring(to, &there, &unreadable))
		return key->encrypted && keyring_is_of(&there, key->master) &&
		       there.change.under_way == key->keyring.change.under_way;
	return volume_peek_epoch(to, theirs, &epoch, &unreadable) &&
	       epoch == (key->encrypted ? key->keyring.epoch : 0);
}

/* Under another master key all volumes are others: half of those and half of these would be opened
 * by neither keyring, if a run were stopped. Another archive's is another matter. */
static bool has_same_key(const char *from, const char *to, const struct volume_list *theirs,
	const struct catalogue_state *state, struct err *err)
{
	CLEANUP(vault_view_free) struct vault_view key = {0};
	size_t i = 0; /* the first that can be read */

	while (i < theirs->count && !has_uuid(to, &theirs->items[i], state->archive))
		i++;
	if (i == theirs->count)
		return true;
	if (!vault_look(from, &key, err))
		return false;
	return is_under(to, &theirs->items[i], &key) ||
	       err_set(err, ERR_CREATE,
		       "%s: was copied before the master key changed; copy to another folder, then "
		       "remove this one",
		       to);
}

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

/* Before there are volumes. One that is there alone is another archive's. */
static bool copy_keyring(
	const char *from, const char *to, struct archive_copied *copied, struct err *err)
{
	CLEANUP(freep) char *here = vault_keyring_path(from);
	CLEANUP(freep) char *there = vault_keyring_path(to);

	if (fs_exists(here))
		return copy_file(here, there, copied, err);
	return archive_is_encrypted(from) || fs_remove(there, err);
}

/* The newest goes with a catalogue that changed: one of the same time and size may be another. */
static void list_changed(const char *from, const char *to, const struct volume_list *volumes,
	bool with_newest, struct volume_list *changed)
{
	for (size_t i = 0; i < volumes->count; i++) {
		CLEANUP(freep) char *here = volume_path(from, &volumes->items[i]);
		CLEANUP(freep) char *there = volume_path(to, &volumes->items[i]);
		bool newest = i + 1 == volumes->count;

		if (newest ? !with_newest && fs_is_copy(there, here) : fs_was_copied(there, here))
			continue;
		ARRAY_GROW(changed->items, changed->count, changed->cap);
		changed->items[changed->count++] = volumes->items[i];
	}
}

static bool stage_volumes(const char *from, const char *to, const struct volume_list *volumes,
	struct archive_copied *copied, struct err *err)
{
	for (size_t i = 0; i < volumes->count; i++) {
		CLEANUP(freep) char *here = volume_path(from, &volumes->items[i]);
		CLEANUP(freep) char *there = volume_path(to, &volumes->items[i]);
		CLEANUP(freep) char *staged = staged_path(there);

		if (!copy_file(here, staged, copied, err))
			return false;
	}
	return true;
}

/* Who took them away in between? */
static bool all_brought(const char *to, const struct volume_list *volumes, struct err *err)
{
	for (size_t i = 0; i < volumes->count; i++) {
		CLEANUP(freep) char *there = volume_path(to, &volumes->items[i]);
		CLEANUP(freep) char *staged = staged_path(there);

		if (!fs_exists(there) && !fs_exists(staged))
			return err_set(err, ERR_LOCAL, "%s: went while it was copied", there);
	}
	return true;
}

/* All that is new beside what is there; with the catalogue it counts. */
static bool stage(const char *from, const char *to, const struct volume_list *volumes,
	const uint8_t brought[SHA256_BYTES], const uint8_t *replaced, struct archive_copied *copied,
	struct err *err)
{
	CLEANUP(volume_list_free) struct volume_list changed = {0};
	CLEANUP(freep) char *here = catalogue_path(from);
	CLEANUP(freep) char *there = catalogue_path(to);
	CLEANUP(freep) char *staged = staged_path(there);
	bool same = fs_is_copy(there, here);

	list_changed(from, to, volumes, !same, &changed);
	if (staged_remove_others(to, &changed, err) &&
		stage_volumes(from, to, &changed, copied, err) &&
		copy_keyring(from, to, copied, err) && heads_note(to, brought, replaced, err) &&
		((same && changed.count == 0) ||
			(all_brought(to, volumes, err) && copy_file(here, staged, copied, err))))
		return true;
	return err_wrap(err, "%s: stays as it was", to);
}

/* A copy that was written to by itself is an archive of its own and is not overwritten. */
static bool is_untouched(const char *to, const struct volume_list *theirs, struct err *err)
{
	CLEANUP(freep) char *catalogue = catalogue_path(to);
	bool touched = db_has_wal(catalogue);

	for (size_t i = 0; i < theirs->count; i++) {
		CLEANUP(freep) char *path = volume_path(to, &theirs->items[i]);

		touched = touched || db_has_wal(path);
	}
	return !touched || err_set(err, ERR_CREATE, "%s: was written to since it was copied", to);
}

/* The last commit that a catalogue knows of. */
struct commit {
	struct catalogue_state state;
	struct volume_id volume;
	int64_t frame; /* 0: none */
};

static bool last_commit(const char *to, struct commit *ret_commit, struct err *err)
{
	CLEANUP(freep) char *path = catalogue_path(to);
	CLEANUP(db_freep) struct db *catalogue = NULL;
	CLEANUP(catalogue_volumes_free) struct catalogue_volumes known = {0};
	struct commit commit = {0};

	if (!catalogue_open(to, replay_peek_mode(path), &catalogue, err) ||
		!catalogue_state(catalogue, &commit.state, err) ||
		!catalogue_volumes(catalogue, &known, err))
		return false;
	for (size_t i = 0; i < known.count; i++)
		if (known.items[i].applied_frame > 0) {
			commit.volume = known.items[i].id;
			commit.frame = known.items[i].applied_frame;
		}
	*ret_commit = commit;
	return true;
}

static bool payload_digest(
	struct volume *volume, int64_t frame, uint8_t ret_sha256[SHA256_BYTES], struct err *err)
{
	CLEANUP(zstd_freep) struct zstd *zstd = zstd_new();
	CLEANUP(buf_free) struct buf payload = BUF_INIT(FRAME_RAW_BYTES_MAX);

	if (!volume_get_frame(volume, frame, FRAMES_JOURNAL, zstd, &payload, err))
		return false;
	sha256_of(payload.data, payload.len, ret_sha256);
	return true;
}

static bool open_volume(const char *archive_path, const struct volume_id *id,
	struct volume *ret_volume, struct err *err)
{
	CLEANUP(freep) char *path = volume_path(archive_path, id);

	return volume_open(archive_path, id, replay_peek_mode(path), ret_volume, err);
}

/* As its volumes say, where the catalogue is lost. */
static bool last_in_volumes(const char *to, const struct volume_list *theirs,
	struct commit *ret_commit, struct err *err)
{
	struct commit commit = {0};

	for (size_t i = theirs->count; i > 0 && commit.frame == 0; i--) {
		CLEANUP(volume_close) struct volume volume = {0};

		commit.volume = theirs->items[i - 1];
		if (!open_volume(to, &commit.volume, &volume, err) ||
			!volume_last_journal(&volume, &commit.frame, err) ||
			(commit.frame > 0 &&
				!payload_digest(&volume, commit.frame, commit.state.head, err)))
			return false;
	}
	*ret_commit = commit;
	return true;
}

static bool holds_commit(const char *from, const struct commit *commit, struct err *err)
{
	CLEANUP(volume_close) struct volume volume = {0};
	uint8_t sha256[SHA256_BYTES];

	return open_volume(from, &commit->volume, &volume, err) &&
	       payload_digest(&volume, commit->frame, sha256, err) &&
	       memcmp(sha256, commit->state.head, SHA256_BYTES) == 0;
}

/* A sealed volume has the payloads of the one it took the place of. */
static bool holds_payload(const char *from, const struct volume_id *id,
	const uint8_t head[SHA256_BYTES], struct err *err)
{
	CLEANUP(volume_close) struct volume volume = {0};
	int64_t frame;
	bool found;

	return open_volume(from, id, &volume, err) &&
	       replace_find_payload(&volume, head, &frame, &found, err) && found;
}

/* Is their last commit one of ours? Where a checkpoint did without its volume nothing but what the
 * copy itself was told can say so. */
static bool is_of_ours(const char *from, const struct volume_list *ours, const char *to,
	const struct commit *theirs, struct err *err)
{
	if (volume_list_has(ours, &theirs->volume))
		return holds_commit(from, theirs, err);
	for (size_t i = 0; i < ours->count; i++)
		if (ours->items[i].sequence == theirs->volume.sequence)
			return holds_payload(from, &ours->items[i], theirs->state.head, err);
	return heads_have(to, theirs->state.head);
}

/* A copy may have gone on by itself, or its source have been put back to what it was once. */
static bool is_behind(const char *from, const struct volume_list *ours,
	const struct volume_list *there, const struct catalogue_state *state, const char *to,
	struct commit *ret_theirs, struct err *err)
{
	CLEANUP(vault_view_free) struct vault_view key = {0};
	struct commit theirs = {0};
	struct err of = ERR_INIT;
	bool known;

	if (!vault_look(from, &key, err))
		return false;
	if (key.encrypted)
		vault_put(to, key.keyring.epoch, key.master);
	known = last_commit(to, &theirs, &of) || last_in_volumes(to, there, &theirs, &of);
	archive_lock(to);
	*ret_theirs = theirs;
	if (!known)
		return err_set(err, ERR_CREATE,
			"%s: what it holds cannot be read; `mailstow check %s` tells more (%s)", to,
			to, of.text);
	if (theirs.frame == 0)
		return true;
	if (theirs.state.applied_seq <= state->applied_seq &&
		is_of_ours(from, ours, to, &theirs, &of))
		return true;
	return err_set(err, ERR_CREATE, "%s: holds what this archive has not", to);
}

/* Theirs is needed to look at what they hold; that of the same key, as was seen. */
static bool mend_keyring(const char *from, const char *to, const struct volume_list *theirs,
	struct archive_copied *copied, struct err *err)
{
	struct keyring there;
	struct err unreadable = ERR_INIT;

	return theirs->count == 0 || vault_read_keyring(to, &there, &unreadable) ||
	       copy_keyring(from, to, copied, err);
}

static bool copy_locked(
	const char *from, const char *to, struct archive_copied *copied, struct err *err)
{
	CLEANUP(volume_list_free) struct volume_list ours = {0}, theirs = {0};
	struct catalogue_state state;
	struct commit there;

	if (!volume_list(from, &ours, err) || !volume_list(to, &theirs, err))
		return false;
	if (ours.count == 0)
		return err_set(err, ERR_CORRUPT, "%s: no volumes", from);
	return is_untouched(to, &theirs, err) && settle(from, &ours, &state, err) &&
	       has_same_key(from, to, &theirs, &state, err) &&
	       is_same_archive(from, &ours, &theirs, &state, to, err) &&
	       mend_keyring(from, to, &theirs, copied, err) &&
	       is_behind(from, &ours, &theirs, &state, to, &there, err) &&
	       stage(from, to, &ours, state.head, there.frame > 0 ? there.state.head : NULL, copied,
		       err) &&
	       staged_publish(to, err) && remove_old(&ours, &theirs, to, err);
}

static bool make_place(const char *to, struct err *err)
{
	CLEANUP(freep) char *volumes = volume_folder(to);

	return fs_make_dirs(to, FOLDER_MODE, err) && fs_make_dirs(volumes, FOLDER_MODE, err);
}

bool archive_copy(const char *from, const char *to, int timeout_ms,
	struct archive_copied *ret_copied, struct err *err)
{
	CLEANUP(fs_unlock) int ours = -1;
	CLEANUP(fs_unlock) int theirs = -1;
	struct archive_copied copied = {0};

	if (!archive_exists(from))
		return err_set(err, ERR_NOT_FOUND, "%s: there is no archive", from);
	if (!make_place(to, err) || !staged_lock(from, timeout_ms, &ours, err) ||
		!staged_lock(to, timeout_ms, &theirs, err) || !copy_locked(from, to, &copied, err))
		return false;
	*ret_copied = copied;
	return true;
}
