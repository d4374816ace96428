/* Folders and placements at a generation. */
#include <string.h>

#include "archive/format/packed_date.h"
#include "archive/read/reader.h"
#include "base/alloc.h"
#include "base/str.h"

/* --- folders --- */

enum { FOLDERS = CATALOGUE_FOLDERS_AT, TOTALS = CATALOGUE_FOLDER_TOTALS_AT };

static struct archive_folder public_folder(const struct record_folder_row *row)
{
	const struct record_folder *folder = &row->folder;

	return (struct archive_folder){
		.id = folder->id,
		.path = folder->path.data,
		.wire_name = folder->wire_name.data,
		.delimiter = (char)folder->delimiter,
		.attributes = folder->attributes.data,
		.special_use = folder->has_special_use ? folder->special_use.data : NULL,
		.subscribed = folder->subscribed,
		.selectable = folder->selectable,
		.uidvalidity = row->uidvalidity,
	};
}

static bool count_folder(
	struct db *db, int64_t generation, struct archive_folder *folder, struct err *err)
{
	bool row;

	db_bind_int(db, TOTALS, "folder", folder->id);
	db_bind_int(db, TOTALS, "generation", generation);
	if (!db_step(db, TOTALS, &row, err))
		return false;
	folder->messages = (uint64_t)db_int(db, TOTALS, 0);
	folder->bytes = (uint64_t)db_int(db, TOTALS, 1);
	db_reset(db, TOTALS);
	return true;
}

/* The next folder that was ever there up to the generation, and whether it was there then. */
static bool next_folder(struct db *db, int64_t generation, bool *ret_row,
	struct record_folder_row *ret_folder, bool *ret_present, struct err *err)
{
	*ret_present = false;
	if (!db_step(db, FOLDERS, ret_row, err))
		return false;
	if (!*ret_row)
		return true;
	*ret_folder = rows_read_folder(db, FOLDERS);
	*ret_present = ret_folder->span.to == 0 || ret_folder->span.to > generation;
	return true;
}

static void bind_folders(struct db *db, int64_t id, int64_t generation)
{
	db_bind_int(db, FOLDERS, "id", id);
	db_bind_int(db, FOLDERS, "generation", generation);
}

static bool each_folder(struct archive *archive, int64_t generation, bool counted,
	bool (*each)(void *context, const struct archive_folder *folder, struct err *err),
	void *context, struct err *err)
{
	bool row = true;
	bool ok = true;

	if (!archive_enter(archive, err))
		return false;
	bind_folders(archive->catalogue, 0, generation);
	while (ok && row) {
		struct record_folder_row stored;
		struct archive_folder folder;
		bool present;

		ok = next_folder(archive->catalogue, generation, &row, &stored, &present, err);
		if (!ok || !present)
			continue;
		folder = public_folder(&stored);
		ok = (!counted || count_folder(archive->catalogue, generation, &folder, err)) &&
		     each(context, &folder, err);
	}
	db_reset(archive->catalogue, FOLDERS);
	archive_leave(archive);
	return ok;
}

bool archive_each_folder(struct archive *archive, int64_t generation,
	bool (*each)(void *context, const struct archive_folder *folder, struct err *err),
	void *context, struct err *err)
{
	return each_folder(archive, generation, false, each, context, err);
}

bool archive_each_folder_counted(struct archive *archive, int64_t generation,
	bool (*each)(void *context, const struct archive_folder *folder, struct err *err),
	void *context, struct err *err)
{
	return each_folder(archive, generation, true, each, context, err);
}

/* --- placements --- */

enum {
	ENTRIES = CATALOGUE_ENTRIES_AT,

	/* its columns: the placement's, its message's, and */
	ENTRY_MESSAGE = PLACEMENT_ROW_COLUMNS,
	ENTRY_ADDED_MS = ENTRY_MESSAGE + MESSAGE_ROW_COLUMNS,
	ENTRY_GONE_MS,
};

static struct archive_entry read_entry(
	struct db *db, const struct record_folder *folder, char date[MIME_DATE_TEXT_MAX])
{
	const struct record_placement placement = rows_read_placement(db, ENTRIES).placement;
	struct record_message message;
	struct archive_entry entry;

	(void)rows_read_message(db, ENTRIES, ENTRY_MESSAGE, date, &message);
	entry = (struct archive_entry){
		.folder_id = folder->id,
		.folder_path = folder->path.data,
		.uidvalidity = placement.uidvalidity,
		.uid = placement.uid,
		.message_id = message.id,
		.size = message.size,
		.has_date = placement.has_date,
		.date.unix_s = placement.date_s,
		.date.offset_min = placement.date_offset_min,
		.date_text = placement.has_date_text ? placement.date_text.data : NULL,
		.flags = placement.flags.data,
		.added_ms = db_int(db, ENTRIES, ENTRY_ADDED_MS),
		.gone_ms = db_int(db, ENTRIES, ENTRY_GONE_MS),
		.from = message.from.data,
		.subject = message.subject.data,
		.date_header = message.date.data,
		.header_message_id = message.message_id.data,
	};
	memcpy(entry.sha256, message.sha256, SHA256_BYTES);
	return entry;
}

struct sink {
	bool (*each)(void *context, const struct archive_entry *entry, struct err *err);
	void *context;
};

static bool folder_entries(struct db *db, const struct record_folder *folder,
	const struct archive_list *list, struct sink sink, struct err *err)
{
	bool row = true;
	bool ok = true;

	db_bind_int(db, ENTRIES, "folder", folder->id);
	db_bind_int(db, ENTRIES, "generation", list->generation);
	db_bind_int(db, ENTRIES, "present", !list->only_deleted);
	db_bind_int(db, ENTRIES, "deleted", list->deleted || list->only_deleted);
	while (ok) {
		char date[MIME_DATE_TEXT_MAX];
		struct archive_entry entry;

		ok = db_step(db, ENTRIES, &row, err);
		if (!ok || !row)
			break;
		entry = read_entry(db, folder, date);
		ok = sink.each(sink.context, &entry, err);
	}
	db_reset(db, ENTRIES);
	return ok;
}

bool archive_each_entry(struct archive *archive, const struct archive_list *list,
	bool (*each)(void *context, const struct archive_entry *entry, struct err *err),
	void *context, struct err *err)
{
	struct sink sink = {each, context};
	bool with_gone = list->deleted || list->only_deleted;
	bool row = true;
	bool ok = true;

	if (!archive_enter(archive, err))
		return false;
	bind_folders(archive->catalogue, list->folder_id, list->generation);
	while (ok && row) {
		struct record_folder_row stored;
		bool present;

		ok = next_folder(
			archive->catalogue, list->generation, &row, &stored, &present, err);
		if (ok && row && (present || with_gone))
			ok = folder_entries(archive->catalogue, &stored.folder, list, sink, err);
	}
	db_reset(archive->catalogue, FOLDERS);
	archive_leave(archive);
	return ok;
}

/* --- what a mirror pass needs --- */

/* Rows stepped over before seeking the next range instead. */
enum { UIDS = CATALOGUE_UIDS_AT, STEPS_MAX = 16 };

struct uid_walk {
	struct db *db;
	const struct rangeset *among;
	size_t at; /* its current range; those before are done */
	bool (*each)(void *context, uint32_t uid, const char *flags, struct err *err);
	void *context;
};

/* From the current range on, until many rows lie before the next one. */
static bool walk_uids(struct uid_walk *walk, struct err *err)
{
	const struct range *ranges = walk->among->items;
	size_t count = walk->among->count;
	bool row = true;
	bool ok = true;
	int steps = 0;

	db_bind_int(walk->db, UIDS, "first", ranges[walk->at].first);
	db_bind_int(walk->db, UIDS, "last", ranges[count - 1].last);
	while (ok && steps < STEPS_MAX) {
		uint32_t uid;

		ok = db_step(walk->db, UIDS, &row, err);
		if (!ok || !row)
			break;
		uid = (uint32_t)db_int(walk->db, UIDS, 0);
		while (walk->at + 1 < count && ranges[walk->at].last < uid)
			walk->at++;
		steps = uid < ranges[walk->at].first ? steps + 1 : 0;
		if (steps == 0)
			ok = walk->each(walk->context, uid, db_text(walk->db, UIDS, 1), err);
	}
	db_reset(walk->db, UIDS);
	if (!row)
		walk->at = count;
	return ok;
}

bool archive_each_uid(struct archive *archive, int64_t folder_id, uint32_t uidvalidity,
	const struct rangeset *among,
	bool (*each)(void *context, uint32_t uid, const char *flags, struct err *err),
	void *context, struct err *err)
{
	struct range every = {0, UINT32_MAX};
	const struct rangeset all = {.items = &every, .count = 1};
	struct uid_walk walk = {.among = among ? among : &all, .each = each, .context = context};
	bool ok = true;

	if (!archive_enter(archive, err))
		return false;
	walk.db = archive->catalogue;
	while (ok && walk.at < walk.among->count) {
		db_bind_int(walk.db, UIDS, "folder", folder_id);
		db_bind_int(walk.db, UIDS, "uidvalidity", uidvalidity);
		ok = walk_uids(&walk, err);
	}
	archive_leave(archive);
	return ok;
}

static bool add_uid(void *context, uint32_t uid, const char *flags, struct err *err)
{
	(void)flags;
	(void)err;
	rangeset_add(context, uid, uid);
	return true;
}

bool archive_add_uids(struct archive *archive, int64_t folder_id, uint32_t uidvalidity,
	const struct rangeset *among, struct rangeset *uids, struct err *err)
{
	return archive_each_uid(archive, folder_id, uidvalidity, among, add_uid, uids, err);
}

bool archive_add_forgotten(struct archive *archive, int64_t folder_id, uint32_t uidvalidity,
	struct rangeset *uids, struct err *err)
{
	enum { ROW = CATALOGUE_TOMBSTONE_LIST };
	bool row = true;
	bool ok = true;

	if (!archive_enter(archive, err))
		return false;
	db_bind_int(archive->catalogue, ROW, "folder", folder_id);
	db_bind_int(archive->catalogue, ROW, "uidvalidity", uidvalidity);
	while (ok && row) {
		ok = db_step(archive->catalogue, ROW, &row, err);
		if (ok && row) {
			uint32_t uid = (uint32_t)db_int(archive->catalogue, ROW, 0);

			rangeset_add(uids, uid, uid);
		}
	}
	archive_leave(archive);
	return ok;
}

bool archive_mark_of(struct archive *archive, int64_t folder_id, bool *ret_found,
	struct archive_mark *ret_mark, struct err *err)
{
	bool row;
	bool ok;

	if (!archive_enter(archive, err))
		return false;
	db_bind_int(archive->catalogue, CATALOGUE_MARK_GET, "folder", folder_id);
	ok = db_step(archive->catalogue, CATALOGUE_MARK_GET, &row, err);
	if (ok && row) {
		const struct record_mark mark =
			rows_read_mark(archive->catalogue, CATALOGUE_MARK_GET);

		*ret_mark = (struct archive_mark){
			.uidvalidity = mark.uidvalidity,
			.uidnext = mark.uidnext,
			.highestmodseq = mark.highestmodseq,
			.messages = mark.messages,
			.flags_compared_ms = mark.flags_compared_ms,
		};
		db_reset(archive->catalogue, CATALOGUE_MARK_GET);
	}
	if (ok)
		*ret_found = row;
	archive_leave(archive);
	return ok;
}
