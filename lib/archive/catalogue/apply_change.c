/* Whether a record changes anything. */
#include <assert.h>
#include <inttypes.h>

#include "archive/catalogue/apply.h"
#include "archive/catalogue/catalogue.h"

static bool no_folder(int64_t id, struct err *err)
{
	return err_set(err, ERR_NOT_FOUND, "no folder %" PRId64, id);
}

static bool same_folder(struct db *db, const struct record_folder *folder)
{
	struct record_folder_row row = rows_read_folder(db, CATALOGUE_FOLDER_PRESENT);
	const struct record_folder *there = &row.folder;

	return text_equal(folder->path, there->path.data) &&
	       text_equal(folder->wire_name, there->wire_name.data) &&
	       folder->delimiter == there->delimiter &&
	       text_equal(folder->attributes, there->attributes.data) &&
	       folder->has_special_use == there->has_special_use &&
	       text_equal(folder->special_use, there->special_use.data) &&
	       folder->subscribed == there->subscribed && folder->selectable == there->selectable;
}

static bool folder_row(struct db *db, int64_t id, bool *ret_row, struct err *err)
{
	db_bind_int(db, CATALOGUE_FOLDER_PRESENT, "id", id);
	return db_step(db, CATALOGUE_FOLDER_PRESENT, ret_row, err);
}

static bool folder_changes(
	struct db *db, const struct record_folder *folder, bool *ret_change, struct err *err)
{
	bool row;

	if (!folder_row(db, folder->id, &row, err))
		return false;
	*ret_change = !row || !same_folder(db, folder);
	db_reset(db, CATALOGUE_FOLDER_PRESENT);
	return true;
}

static bool folder_gone_changes(struct db *db, int64_t id, bool *ret_change, struct err *err)
{
	if (!folder_row(db, id, ret_change, err))
		return false;
	db_reset(db, CATALOGUE_FOLDER_PRESENT);
	return true;
}

static bool uidvalidity_changes(
	struct db *db, int64_t id, uint32_t uidvalidity, bool *ret_change, struct err *err)
{
	bool row;

	if (!folder_row(db, id, &row, err))
		return false;
	if (!row)
		return no_folder(id, err);
	*ret_change = db_int(db, CATALOGUE_FOLDER_PRESENT, FOLDER_ROW_UIDVALIDITY) != uidvalidity;
	db_reset(db, CATALOGUE_FOLDER_PRESENT);
	return true;
}

static bool placement_row(struct db *db, int64_t folder, uint32_t uidvalidity, uint32_t uid,
	bool *ret_row, struct err *err)
{
	rows_bind_place(db, CATALOGUE_PLACEMENT_PRESENT, folder, uidvalidity, uid);
	return db_step(db, CATALOGUE_PLACEMENT_PRESENT, ret_row, err);
}

static bool placement_changes(
	struct db *db, const struct record_placement *placement, bool *ret_change, struct err *err)
{
	bool row;

	if (!folder_row(db, placement->folder, &row, err))
		return false;
	if (!row)
		return no_folder(placement->folder, err);
	db_reset(db, CATALOGUE_FOLDER_PRESENT);
	if (!placement_row(
		    db, placement->folder, placement->uidvalidity, placement->uid, &row, err))
		return false;
	*ret_change = !row;
	db_reset(db, CATALOGUE_PLACEMENT_PRESENT);
	return true;
}

static bool flags_change(
	struct db *db, const struct record_flags *flags, bool *ret_change, struct err *err)
{
	bool row;

	if (!placement_row(db, flags->folder, flags->uidvalidity, flags->uid, &row, err))
		return false;
	*ret_change = row && !text_equal(flags->flags, db_text(db, CATALOGUE_PLACEMENT_PRESENT, 0));
	db_reset(db, CATALOGUE_PLACEMENT_PRESENT);
	return true;
}

bool apply_range_any(struct db *catalogue, int64_t folder, uint32_t uidvalidity, struct range range,
	bool *ret_any, struct err *err)
{
	rows_bind_range(catalogue, CATALOGUE_RANGE_ANY, folder, uidvalidity, range);
	if (!db_step(catalogue, CATALOGUE_RANGE_ANY, ret_any, err))
		return false;
	db_reset(catalogue, CATALOGUE_RANGE_ANY);
	return true;
}

static bool any_gone(
	struct db *db, const struct record_gone *gone, bool *ret_change, struct err *err)
{
	struct record_gone walk = *gone;
	struct range range;

	*ret_change = false;
	while (!*ret_change && record_next_range(&walk, &range))
		if (!apply_range_any(db, gone->folder, gone->uidvalidity, range, ret_change, err))
			return false;
	return true;
}

static bool mark_changes(
	struct db *db, const struct record_mark *mark, bool *ret_change, struct err *err)
{
	enum { ROW = CATALOGUE_MARK_GET };
	struct record_mark there;
	bool row;

	if (!folder_row(db, mark->folder, &row, err))
		return false;
	if (!row)
		return no_folder(mark->folder, err);
	db_reset(db, CATALOGUE_FOLDER_PRESENT);
	db_bind_int(db, ROW, "folder", mark->folder);
	if (!db_step(db, ROW, &row, err))
		return false;
	*ret_change = true;
	if (!row)
		return true;
	there = rows_read_mark(db, ROW);
	*ret_change = there.uidvalidity != mark->uidvalidity || there.uidnext != mark->uidnext ||
		      there.highestmodseq != mark->highestmodseq ||
		      there.messages != mark->messages ||
		      there.flags_compared_ms != mark->flags_compared_ms;
	db_reset(db, ROW);
	return true;
}

static bool pin_changes(
	struct db *db, int64_t generation, bool pinned, bool *ret_change, struct err *err)
{
	enum { ROW = CATALOGUE_SNAPSHOT_GET };
	bool row;

	db_bind_int(db, ROW, "generation", generation);
	if (!db_step(db, ROW, &row, err))
		return false;
	if (!row)
		return err_set(err, ERR_NOT_FOUND, "no snapshot %" PRId64, generation);
	*ret_change = (db_int(db, ROW, SNAPSHOT_ROW_PINNED) != 0) != pinned;
	db_reset(db, ROW);
	return true;
}

bool apply_is_change(
	struct db *catalogue, const struct record *record, bool *ret_change, struct err *err)
{
	switch (record->kind) {
	case RECORD_FOLDER:
		return folder_changes(catalogue, &record->folder, ret_change, err);
	case RECORD_FOLDER_GONE:
		return folder_gone_changes(catalogue, record->folder_gone, ret_change, err);
	case RECORD_UIDVALIDITY:
		return uidvalidity_changes(catalogue, record->uidvalidity.folder,
			record->uidvalidity.uidvalidity, ret_change, err);
	case RECORD_PLACEMENT:
		return placement_changes(catalogue, &record->placement, ret_change, err);
	case RECORD_FLAGS:
		return flags_change(catalogue, &record->flags, ret_change, err);
	case RECORD_GONE:
		return any_gone(catalogue, &record->gone, ret_change, err);
	case RECORD_MARK:
		return mark_changes(catalogue, &record->mark, ret_change, err);
	case RECORD_PIN:
	case RECORD_UNPIN:
		return pin_changes(
			catalogue, record->pin, record->kind == RECORD_PIN, ret_change, err);
	default:
		break;
	}
	*ret_change = true;
	return true;
}
