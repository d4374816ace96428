#include "archive/catalogue/apply.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "archive/catalogue/catalogue.h"
#include "archive/format/packed_date.h"

bool apply_begin(struct apply *apply, struct db *catalogue, int64_t volume, int64_t generation,
	struct err *err)
{
	struct archive_snapshot last;
	uint64_t bytes;

	/* the caller's: a generation counts with all its records or not at all */
	assert(db_in_transaction(catalogue));
	if (!catalogue_last_snapshot(catalogue, &last, &bytes, err))
		return false;
	if (generation != last.generation + 1)
		return err_set(err, ERR_CORRUPT, "journal: generation %" PRId64 " follows %" PRId64,
			generation, last.generation);
	*apply = (struct apply){
		.catalogue = catalogue,
		.volume = volume,
		.generation = generation,
		.messages = last.messages,
		.bytes = bytes,
	};
	return true;
}

static bool corrupt(const struct apply *apply, const char *what, int64_t id, struct err *err)
{
	return err_set(err, ERR_CORRUPT,
		"journal: generation %" PRId64 ": %s %" PRId64 ", which does not exist",
		apply->generation, what, id);
}

/* Step a query that gives at most one row and read its first `count` columns, all numbers. */
static bool one_row(
	struct db *db, size_t query, int64_t *numbers, int count, bool *ret_row, struct err *err)
{
	if (!db_step(db, query, ret_row, err))
		return false;
	if (!*ret_row)
		return true;
	for (int i = 0; i < count; i++)
		numbers[i] = db_int(db, query, i);
	db_reset(db, query);
	return true;
}

/* --- items and messages --- */

static bool find_item(
	struct apply *apply, int64_t id, bool *ret_found, int64_t *ret_kind, struct err *err)
{
	enum { ROW = CATALOGUE_ITEM_GET };
	struct db *db = apply->catalogue;

	*ret_found = apply->item.id == id;
	*ret_kind = *ret_found ? apply->item.value : 0;
	if (*ret_found)
		return true;
	db_bind_int(db, ROW, "id", id);
	if (!db_step(db, ROW, ret_found, err))
		return false;
	if (*ret_found) {
		*ret_kind = db_int(db, ROW, ITEM_ROW_KIND);
		db_reset(db, ROW);
	}
	return true;
}

static bool apply_leaf(
	struct apply *apply, int64_t skeleton, int64_t number, int64_t leaf, struct err *err)
{
	struct db *db = apply->catalogue;
	int64_t kind;
	bool found;

	if (!find_item(apply, leaf, &found, &kind, err))
		return false;
	if (!found || kind != ITEM_LEAF)
		return corrupt(apply, "a skeleton of leaf", leaf, err);
	db_bind_int(db, CATALOGUE_PART_PUT, "skeleton", skeleton);
	db_bind_int(db, CATALOGUE_PART_PUT, "number", number);
	db_bind_int(db, CATALOGUE_PART_PUT, "leaf", leaf);
	return db_run(db, CATALOGUE_PART_PUT, err);
}

static bool apply_leaves(struct apply *apply, const struct record_item *item, struct err *err)
{
	struct record_item walk = *item;
	int64_t number = 0;
	int64_t leaf;

	while (record_next_leaf(&walk, &leaf))
		if (!apply_leaf(apply, item->id, number++, leaf, err))
			return false;
	return true;
}

static bool apply_item(struct apply *apply, const struct record_item *item, struct err *err)
{
	struct db *db = apply->catalogue;
	const struct directory_entry *place =
		apply->directory ? directory_find(apply->directory, item->id) : NULL;
	struct item_row row;

	if (apply->directory && !place)
		return corrupt(apply, "its directory lacks item", item->id, err);
	row = (struct item_row){
		.id = item->id,
		.kind = item->kind,
		.volume = apply->volume,
		.frame = place ? place->frame : item->frame,
		.offset = place ? place->offset : item->offset,
		.size = item->size,
	};
	rows_bind_item(db, CATALOGUE_ITEM_PUT, &row, item->has_sha256 ? item->sha256 : NULL);
	if (!db_run(db, CATALOGUE_ITEM_PUT, err) || !apply_leaves(apply, item, err))
		return false;
	apply->item = (struct apply_row){item->id, item->kind};
	return true;
}

static bool apply_message(
	struct apply *apply, const struct record_message *message, struct err *err)
{
	struct db *db = apply->catalogue;
	int64_t kind;
	bool found;

	if (!find_item(apply, message->item, &found, &kind, err))
		return false;
	if (!found)
		return corrupt(apply, "a message of item", message->item, err);
	rows_bind_message(db, CATALOGUE_MESSAGE_PUT, message);
	if (!db_run(db, CATALOGUE_MESSAGE_PUT, err))
		return false;
	apply->message = (struct apply_row){message->id, (int64_t)message->size};
	return true;
}

/* --- folders --- */

static bool folder_step(struct apply *apply, size_t query, int64_t id, struct err *err)
{
	apply->folder = 0;
	db_bind_int(apply->catalogue, query, "id", id);
	db_bind_int(apply->catalogue, query, "generation", apply->generation);
	return db_run(apply->catalogue, query, err);
}

static bool apply_folder(struct apply *apply, const struct record_folder *folder, struct err *err)
{
	if (!folder_step(apply, CATALOGUE_FOLDER_CLOSE_OLDER, folder->id, err))
		return false;
	rows_bind_folder(apply->catalogue, CATALOGUE_FOLDER_PUT, folder);
	return folder_step(apply, CATALOGUE_FOLDER_PUT, folder->id, err);
}

static bool need_folder(struct apply *apply, int64_t id, struct err *err)
{
	bool exists;

	if (apply->folder == id)
		return true;
	db_bind_int(apply->catalogue, CATALOGUE_FOLDER_PRESENT, "id", id);
	if (!one_row(apply->catalogue, CATALOGUE_FOLDER_PRESENT, NULL, 0, &exists, err))
		return false;
	if (!exists)
		return corrupt(apply, "a change of folder", id, err);
	apply->folder = id;
	return true;
}

/* Close the folder's present placements under any other UIDVALIDITY, and its mark; -1: under any.
 */
static bool close_others(struct apply *apply, int64_t folder, int64_t uidvalidity, struct err *err)
{
	struct db *db = apply->catalogue;
	int64_t totals[2] = {0};
	bool row;

	db_bind_int(db, CATALOGUE_OTHERS_TOTALS, "folder", folder);
	db_bind_int(db, CATALOGUE_OTHERS_TOTALS, "uidvalidity", uidvalidity);
	if (!one_row(db, CATALOGUE_OTHERS_TOTALS, totals, 2, &row, err))
		return false;
	apply->removed += (uint64_t)totals[0];
	apply->messages -= (uint64_t)totals[0];
	apply->bytes -= (uint64_t)totals[1];
	db_bind_int(db, CATALOGUE_OTHERS_CLOSE, "folder", folder);
	db_bind_int(db, CATALOGUE_OTHERS_CLOSE, "uidvalidity", uidvalidity);
	db_bind_int(db, CATALOGUE_OTHERS_CLOSE, "generation", apply->generation);
	if (!db_run(db, CATALOGUE_OTHERS_CLOSE, err))
		return false;
	db_bind_int(db, CATALOGUE_MARK_REMOVE, "folder", folder);
	db_bind_int(db, CATALOGUE_MARK_REMOVE, "uidvalidity", uidvalidity);
	return db_run(db, CATALOGUE_MARK_REMOVE, err);
}

static bool apply_folder_gone(struct apply *apply, int64_t id, struct err *err)
{
	return need_folder(apply, id, err) && close_others(apply, id, -1, err) &&
	       folder_step(apply, CATALOGUE_FOLDER_CLOSE, id, err);
}

/* Closes placements first: their UIDs mean nothing under the new UIDVALIDITY (RFC 9051, 2.3.1.1).
 */
static bool apply_uidvalidity(
	struct apply *apply, int64_t folder, uint32_t uidvalidity, struct err *err)
{
	if (!need_folder(apply, folder, err) || !close_others(apply, folder, uidvalidity, err))
		return false;
	db_bind_int(apply->catalogue, CATALOGUE_FOLDER_PUT_UIDVALIDITY, "uidvalidity", uidvalidity);
	return folder_step(apply, CATALOGUE_FOLDER_PUT_UIDVALIDITY, folder, err) &&
	       folder_step(apply, CATALOGUE_FOLDER_CLOSE_OLDER, folder, err);
}

/* --- placements --- */

bool apply_flag_set(struct db *db, struct text flags, int64_t *ret_id, struct err *err)
{
	bool row;

	db_bind_text_len(db, CATALOGUE_FLAG_SET_FIND, "flags", flags.data, flags.len);
	if (!one_row(db, CATALOGUE_FLAG_SET_FIND, ret_id, 1, &row, err) || row)
		return row;
	db_bind_text_len(db, CATALOGUE_FLAG_SET_PUT, "flags", flags.data, flags.len);
	if (!db_run(db, CATALOGUE_FLAG_SET_PUT, err))
		return false;
	*ret_id = db_last_row_id(db);
	return true;
}

static bool find_flag_set(struct apply *apply, struct text flags, int64_t *ret_id, struct err *err)
{
	if (apply->flag_set != 0 && text_equal(flags, apply->flags)) {
		*ret_id = apply->flag_set;
		return true;
	}
	if (!apply_flag_set(apply->catalogue, flags, ret_id, err))
		return false;
	if (flags.len < sizeof(apply->flags)) {
		apply->flag_set = *ret_id;
		*(char *)mempcpy(apply->flags, flags.data, flags.len) = '\0';
	}
	return true;
}

static bool message_size(struct apply *apply, int64_t id, int64_t *ret_size, struct err *err)
{
	enum { ROW = CATALOGUE_MESSAGE_GET };
	struct db *db = apply->catalogue;
	bool row;

	if (apply->message.id == id) {
		*ret_size = apply->message.value;
		return true;
	}
	db_bind_int(db, ROW, "id", id);
	if (!db_step(db, ROW, &row, err))
		return false;
	if (!row)
		return corrupt(apply, "a placement of message", id, err);
	*ret_size = db_int(db, ROW, MESSAGE_ROW_SIZE);
	db_reset(db, ROW);
	return true;
}

static bool apply_placement(
	struct apply *apply, const struct record_placement *placement, struct err *err)
{
	struct db *db = apply->catalogue;
	enum { PUT = CATALOGUE_PLACEMENT_PUT };
	int64_t flag_set = 0;
	int64_t size = 0;

	if (!need_folder(apply, placement->folder, err) ||
		!message_size(apply, placement->message, &size, err) ||
		!find_flag_set(apply, placement->flags, &flag_set, err))
		return false;
	rows_bind_placement(db, PUT, placement, flag_set);
	db_bind_int(db, PUT, "generation", apply->generation);
	if (!db_run(db, PUT, err))
		return false;
	apply->added++;
	apply->messages++;
	apply->bytes += (uint64_t)size;
	return true;
}

static bool apply_flags(struct apply *apply, const struct record_flags *flags, struct err *err)
{
	struct db *db = apply->catalogue;
	enum { PUT = CATALOGUE_PLACEMENT_PUT_FLAGS, CLOSE = CATALOGUE_PLACEMENT_CLOSE_OLDER };
	int64_t flag_set = 0;

	if (!find_flag_set(apply, flags->flags, &flag_set, err))
		return false;
	rows_bind_place(db, PUT, flags->folder, flags->uidvalidity, flags->uid);
	db_bind_int(db, PUT, "generation", apply->generation);
	db_bind_int(db, PUT, "flag_set", flag_set);
	if (!db_run(db, PUT, err))
		return false;
	if (db_changes(db) == 0)
		return corrupt(apply, "flags of uid", flags->uid, err);
	rows_bind_place(db, CLOSE, flags->folder, flags->uidvalidity, flags->uid);
	db_bind_int(db, CLOSE, "generation", apply->generation);
	if (!db_run(db, CLOSE, err))
		return false;
	apply->changed += (uint64_t)db_changes(db);
	return true;
}

/* The server says that messages are gone: their placements end, and their rows and bytes stay
 * (invariant 3). A tombstone has nothing to keep, so it is removed. */
static bool close_uids(
	struct apply *apply, const struct record_gone *gone, struct range range, struct err *err)
{
	struct db *db = apply->catalogue;
	int64_t totals[2] = {0};
	bool row;

	rows_bind_range(db, CATALOGUE_RANGE_TOTALS, gone->folder, gone->uidvalidity, range);
	if (!one_row(db, CATALOGUE_RANGE_TOTALS, totals, 2, &row, err))
		return false;
	apply->removed += (uint64_t)totals[0];
	apply->messages -= (uint64_t)totals[0];
	apply->bytes -= (uint64_t)totals[1];
	rows_bind_range(db, CATALOGUE_RANGE_CLOSE, gone->folder, gone->uidvalidity, range);
	db_bind_int(db, CATALOGUE_RANGE_CLOSE, "generation", apply->generation);
	rows_bind_range(db, CATALOGUE_RANGE_BURY, gone->folder, gone->uidvalidity, range);
	return db_run(db, CATALOGUE_RANGE_CLOSE, err) && db_run(db, CATALOGUE_RANGE_BURY, err);
}

static bool apply_gone(struct apply *apply, const struct record_gone *gone, struct err *err)
{
	struct record_gone walk = *gone;
	struct range range;

	while (record_next_range(&walk, &range))
		if (!close_uids(apply, gone, range, err))
			return false;
	return true;
}

/* --- marks and snapshots --- */

static bool apply_mark(struct apply *apply, const struct record_mark *mark, struct err *err)
{
	struct db *db = apply->catalogue;
	enum { PUT = CATALOGUE_MARK_PUT };

	if (!need_folder(apply, mark->folder, err))
		return false;
	rows_bind_mark(db, PUT, mark);
	return db_run(db, PUT, err);
}

static bool apply_pin(struct apply *apply, int64_t generation, bool pinned, struct err *err)
{
	struct db *db = apply->catalogue;

	db_bind_int(db, CATALOGUE_SNAPSHOT_PIN, "generation", generation);
	db_bind_int(db, CATALOGUE_SNAPSHOT_PIN, "pinned", pinned);
	if (!db_run(db, CATALOGUE_SNAPSHOT_PIN, err))
		return false;
	return db_changes(db) == 1 || corrupt(apply, "a pin of snapshot", generation, err);
}

static bool apply_snapshot(
	struct apply *apply, const struct record_snapshot *snapshot, struct err *err)
{
	const struct record_snapshot_row row = {
		.generation = apply->generation,
		.unix_ms = snapshot->unix_ms,
		.complete = snapshot->complete,
		.messages = apply->messages,
		.bytes = apply->bytes,
		.added = apply->added,
		.removed = apply->removed,
		.changed = apply->changed,
	};

	if (snapshot->generation != apply->generation)
		return corrupt(apply, "a snapshot of generation", snapshot->generation, err);
	rows_bind_snapshot(apply->catalogue, CATALOGUE_SNAPSHOT_PUT, &row);
	apply->ended = true;
	return db_run(apply->catalogue, CATALOGUE_SNAPSHOT_PUT, err);
}

bool apply_record(struct apply *apply, const struct record *record, struct err *err)
{
	assert(db_in_transaction(apply->catalogue)); /* since apply_begin() */
	if (apply->ended)
		return err_set(err, ERR_CORRUPT,
			"journal: generation %" PRId64 ": a record after the last",
			apply->generation);
	switch (record->kind) {
	case RECORD_ITEM:
		return apply_item(apply, &record->item, err);
	case RECORD_MESSAGE:
		return apply_message(apply, &record->message, err);
	case RECORD_FOLDER:
		return apply_folder(apply, &record->folder, err);
	case RECORD_FOLDER_GONE:
		return apply_folder_gone(apply, record->folder_gone, err);
	case RECORD_UIDVALIDITY:
		return apply_uidvalidity(
			apply, record->uidvalidity.folder, record->uidvalidity.uidvalidity, err);
	case RECORD_PLACEMENT:
		return apply_placement(apply, &record->placement, err);
	case RECORD_FLAGS:
		return apply_flags(apply, &record->flags, err);
	case RECORD_GONE:
		return apply_gone(apply, &record->gone, err);
	case RECORD_MARK:
		return apply_mark(apply, &record->mark, err);
	case RECORD_SNAPSHOT:
		return apply_snapshot(apply, &record->snapshot, err);
	case RECORD_PIN:
	case RECORD_UNPIN:
		return apply_pin(apply, record->pin, record->kind == RECORD_PIN, err);
	default:
		return err_set(err, ERR_CORRUPT, "journal: a row of a journal checkpoint");
	}
}
