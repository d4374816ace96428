/* Writing a journal checkpoint: the catalogue's tables, row by row. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "archive/format/journal.h"
#include "archive/write/packer.h"
#include "base/alloc.h"

static void begin_payload(struct packer *packer)
{
	struct journal_header header = {.checkpoint = true,
		.seq = packer->state.applied_seq + 1,
		.generation = packer->last.generation};

	memcpy(header.previous, packer->state.head, SHA256_BYTES);
	journal_begin(&packer->journal, &header);
}

static bool put(struct packer *packer, const struct record *record, struct err *err)
{
	int64_t unused;

	if (packer->journal.len >= JOURNAL_BYTES_MAX) {
		if (!packer_write_payload(packer, FRAME_CHECKPOINT, &unused, err))
			return false;
		begin_payload(packer);
	}
	return record_encode(record, &packer->journal) ||
	       err_set(err, ERR_LOCAL, "a row is larger than %d bytes", RECORD_BYTES_MAX);
}

/* Each fills in a record from the current row of its query. False: the row is not valid. */
typedef bool make_record(struct packer *packer, struct record *record);

static bool make_volume(struct packer *packer, struct record *record)
{
	struct catalogue_volume volume;
	struct err damaged = ERR_INIT;

	if (!rows_read_volume(packer->catalogue, CATALOGUE_VOLUME_LIST, &volume, &damaged))
		return false;
	record->kind = RECORD_VOLUME;
	record->volume.sequence = volume.id.sequence;
	record->volume.doomed = volume.state == VOLUME_DOOMED;
	memcpy(record->volume.uuid, volume.id.uuid, ARCHIVE_UUID_BYTES);
	return true;
}

static bool make_item(struct packer *packer, struct record *record)
{
	enum { ROW = CATALOGUE_ITEMS_LEAVES_FIRST };
	struct db *db = packer->catalogue;
	struct item_row row = rows_read_item(db, ROW);
	struct record_item *item = &record->item_row.item;

	record->kind = RECORD_ITEM_ROW;
	record->item_row.volume = row.volume;
	item->id = row.id;
	item->kind = row.kind;
	item->frame = row.frame;
	item->offset = row.offset;
	item->size = row.size;
	item->has_sha256 = !db_is_null(db, ROW, ITEM_ROW_SHA256);
	return !item->has_sha256 ||
	       rows_read_blob(db, ROW, ITEM_ROW_SHA256, item->sha256, SHA256_BYTES);
}

static bool make_message(struct packer *packer, struct record *record)
{
	record->kind = RECORD_MESSAGE;
	return rows_read_message(
		packer->catalogue, CATALOGUE_ALL_MESSAGES, 0, packer->date, &record->message);
}

static bool make_folder(struct packer *packer, struct record *record)
{
	record->kind = RECORD_FOLDER_ROW;
	record->folder_row = rows_read_folder(packer->catalogue, CATALOGUE_ALL_FOLDERS);
	return true;
}

static bool make_snapshot(struct packer *packer, struct record *record)
{
	record->kind = RECORD_SNAPSHOT_ROW;
	record->snapshot_row = rows_read_snapshot(packer->catalogue, CATALOGUE_ALL_SNAPSHOTS);
	return true;
}

static bool make_placement(struct packer *packer, struct record *record)
{
	record->kind = RECORD_PLACEMENT_ROW;
	record->placement_row = rows_read_placement(packer->catalogue, CATALOGUE_ALL_PLACEMENTS);
	return true;
}

static bool make_mark(struct packer *packer, struct record *record)
{
	record->kind = RECORD_MARK;
	record->mark = rows_read_mark(packer->catalogue, CATALOGUE_ALL_MARKS);
	return true;
}

static bool make_tombstone(struct packer *packer, struct record *record)
{
	record->kind = RECORD_TOMBSTONE;
	record->tombstone = rows_read_tombstone(packer->catalogue, CATALOGUE_ALL_TOMBSTONES);
	return true;
}

/* A skeleton's leaves; *leaves is an array of RECORD_LEAVES_MAX. */
static bool add_leaves(
	struct packer *packer, struct record_item *item, int64_t *leaves, struct err *err)
{
	struct db *db = packer->catalogue;
	bool row = item->kind == ITEM_SKELETON;

	item->leaves = leaves;
	db_bind_int(db, CATALOGUE_PART_LIST, "skeleton", item->id);
	while (row) {
		if (!db_step(db, CATALOGUE_PART_LIST, &row, err))
			return false;
		if (row && item->leaves_count == RECORD_LEAVES_MAX) {
			db_reset(db, CATALOGUE_PART_LIST);
			return err_set(err, ERR_CORRUPT, "%s: too many leaves", db_path(db));
		}
		if (row)
			leaves[item->leaves_count++] = db_int(db, CATALOGUE_PART_LIST, ITEM_ROW_ID);
	}
	return true;
}

static bool put_rows(struct packer *packer, size_t query, make_record *make, struct err *err)
{
	CLEANUP(freep) int64_t *leaves = xcalloc(RECORD_LEAVES_MAX, sizeof(*leaves));
	struct db *db = packer->catalogue;
	bool row = true;
	bool ok = true;

	while (ok && row) {
		struct record record = {0};

		ok = db_step(db, query, &row, err);
		if (!ok || !row)
			break;
		ok = make(packer, &record) ||
		     err_set(err, ERR_CORRUPT, "%s: a damaged row", db_path(db));
		if (ok && record.kind == RECORD_ITEM_ROW)
			ok = add_leaves(packer, &record.item_row.item, leaves, err);
		ok = ok && put(packer, &record, err);
	}
	if (row)
		db_reset(db, query);
	return ok;
}

static bool put_tables(struct packer *packer, struct err *err)
{
	static const struct {
		size_t query;
		make_record *make;
	} tables[] = {
		{CATALOGUE_VOLUME_LIST, make_volume},
		{CATALOGUE_ITEMS_LEAVES_FIRST, make_item},
		{CATALOGUE_ALL_MESSAGES, make_message},
		{CATALOGUE_ALL_FOLDERS, make_folder},
		{CATALOGUE_ALL_SNAPSHOTS, make_snapshot},
		{CATALOGUE_ALL_PLACEMENTS, make_placement},
		{CATALOGUE_ALL_MARKS, make_mark},
		{CATALOGUE_ALL_TOMBSTONES, make_tombstone},
	};
	struct catalogue_state state;
	struct record pruned = {.kind = RECORD_PRUNED};

	if (!catalogue_state(packer->catalogue, &state, err))
		return false;
	pruned.pruned_ms = state.pruned_ms;
	if (!put(packer, &pruned, err))
		return false;
	for (size_t i = 0; i < ARRAY_LEN(tables); i++)
		if (!put_rows(packer, tables[i].query, tables[i].make, err))
			return false;
	return true;
}

/*
 * The volume is made durable before the catalogue. Stopped before the first commit, neither has the
 * checkpoint, and its frames are an interrupted writer's. Stopped between the two, replay finds the
 * final payload in the volume and applies it.
 */
bool journal_checkpoint_write(struct packer *packer, struct err *err)
{
	int64_t frame;

	assert(!packer->dirty && packer->last.generation > 0 && packer->pack->raw.len == 0);
	assert(db_in_transaction(packer->catalogue));
	begin_payload(packer);
	if (!put_tables(packer, err))
		return false;
	journal_set_final(&packer->journal);
	if (!packer_write_payload(packer, FRAME_CHECKPOINT, &frame, err) ||
		!db_commit(packer->volume.db, err))
		return false;
	assert(!db_in_transaction(packer->volume.db)); /* invariant 1: the bytes are durable */
	packer->committed_frame = frame;
	return catalogue_set_journal_checkpoint(
		       packer->catalogue, packer->volume.id.sequence, frame, &packer->state, err) &&
	       db_commit(packer->catalogue, err);
}
