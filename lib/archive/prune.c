#include "archive/prune.h"

#include <assert.h>
#include <stdlib.h>

#include "archive/compact/reclaim.h"
#include "base/alloc.h"

struct history {
	struct keep_snapshot *items;
	size_t count, cap;
};

static void history_free(struct history *history)
{
	free(history->items);
	*history = (struct history){0};
}

static bool read_history(struct db *db, struct history *history, struct err *err)
{
	bool row;

	while (db_step(db, CATALOGUE_SNAPSHOT_LIST, &row, err)) {
		struct archive_snapshot snapshot;

		if (!row)
			return true;
		snapshot = catalogue_read_snapshot(db, CATALOGUE_SNAPSHOT_LIST);
		ARRAY_GROW(history->items, history->count, history->cap);
		history->items[history->count++] = (struct keep_snapshot){
			.generation = snapshot.generation,
			.unix_ms = snapshot.unix_ms,
			.complete = snapshot.complete,
			.pinned = snapshot.pinned,
		};
	}
	return false;
}

static bool drop_snapshots(struct db *db, const struct history *history,
	struct archive_pruned *pruned, struct err *err)
{
	for (size_t i = 0; i < history->count; i++) {
		if (history->items[i].stays) {
			pruned->kept++;
			continue;
		}
		/* keep_decide() always keeps these */
		assert(!history->items[i].pinned && i + 1 < history->count);
		db_bind_int(
			db, CATALOGUE_PRUNE_SNAPSHOT, "generation", history->items[i].generation);
		if (!db_run(db, CATALOGUE_PRUNE_SNAPSHOT, err))
			return false;
		pruned->snapshots++;
	}
	return true;
}

/* *ret_count: removed rows of placements and folders. */
static bool drop_rows(
	struct db *db, const struct archive_prune *prune, int64_t *ret_count, struct err *err)
{
	static const size_t queries[] = {
		CATALOGUE_PRUNE_CHANGES, CATALOGUE_PRUNE_GONE, CATALOGUE_PRUNE_FOLDERS};

	*ret_count = 0;
	if (prune->keep_deleted_ms >= 0)
		db_bind_int(db, CATALOGUE_PRUNE_GONE, "deleted_before",
			prune->now_ms - prune->keep_deleted_ms);
	for (size_t i = 0; i < ARRAY_LEN(queries); i++) {
		if (!db_run(db, queries[i], err))
			return false;
		*ret_count += db_changes(db);
	}
	return true;
}

/* Remove snapshots and mail from the catalogue. *ret_any: anything was removed. */
static bool remove_rows(struct maintenance *maintenance, const struct archive_prune *prune,
	struct archive_pruned *pruned, bool *ret_any, struct err *err)
{
	CLEANUP(history_free) struct history history = {0};
	struct db *db = maintenance->packer.catalogue;
	int64_t rows;

	if (!read_history(db, &history, err))
		return false;
	keep_decide(&prune->keep, prune->offset, history.items, history.count);
	if (!drop_snapshots(db, &history, pruned, err) || !drop_rows(db, prune, &rows, err) ||
		!reclaim_sweep(maintenance, &pruned->messages, &pruned->message_bytes, err))
		return false;
	*ret_any = pruned->snapshots > 0 || rows > 0 || pruned->messages > 0;
	return catalogue_set_pruned(db, prune->now_ms, err);
}

/*
 * The catalogue's transaction holds the removed rows; reclaim_run() commits it together with the
 * journal checkpoint that no longer has them. A crash before that commit changes nothing.
 */
static bool prune_in_transaction(struct reclaim *reclaim, const struct archive_prune *prune,
	struct archive_pruned *pruned, struct err *err)
{
	bool any, owed;

	assert(db_in_transaction(reclaim->maintenance->packer.catalogue));
	if (!remove_rows(reclaim->maintenance, prune, pruned, &any, err) ||
		!reclaim_is_owed(reclaim->maintenance, &owed, err))
		return false;
	if (!any && !owed)
		return true;
	return prune->dry_run ? reclaim_estimate(reclaim, err) : reclaim_run(reclaim, err);
}

/* An archive without a commit has nothing to prune. */
static bool is_due(struct maintenance *maintenance, const struct archive_prune *prune,
	bool *ret_due, struct err *err)
{
	struct catalogue_state state;

	if (!catalogue_state(maintenance->packer.catalogue, &state, err))
		return false;
	*ret_due = maintenance->packer.last.generation > 0 &&
		   (prune->every_ms == 0 || prune->now_ms < state.pruned_ms ||
			   prune->now_ms - state.pruned_ms >= prune->every_ms);
	return true;
}

bool archive_prune(const struct archive_ref *archive, const struct archive_prune *prune,
	int timeout_ms, struct archive_pruned *ret_pruned, struct err *err)
{
	CLEANUP(maintenance_close) struct maintenance maintenance = {.lock = -1};
	struct reclaim reclaim;
	struct archive_pruned pruned = {0};
	bool due;
	bool done;

	if (!maintenance_open(&maintenance, archive, timeout_ms, err) ||
		!is_due(&maintenance, prune, &due, err))
		return false;
	if (!due) {
		pruned.skipped = true;
		*ret_pruned = pruned;
		return true;
	}
	reclaim_init(&reclaim, &maintenance);
	if (!db_begin(maintenance.packer.catalogue, err))
		return false;
	done = prune_in_transaction(&reclaim, prune, &pruned, err);
	db_rollback(maintenance.packer.catalogue);
	pruned.volumes = reclaim.volumes;
	pruned.bytes = reclaim.bytes;
	if (done)
		*ret_pruned = pruned;
	return done;
}
