#include "archive/compact/reclaim.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "archive/catalogue/litter.h"
#include "archive/catalogue/replay.h"
#include "archive/compact/reclaim_copy.h"
#include "archive/volume/readers.h"
#include "archive/volume/volume_sql.h"
#include "base/alloc.h"
#include "base/str.h"

void reclaim_init(struct reclaim *reclaim, struct maintenance *maintenance)
{
	*reclaim = (struct reclaim){.maintenance = maintenance,
		.round_bytes = RECLAIM_ROUND_BYTES,
		.reader_wait_ms = READERS_ROUND_MS};
}

/* --- how much of each volume is live --- */

struct volume_usage {
	struct volume_id id;
	enum volume_state state;
	uint64_t live_bytes; /* before the codec */
	uint64_t items;
	uint64_t raw_bytes; /* of all its frames */
	uint64_t file_bytes;
	bool newest;
};

struct volume_usages {
	struct volume_usage *items;
	size_t count, cap;
};

static void usages_free(struct volume_usages *usages)
{
	free(usages->items);
	*usages = (struct volume_usages){0};
}

static bool read_usages(struct db *db, struct volume_usages *usages, struct err *err)
{
	enum { ROW = CATALOGUE_VOLUMES_LIVE };
	bool row;

	while (db_step(db, ROW, &row, err)) {
		struct catalogue_volume volume;

		if (!row)
			return true;
		if (!rows_read_volume(db, ROW, &volume, err)) {
			db_reset(db, ROW);
			return false;
		}
		ARRAY_GROW(usages->items, usages->count, usages->cap);
		usages->items[usages->count++] = (struct volume_usage){
			.id = volume.id,
			.state = volume.state,
			.live_bytes = (uint64_t)db_int(db, ROW, VOLUME_ROW_LIVE_BYTES),
			.items = (uint64_t)db_int(db, ROW, VOLUME_ROW_LIVE_ITEMS),
		};
	}
	return false;
}

static bool sum_frames(struct volume *volume, uint64_t *ret_raw_bytes, struct err *err)
{
	bool row;

	if (!db_step(volume->db, VOLUME_RAW_BYTES, &row, err))
		return false;
	*ret_raw_bytes = row ? (uint64_t)db_int(volume->db, VOLUME_RAW_BYTES, 0) : 0;
	db_reset(volume->db, VOLUME_RAW_BYTES);
	return true;
}

static bool measure(struct packer *packer, struct volume_usage *usage, struct err *err)
{
	CLEANUP(volume_close) struct volume volume = {0};

	usage->file_bytes = volume_file_bytes(packer->archive.path, &usage->id);
	if (usage->newest) {
		usage->file_bytes += db_wal_bytes(packer->volume.db);
		return sum_frames(&packer->volume, &usage->raw_bytes, err);
	}
	return volume_open_peek(&packer->archive, &usage->id, &volume, err) &&
	       sum_frames(&volume, &usage->raw_bytes, err);
}

/* Is it to be emptied? Its journal and old checkpoints count as dead. */
static bool is_victim(const struct volume_usage *usage)
{
	bool sparse = usage->live_bytes * 100 < usage->raw_bytes * RECLAIM_LIVE_PERCENT;

	if (usage->newest)
		return sparse && usage->raw_bytes >= RECLAIM_BYTES_MIN;
	return usage->state == VOLUME_DOOMED || usage->items == 0 || sparse;
}

static bool measure_all(struct packer *packer, struct volume_usages *ret_all, struct err *err)
{
	CLEANUP(usages_free) struct volume_usages all = {0};

	if (!read_usages(packer->catalogue, &all, err))
		return false;
	for (size_t i = 0; i < all.count; i++) {
		all.items[i].newest = all.items[i].id.sequence == packer->volume.id.sequence;
		if (!measure(packer, &all.items[i], err))
			return false;
	}
	*ret_all = all;
	all = (struct volume_usages){0};
	return true;
}

/* Keep only the volumes to empty. */
static bool find_victims(struct packer *packer, struct volume_usages *ret_victims, struct err *err)
{
	size_t count = 0;

	if (!measure_all(packer, ret_victims, err))
		return false;
	for (size_t i = 0; i < ret_victims->count; i++)
		if (is_victim(&ret_victims->items[i]))
			ret_victims->items[count++] = ret_victims->items[i];
	ret_victims->count = count;
	return true;
}

/* The small sealed volumes to merge; none if there are too few. */
static bool find_small(
	struct packer *packer, size_t wanted, struct volume_usages *ret_small, struct err *err)
{
	uint64_t bytes = 0;
	size_t count = 0;

	if (!measure_all(packer, ret_small, err))
		return false;
	for (size_t i = 0; i < ret_small->count; i++) {
		const struct volume_usage *usage = &ret_small->items[i];

		if (usage->state != VOLUME_SEALED || usage->file_bytes >= RECLAIM_SMALL_BYTES ||
			bytes + usage->file_bytes > ARCHIVE_VOLUME_BYTES)
			continue;
		bytes += usage->file_bytes;
		ret_small->items[count++] = *usage;
	}
	ret_small->count = count >= wanted ? count : 0;
	return true;
}

bool reclaim_is_owed(struct maintenance *maintenance, bool *ret_owed, struct err *err)
{
	CLEANUP(catalogue_volumes_free) struct catalogue_volumes volumes = {0};

	*ret_owed = false;
	if (!catalogue_volumes(maintenance->packer.catalogue, &volumes, err))
		return false;
	for (size_t i = 0; i < volumes.count; i++)
		*ret_owed = *ret_owed || volumes.items[i].state == VOLUME_DOOMED;
	return true;
}

bool reclaim_sweep(struct maintenance *maintenance, uint64_t *ret_messages, uint64_t *ret_bytes,
	struct err *err)
{
	static const size_t queries[] = {CATALOGUE_SWEEP_MESSAGES, CATALOGUE_SWEEP_PARTS,
		CATALOGUE_SWEEP_ITEMS, CATALOGUE_SWEEP_FLAG_SETS, CATALOGUE_SWEEP_SNAPSHOTS,
		CATALOGUE_SWEEP_TOMBSTONES};
	struct db *db = maintenance->packer.catalogue;
	bool row;

	if (!db_step(db, CATALOGUE_UNPLACED_TOTALS, &row, err))
		return false;
	*ret_messages = (uint64_t)db_int(db, CATALOGUE_UNPLACED_TOTALS, 0);
	*ret_bytes = (uint64_t)db_int(db, CATALOGUE_UNPLACED_TOTALS, 1);
	db_reset(db, CATALOGUE_UNPLACED_TOTALS);
	for (size_t i = 0; i < ARRAY_LEN(queries); i++)
		if (!db_run(db, queries[i], err))
			return false;
	return true;
}

static uint64_t less(uint64_t from, uint64_t value)
{
	return from > value ? from - value : 0;
}

bool reclaim_estimate(struct reclaim *reclaim, struct err *err)
{
	CLEANUP(usages_free) struct volume_usages victims = {0};

	if (!find_victims(&reclaim->maintenance->packer, &victims, err))
		return false;
	reclaim->volumes = victims.count;
	reclaim->bytes = 0;
	for (size_t i = 0; i < victims.count; i++) {
		const struct volume_usage *victim = &victims.items[i];
		double live = victim->raw_bytes
				      ? (double)victim->live_bytes / (double)victim->raw_bytes
				      : 0;

		reclaim->bytes +=
			less(victim->file_bytes, (uint64_t)(live * (double)victim->file_bytes));
	}
	return true;
}

/* --- a round --- */

/* The newest volume can be emptied once another one has been started. */
/* A crash after the roll leaves a volume that the catalogue lacks: replay enters it. */
static bool make_room(struct packer *packer, const struct volume_usages *victims, struct err *err)
{
	bool rolled;
	bool newest = victims->count > 0 && victims->items[victims->count - 1].newest;

	return (!newest && !packer_is_full(packer)) || packer_roll_now(packer, &rolled, err);
}

static bool empty_one(
	struct maintenance *maintenance, const struct volume_usage *victim, struct err *err)
{
	struct packer *packer = &maintenance->packer;
	CLEANUP(volume_close) struct volume volume = {0};

	/* else the volume would lose its row before the copies of its items are committed */
	assert(db_in_transaction(packer->catalogue));
	assert(victim->id.sequence != packer->volume.id.sequence);
	if (victim->items > 0 && (!volume_open_peek(&packer->archive, &victim->id, &volume, err) ||
					 !reclaim_copy(packer, &volume, maintenance->zstd, err)))
		return false;
	db_bind_int(packer->catalogue, CATALOGUE_VOLUME_REMOVE, "sequence", victim->id.sequence);
	return db_run(packer->catalogue, CATALOGUE_VOLUME_REMOVE, err);
}

/* *ret_more: the round's limit was reached, another round follows. */
static bool empty_some(struct reclaim *reclaim, const struct volume_usages *victims, bool *ret_more,
	struct err *err)
{
	struct packer *packer = &reclaim->maintenance->packer;
	uint64_t copied = 0;

	*ret_more = false;
	for (size_t i = 0; i < victims->count; i++) {
		const struct volume_usage *victim = &victims->items[i];

		if (victim->id.sequence == packer->volume.id.sequence)
			continue;
		if (copied > 0 && copied + victim->live_bytes > reclaim->round_bytes) {
			*ret_more = true;
			continue;
		}
		if (!empty_one(reclaim->maintenance, victim, err))
			return err_wrap(err, "volume %" PRId64, victim->id.sequence);
		copied += victim->live_bytes;
		reclaim->volumes++;
		reclaim->bytes += victim->file_bytes;
	}
	return packer_flush_pack(packer, err);
}

/*
 * The copies, the rows that name them and the removal of the emptied volumes' rows count together,
 * with the journal checkpoint, which makes the volume durable first. A crash before that leaves
 * frames that no journal frame names; between its two commits, replay applies the checkpoint; after
 * it, the emptied files are litter, which the next writer removes.
 */
static bool run_round(struct reclaim *reclaim, bool *ret_more, struct err *err)
{
	CLEANUP(usages_free) struct volume_usages victims = {0};
	struct packer *packer = &reclaim->maintenance->packer;

	return find_victims(packer, &victims, err) && make_room(packer, &victims, err) &&
	       empty_some(reclaim, &victims, ret_more, err) &&
	       journal_checkpoint_write(packer, err) &&
	       litter_remove(packer->archive.path, packer->catalogue, err);
}

bool reclaim_run(struct reclaim *reclaim, struct err *err)
{
	struct packer *packer = &reclaim->maintenance->packer;
	uint64_t before = packer->figures.stored_bytes;
	bool more = true;

	assert(reclaim->maintenance->open && reclaim->maintenance->lock >= 0);
	reclaim->volumes = 0;
	reclaim->bytes = 0;
	while (more) {
		if (!db_in_transaction(packer->catalogue) && !db_begin(packer->catalogue, err))
			return false;
		if (!run_round(reclaim, &more, err)) {
			db_rollback(packer->catalogue);
			return false;
		}
		/* else more than one round would exist twice on disk */
		if (more && !litter_remove_all(packer->archive.path, packer->catalogue,
				    reclaim->reader_wait_ms, err))
			return false;
	}
	reclaim->written = packer->figures.stored_bytes - before;
	reclaim->bytes = less(reclaim->bytes, reclaim->written);
	return packer_tidy_wal(packer, err);
}

/* --- merging small volumes --- */

/* The same order as in a round. */
static bool merge(struct maintenance *maintenance, const struct volume_usages *small,
	const struct cancel *cancel, struct err *err)
{
	struct packer *packer = &maintenance->packer;

	for (size_t i = 0; i < small->count; i++) {
		if (cancel && cancel_is(cancel))
			return err_set(err, ERR_CANCELLED, "stopped");
		if (!empty_one(maintenance, &small->items[i], err))
			return err_wrap(err, "volume %" PRId64, small->items[i].id.sequence);
	}
	return packer_flush_pack(packer, err) && journal_checkpoint_write(packer, err) &&
	       litter_remove(packer->archive.path, packer->catalogue, err);
}

static bool merge_in_transaction(struct maintenance *maintenance, size_t count,
	const struct cancel *cancel, uint64_t *ret_merged, struct err *err)
{
	CLEANUP(usages_free) struct volume_usages small = {0};
	struct packer *packer = &maintenance->packer;

	if (!find_small(packer, count, &small, err))
		return false;
	*ret_merged = small.count;
	return small.count == 0 ||
	       (make_room(packer, &small, err) && merge(maintenance, &small, cancel, err) &&
		       packer_tidy_wal(packer, err));
}

bool reclaim_merge(struct maintenance *maintenance, size_t count, const struct cancel *cancel,
	uint64_t *ret_merged, struct err *err)
{
	struct db *catalogue = maintenance->packer.catalogue;
	bool done;

	assert(maintenance->open && maintenance->lock >= 0);
	*ret_merged = 0;
	if (maintenance->packer.last.generation == 0)
		return true;
	maintenance->packer.volume_bytes_max = RECLAIM_SMALL_BYTES;
	if (!db_begin(catalogue, err))
		return false;
	done = merge_in_transaction(maintenance, count, cancel, ret_merged, err);
	db_rollback(catalogue);
	return done;
}
