/* A checkpoint written: the catalogue's tables, row by row. */
#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "archive/catalogue/checkpoint.h"
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

static bool copy_blob(struct db *db, size_t query, int column, void *out, size_t len)
{
	size_t got;
	const void *data = db_blob(db, query, column, &got);

	if (got == len)
		memcpy(out, data, len);
	return got == len;
}

static struct text column_text(struct db *db, size_t query, int column)
{
	return text_of(db_text(db, query, column));
}

/* Each makes a record of the row its query stands on; false: it cannot be one. */
typedef bool make_record(struct packer *packer, struct record *record);

static bool make_volume(struct packer *packer, struct record *record)
{
	enum { ROW = CATALOGUE_ALL_VOLUMES };
	struct db *db = packer->catalogue;

	record->kind = RECORD_VOLUME;
	record->volume.sequence = db_int(db, ROW, 0);
	record->volume.doomed = db_int(db, ROW, 2) == VOLUME_DOOMED;
	return copy_blob(db, ROW, 1, record->volume.uuid, ARCHIVE_UUID_BYTES);
}

static bool make_item(struct packer *packer, struct record *record)
{
	enum { ROW = CATALOGUE_ITEMS_LEAVES_FIRST };
	struct db *db = packer->catalogue;
	struct record_item *item = &record->item_row.item;

	record->kind = RECORD_ITEM_ROW;
	record->item_row.volume = db_int(db, ROW, 2);
	item->id = db_int(db, ROW, 0);
	item->kind = (int)db_int(db, ROW, 1);
	item->frame = db_int(db, ROW, 3);
	item->offset = (uint64_t)db_int(db, ROW, 4);
	item->size = (uint64_t)db_int(db, ROW, 5);
	item->has_sha256 = !db_is_null(db, ROW, 6);
	return !item->has_sha256 || copy_blob(db, ROW, 6, item->sha256, SHA256_BYTES);
}

static bool make_message(struct packer *packer, struct record *record)
{
	enum { ROW = CATALOGUE_ALL_MESSAGES };
	struct db *db = packer->catalogue;
	struct record_message *message = &record->message;

	record->kind = RECORD_MESSAGE;
	message->id = db_int(db, ROW, 0);
	message->size = (uint64_t)db_int(db, ROW, 2);
	message->header_size = (uint64_t)db_int(db, ROW, 3);
	message->item = db_int(db, ROW, 4);
	message->from = column_text(db, ROW, 5);
	message->subject = column_text(db, ROW, 6);
	message->date = text_of(packed_date_column(db, ROW, 7, packer->date));
	message->message_id = column_text(db, ROW, 8);
	return copy_blob(db, ROW, 1, message->sha256, SHA256_BYTES);
}

static bool make_folder(struct packer *packer, struct record *record)
{
	enum { ROW = CATALOGUE_ALL_FOLDERS };
	struct db *db = packer->catalogue;

	record->kind = RECORD_FOLDER_ROW;
	record->folder_row = (struct record_folder_row){
		.span = {.from = db_int(db, ROW, 1), .to = db_int(db, ROW, 2)},
		.uidvalidity = (uint32_t)db_int(db, ROW, 10),
		.folder =
			{
				.id = db_int(db, ROW, 0),
				.path = column_text(db, ROW, 3),
				.wire_name = column_text(db, ROW, 4),
				.delimiter = (uint8_t)db_int(db, ROW, 5),
				.attributes = column_text(db, ROW, 6),
				.has_special_use = !db_is_null(db, ROW, 7),
				.special_use = column_text(db, ROW, 7),
				.subscribed = db_int(db, ROW, 8) != 0,
				.selectable = db_int(db, ROW, 9) != 0,
			},
	};
	return true;
}

static bool make_snapshot(struct packer *packer, struct record *record)
{
	enum { ROW = CATALOGUE_ALL_SNAPSHOTS };
	struct db *db = packer->catalogue;

	record->kind = RECORD_SNAPSHOT_ROW;
	record->snapshot_row = (struct record_snapshot_row){
		.generation = db_int(db, ROW, 0),
		.unix_ms = db_int(db, ROW, 1),
		.complete = db_int(db, ROW, 2) != 0,
		.pinned = db_int(db, ROW, 3) != 0,
		.messages = (uint64_t)db_int(db, ROW, 4),
		.bytes = (uint64_t)db_int(db, ROW, 5),
		.added = (uint64_t)db_int(db, ROW, 6),
		.removed = (uint64_t)db_int(db, ROW, 7),
		.changed = (uint64_t)db_int(db, ROW, 8),
		.pruned = db_int(db, ROW, 9) != 0,
	};
	return true;
}

static bool make_placement(struct packer *packer, struct record *record)
{
	enum { ROW = CATALOGUE_ALL_PLACEMENTS };
	struct db *db = packer->catalogue;

	record->kind = RECORD_PLACEMENT_ROW;
	record->placement_row = (struct record_placement_row){
		.span = {.from = db_int(db, ROW, 3), .to = db_int(db, ROW, 4)},
		.gone = db_int(db, ROW, 5) != 0,
		.added = db_int(db, ROW, 6),
		.placement =
			{
				.folder = db_int(db, ROW, 0),
				.uidvalidity = (uint32_t)db_int(db, ROW, 1),
				.uid = (uint32_t)db_int(db, ROW, 2),
				.message = db_int(db, ROW, 7),
				.known = (int)db_int(db, ROW, 8),
				.has_date = !db_is_null(db, ROW, 9),
				.date_s = db_int(db, ROW, 9),
				.date_offset_min = (int16_t)db_int(db, ROW, 10),
				.has_date_text = !db_is_null(db, ROW, 11),
				.date_text = column_text(db, ROW, 11),
				.flags = column_text(db, ROW, 12),
			},
	};
	return true;
}

static bool make_mark(struct packer *packer, struct record *record)
{
	enum { ROW = CATALOGUE_ALL_MARKS };
	struct db *db = packer->catalogue;

	record->kind = RECORD_MARK;
	record->mark = (struct record_mark){
		.folder = db_int(db, ROW, 0),
		.uidvalidity = (uint32_t)db_int(db, ROW, 1),
		.uidnext = (uint32_t)db_int(db, ROW, 2),
		.highestmodseq = (uint64_t)db_int(db, ROW, 3),
		.messages = (uint32_t)db_int(db, ROW, 4),
		.flags_compared_ms = db_int(db, ROW, 5),
	};
	return true;
}

static bool make_tombstone(struct packer *packer, struct record *record)
{
	enum { ROW = CATALOGUE_ALL_TOMBSTONES };
	struct db *db = packer->catalogue;

	record->kind = RECORD_TOMBSTONE;
	record->tombstone = (struct record_tombstone){
		.folder = db_int(db, ROW, 0),
		.uidvalidity = (uint32_t)db_int(db, ROW, 1),
		.uid = (uint32_t)db_int(db, ROW, 2),
	};
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
			leaves[item->leaves_count++] = db_int(db, CATALOGUE_PART_LIST, 0);
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
		{CATALOGUE_ALL_VOLUMES, make_volume},
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

bool checkpoint_write(struct packer *packer, struct err *err)
{
	int64_t frame;

	assert(!packer->dirty && packer->last.generation > 0);
	begin_payload(packer);
	if (!put_tables(packer, err))
		return false;
	journal_set_final(&packer->journal);
	return packer_write_payload(packer, FRAME_CHECKPOINT, &frame, err) &&
	       db_commit(packer->volume.db, err) &&
	       catalogue_stand_on_checkpoint(
		       packer->catalogue, packer->volume.id.sequence, frame, &packer->state, err) &&
	       db_commit(packer->catalogue, err);
}
