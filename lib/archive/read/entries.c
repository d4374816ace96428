/* Folders and placements at a generation. */
#include <string.h>

#include "archive/format/packed_date.h"
#include "archive/read/reader.h"
#include "base/alloc.h"
#include "base/str.h"

/* --- folders --- */

enum { FOLDERS = CATALOGUE_FOLDERS_AT, TOTALS = CATALOGUE_FOLDER_TOTALS_AT };

static struct archive_folder folder_row(struct db *db)
{
	return (struct archive_folder){
		.id = db_int(db, FOLDERS, 0),
		.path = db_text(db, FOLDERS, 1),
		.wire_name = db_text(db, FOLDERS, 2),
		.delimiter = (char)db_int(db, FOLDERS, 3),
		.attributes = db_text(db, FOLDERS, 4),
		.special_use = db_is_null(db, FOLDERS, 5) ? NULL : db_text(db, FOLDERS, 5),
		.subscribed = db_int(db, FOLDERS, 6) != 0,
		.selectable = db_int(db, FOLDERS, 7) != 0,
		.uidvalidity = (uint32_t)db_int(db, FOLDERS, 8),
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

static bool next_folder(struct db *db, bool *ret_row, bool *ret_present, struct err *err)
{
	if (!db_step(db, FOLDERS, ret_row, err))
		return false;
	*ret_present = *ret_row && db_int(db, FOLDERS, 9) != 0;
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
		struct archive_folder folder;
		bool present;

		ok = next_folder(archive->catalogue, &row, &present, err);
		if (!ok || !present)
			continue;
		folder = folder_row(archive->catalogue);
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

enum { ENTRIES = CATALOGUE_ENTRIES_AT };

static struct archive_entry entry_row(struct db *db, char date[MIME_DATE_TEXT_MAX])
{
	struct archive_entry entry = {
		.folder_id = db_int(db, FOLDERS, 0),
		.folder_path = db_text(db, FOLDERS, 1),
		.uidvalidity = (uint32_t)db_int(db, ENTRIES, 0),
		.uid = (uint32_t)db_int(db, ENTRIES, 1),
		.message_id = db_int(db, ENTRIES, 2),
		.size = (uint64_t)db_int(db, ENTRIES, 3),
		.has_date = !db_is_null(db, ENTRIES, 5),
		.date.unix_s = db_int(db, ENTRIES, 5),
		.date.offset_min = (int16_t)db_int(db, ENTRIES, 6),
		.date_text = db_is_null(db, ENTRIES, 7) ? NULL : db_text(db, ENTRIES, 7),
		.flags = db_text(db, ENTRIES, 8),
		.added_ms = db_int(db, ENTRIES, 9),
		.gone_ms = db_int(db, ENTRIES, 10),
		.from = db_text(db, ENTRIES, 11),
		.subject = db_text(db, ENTRIES, 12),
		.date_header = packed_date_column(db, ENTRIES, 13, date),
		.header_message_id = db_text(db, ENTRIES, 14),
	};
	size_t len;
	const void *sha256 = db_blob(db, ENTRIES, 4, &len);

	memcpy(entry.sha256, sha256, len < SHA256_BYTES ? len : SHA256_BYTES);
	return entry;
}

struct sink {
	bool (*each)(void *context, const struct archive_entry *entry, struct err *err);
	void *context;
};

/* Those of the folder the folders' statement stands on. */
static bool folder_entries(
	struct db *db, const struct archive_list *list, struct sink sink, struct err *err)
{
	bool row = true;
	bool ok = true;

	db_bind_int(db, ENTRIES, "folder", db_int(db, FOLDERS, 0));
	db_bind_int(db, ENTRIES, "generation", list->generation);
	db_bind_int(db, ENTRIES, "present", !list->only_deleted);
	db_bind_int(db, ENTRIES, "deleted", list->deleted || list->only_deleted);
	while (ok) {
		char date[MIME_DATE_TEXT_MAX];
		struct archive_entry entry;

		ok = db_step(db, ENTRIES, &row, err);
		if (!ok || !row)
			break;
		entry = entry_row(db, date);
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
		bool present;

		ok = next_folder(archive->catalogue, &row, &present, err);
		if (ok && row && (present || with_gone))
			ok = folder_entries(archive->catalogue, list, sink, err);
	}
	db_reset(archive->catalogue, FOLDERS);
	archive_leave(archive);
	return ok;
}

/* --- what a mirror must know --- */

/* Rows that are stepped over before the next range is looked for instead. */
enum { UIDS = CATALOGUE_UIDS_AT, STEPS_MAX = 16 };

struct uid_walk {
	struct db *db;
	const struct rangeset *among;
	size_t at; /* its range that is due; those before are done */
	bool (*each)(void *context, uint32_t uid, const char *flags, struct err *err);
	void *context;
};

/* From the range that is due, until much lies between it and the next. */
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

static struct archive_mark mark_row(struct db *db)
{
	return (struct archive_mark){
		.uidvalidity = (uint32_t)db_int(db, CATALOGUE_MARK_GET, 0),
		.uidnext = (uint32_t)db_int(db, CATALOGUE_MARK_GET, 1),
		.highestmodseq = (uint64_t)db_int(db, CATALOGUE_MARK_GET, 2),
		.messages = (uint32_t)db_int(db, CATALOGUE_MARK_GET, 3),
		.flags_compared_ms = db_int(db, CATALOGUE_MARK_GET, 4),
	};
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
		*ret_mark = mark_row(archive->catalogue);
		db_reset(archive->catalogue, CATALOGUE_MARK_GET);
	}
	if (ok)
		*ret_found = row;
	archive_leave(archive);
	return ok;
}
