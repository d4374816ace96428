#include "archive/forget.h"

#include <stdlib.h>
#include <string.h>

#include "archive/catalogue/create.h"
#include "archive/catalogue/litter.h"
#include "archive/catalogue/rebuild.h"
#include "archive/compact/forget_search.h"
#include "archive/compact/reclaim.h"
#include "archive/volume/readers.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/str.h"

struct forgetting {
	struct maintenance maintenance;
	struct reclaim reclaim;
	struct forget_search search;
	struct archive_forgotten result;
	char *begun; /* marker file that exists until the catalogue was rebuilt */
	bool any;    /* something had to be forgotten */
};

/* --- the catalogue --- */

static bool mark_forgotten(struct forgetting *forgetting, const uint8_t *digest, struct err *err)
{
	struct db *db = forgetting->maintenance.packer.catalogue;
	int64_t id;

	if (!catalogue_find_message(db, digest, &id, err))
		return false;
	if (id == 0)
		return true;
	db_bind_int(db, CATALOGUE_FORGOTTEN_PUT, "message", id);
	if (!db_run(db, CATALOGUE_FORGOTTEN_PUT, err))
		return false;
	forget_search_add(&forgetting->search, digest);
	forget_search_add_message(&forgetting->search, id);
	return true;
}

/* Find the volumes of their items, including leaves that no other message has. */
static bool add_items(struct forgetting *forgetting, struct err *err)
{
	enum { ROW = CATALOGUE_FORGOTTEN_ITEMS };
	struct db *db = forgetting->maintenance.packer.catalogue;
	bool row;

	while (db_step(db, ROW, &row, err)) {
		uint8_t digest[SHA256_BYTES];

		if (!row)
			return true;
		forget_search_add_volume(&forgetting->search, rows_read_item(db, ROW).volume);
		if (rows_read_blob(db, ROW, ITEM_ROW_SHA256, digest, SHA256_BYTES))
			forget_search_add(&forgetting->search, digest);
	}
	return false;
}

struct forgotten_placement {
	struct record_span span;
	int64_t size;
};

struct forgotten_placements {
	struct forgotten_placement *items;
	size_t count, cap;
};

static void forgotten_placements_free(struct forgotten_placements *placements)
{
	free(placements->items);
	*placements = (struct forgotten_placements){0};
}

static bool read_forgotten_placements(
	struct db *db, struct forgotten_placements *placements, struct err *err)
{
	enum { ROW = CATALOGUE_FORGOTTEN_PLACEMENTS, GEN_FROM = 0, SIZE = 2 };
	bool row;

	while (db_step(db, ROW, &row, err)) {
		if (!row)
			return true;
		ARRAY_GROW(placements->items, placements->count, placements->cap);
		placements->items[placements->count++] = (struct forgotten_placement){
			rows_read_span(db, ROW, GEN_FROM), db_int(db, ROW, SIZE)};
	}
	return false;
}

/* Snapshots no longer count the forgotten messages. */
static bool reduce_snapshots(struct db *db, struct err *err)
{
	enum { REDUCE = CATALOGUE_SNAPSHOT_LESSEN };
	CLEANUP(forgotten_placements_free) struct forgotten_placements placements = {0};

	if (!read_forgotten_placements(db, &placements, err))
		return false;
	for (size_t i = 0; i < placements.count; i++) {
		rows_bind_span(db, REDUCE, &placements.items[i].span);
		db_bind_int(db, REDUCE, "size", placements.items[i].size);
		if (!db_run(db, REDUCE, err))
			return false;
	}
	return true;
}

static bool remove_forgotten_rows(struct forgetting *forgetting, struct err *err)
{
	struct db *db = forgetting->maintenance.packer.catalogue;
	uint64_t bytes;

	return reduce_snapshots(db, err) && db_run(db, CATALOGUE_FORGOTTEN_TOMBSTONES, err) &&
	       db_run(db, CATALOGUE_FORGOTTEN_REMOVE, err) &&
	       db_run(db, CATALOGUE_FORGOTTEN_CLEAR, err) &&
	       reclaim_sweep(&forgetting->maintenance, &forgetting->result.messages, &bytes, err);
}

/* --- the volumes --- */

/* Mark the volumes for removal. The newest volume cannot be emptied, so start another one first. */
static bool mark_volumes(struct forgetting *forgetting, struct err *err)
{
	struct packer *packer = &forgetting->maintenance.packer;
	const struct forget_search *search = &forgetting->search;
	size_t count = search->volumes_count;

	if (count > 0 && search->volumes[count - 1] == packer->volume.id.sequence &&
		!packer_roll_surely(packer, err))
		return false;
	for (size_t i = 0; i < count; i++)
		if (!catalogue_set_volume_state(
			    packer->catalogue, search->volumes[i], VOLUME_DOOMED, err))
			return false;
	return true;
}

/* The emptied volumes, and the -wal of the newest volume, which may hold forgotten bytes. A crash
 * leaves litter, which every writer removes, and a -wal, which the next forget or seal empties. */
static bool try_to_remove_files(void *context, bool *ret_done, struct err *err)
{
	struct packer *packer = context;
	bool left;

	if (!litter_remove(packer->archive.path, packer->catalogue, err) ||
		!litter_exists(packer->archive.path, packer->catalogue, &left, err) ||
		!db_wal_checkpoint(packer->volume.db, true, err))
		return false;
	*ret_done = !left && db_wal_file_bytes(packer->volume.db) == 0;
	return true;
}

static bool remove_files(struct packer *packer, struct err *err)
{
	bool done;

	return readers_wait(READERS_REMOVED_MS, try_to_remove_files, packer, &done, err) &&
	       (done || err_set(err, ERR_BUSY,
				"%s: a reader is still open; the files it needs remain until the "
				"next run",
				packer->archive.path));
}

/*
 * Everything up to reclaim_run() is one transaction of the catalogue: a crash before its commit
 * changes nothing. The marker file comes before the first copy is committed, so that a crash after
 * the commit, with the old catalogue's pages still on disk, is known to the next run, which
 * completes the work.
 */
static bool forget_in_transaction(struct forgetting *forgetting,
	const uint8_t (*digests)[SHA256_BYTES], size_t count, struct err *err)
{
	struct maintenance *maintenance = &forgetting->maintenance;
	struct reclaim *reclaim = &forgetting->reclaim;
	bool owed;

	for (size_t i = 0; i < count; i++)
		if (!mark_forgotten(forgetting, digests[i], err))
			return false;
	if (!add_items(forgetting, err) ||
		(forgetting->search.count > 0 &&
			!forget_search_run(&forgetting->search, &maintenance->packer,
				maintenance->zstd, err)) ||
		!mark_volumes(forgetting, err) || !remove_forgotten_rows(forgetting, err) ||
		!reclaim_is_owed(maintenance, &owed, err))
		return false;
	if (!owed)
		return true;
	forgetting->any = true;
	reclaim->reader_wait_ms = READERS_REMOVED_MS;
	return fs_write_atomic(forgetting->begun, "", 0, LAYOUT_FILE_MODE, err) &&
	       reclaim_run(reclaim, err);
}

/* --- all of it --- */

static bool forget_locked(struct forgetting *forgetting, const uint8_t (*digests)[SHA256_BYTES],
	size_t count, struct err *err)
{
	struct packer *packer = &forgetting->maintenance.packer;
	bool done;

	if (packer->last.generation == 0)
		return true;
	if (!db_begin(packer->catalogue, err))
		return false;
	done = forget_in_transaction(forgetting, digests, count, err);
	db_rollback(packer->catalogue);
	return done && remove_files(packer, err);
}

/*
 * Rebuild the catalogue, because free pages of its old file may still hold forgotten messages. So
 * may the unfinished file of a repacker: it is removed although the repack lock may be held, and
 * rewrite_replace() notices. The marker, which is a leftover in the archive's folder, goes last: a
 * crash before that repeats the rebuild.
 */
static bool rebuild_without_forgotten(const struct archive_ref *archive, struct err *err)
{
	CLEANUP(freep) char *volumes = layout_volumes_path(archive->path);

	return rebuild_locked(archive, err) && layout_remove_leftovers(volumes, err) &&
	       layout_remove_leftovers(archive->path, err);
}

bool archive_forget(const struct archive_ref *archive, const uint8_t (*digests)[SHA256_BYTES],
	size_t count, int timeout_ms, struct archive_forgotten *ret_forgotten, struct err *err)
{
	CLEANUP(freep) char *begun = layout_forgotten_path(archive->path);
	struct forgetting forgetting = {.maintenance = {.lock = -1}, .begun = begun};
	bool done;

	reclaim_init(&forgetting.reclaim, &forgetting.maintenance);
	done = maintenance_open(&forgetting.maintenance, archive, timeout_ms, err) &&
	       forget_locked(&forgetting, digests, count, err);

	/* an interrupted run left the marker: its catalogue still has to be rebuilt */
	forgetting.any = forgetting.any || fs_exists(begun);
	maintenance_end(&forgetting.maintenance);
	done = done && (!forgetting.any || rebuild_without_forgotten(archive, err));
	maintenance_close(&forgetting.maintenance);
	forget_search_free(&forgetting.search);
	forgetting.result.volumes = forgetting.reclaim.volumes;
	forgetting.result.bytes = forgetting.reclaim.bytes;
	if (done)
		*ret_forgotten = forgetting.result;
	return done;
}
