#include "archive/catalogue/rows.h"

#include <string.h>

static void bind_text(struct db *db, size_t query, const char *name, struct text text)
{
	db_bind_text_len(db, query, name, text.data, text.len);
}

static struct text read_text(struct db *db, size_t query, int column)
{
	return text_of(db_text(db, query, column));
}

bool rows_read_blob(struct db *db, size_t query, int column, void *out, size_t len)
{
	size_t got;
	const void *data = db_blob(db, query, column, &got);

	if (got == len)
		memcpy(out, data, len);
	return got == len;
}

/* --- volumes --- */

bool rows_read_volume(
	struct db *db, size_t query, struct catalogue_volume *ret_volume, struct err *err)
{
	*ret_volume = (struct catalogue_volume){
		.id.sequence = db_int(db, query, VOLUME_ROW_SEQUENCE),
		.state = (enum volume_state)db_int(db, query, VOLUME_ROW_STATE),
		.applied_frame = db_int(db, query, VOLUME_ROW_APPLIED_FRAME),
	};
	return rows_read_blob(
		       db, query, VOLUME_ROW_UUID, ret_volume->id.uuid, ARCHIVE_UUID_BYTES) ||
	       err_set(err, ERR_CORRUPT, "%s: a volume's uuid is not %d bytes long", db_path(db),
		       ARCHIVE_UUID_BYTES);
}

/* --- items --- */

void rows_bind_item_place(struct db *db, size_t query, const struct item_row *item)
{
	db_bind_int(db, query, "id", item->id);
	db_bind_int(db, query, "volume", item->volume);
	db_bind_int(db, query, "frame", item->frame);
	db_bind_int(db, query, "offset", (int64_t)item->offset);
}

void rows_bind_item(
	struct db *db, size_t query, const struct item_row *item, const uint8_t *sha256_or_null)
{
	rows_bind_item_place(db, query, item);
	db_bind_int(db, query, "kind", item->kind);
	db_bind_int(db, query, "size", (int64_t)item->size);
	if (sha256_or_null)
		db_bind_blob(db, query, "sha256", sha256_or_null, SHA256_BYTES);
}

struct item_row rows_read_item(struct db *db, size_t query)
{
	return (struct item_row){
		.id = db_int(db, query, ITEM_ROW_ID),
		.kind = (int)db_int(db, query, ITEM_ROW_KIND),
		.volume = db_int(db, query, ITEM_ROW_VOLUME),
		.frame = db_int(db, query, ITEM_ROW_FRAME),
		.offset = (uint64_t)db_int(db, query, ITEM_ROW_OFFSET),
		.size = (uint64_t)db_int(db, query, ITEM_ROW_SIZE),
	};
}

/* --- messages --- */

void rows_bind_message(struct db *db, size_t query, const struct record_message *message)
{
	db_bind_int(db, query, "id", message->id);
	db_bind_blob(db, query, "sha256", message->sha256, SHA256_BYTES);
	db_bind_int(db, query, "size", (int64_t)message->size);
	db_bind_int(db, query, "header_size", (int64_t)message->header_size);
	db_bind_int(db, query, "item", message->item);
	bind_text(db, query, "sender", message->from);
	bind_text(db, query, "subject", message->subject);
	packed_date_bind(db, query, "date_header", message->date);
	bind_text(db, query, "message_id", message->message_id);
}

bool rows_read_message_numbers(
	struct db *db, size_t query, int first, struct record_message *ret_message)
{
	*ret_message = (struct record_message){
		.id = db_int(db, query, first + MESSAGE_ROW_ID),
		.size = (uint64_t)db_int(db, query, first + MESSAGE_ROW_SIZE),
		.header_size = (uint64_t)db_int(db, query, first + MESSAGE_ROW_HEADER_SIZE),
		.item = db_int(db, query, first + MESSAGE_ROW_ITEM),
	};
	return rows_read_blob(
		db, query, first + MESSAGE_ROW_SHA256, ret_message->sha256, SHA256_BYTES);
}

bool rows_read_message(struct db *db, size_t query, int first, char date[MIME_DATE_TEXT_MAX],
	struct record_message *ret_message)
{
	bool whole = rows_read_message_numbers(db, query, first, ret_message);

	ret_message->from = read_text(db, query, first + MESSAGE_ROW_SENDER);
	ret_message->subject = read_text(db, query, first + MESSAGE_ROW_SUBJECT);
	ret_message->date =
		text_of(packed_date_column(db, query, first + MESSAGE_ROW_DATE_HEADER, date));
	ret_message->message_id = read_text(db, query, first + MESSAGE_ROW_MESSAGE_ID);
	return whole;
}

/* --- folders --- */

void rows_bind_span(struct db *db, size_t query, const struct record_span *span)
{
	db_bind_int(db, query, "gen_from", span->from);
	db_bind_int(db, query, "gen_to", span->to);
}

struct record_span rows_read_span(struct db *db, size_t query, int first)
{
	return (struct record_span){
		.from = db_int(db, query, first), .to = db_int(db, query, first + 1)};
}

void rows_bind_folder(struct db *db, size_t query, const struct record_folder *folder)
{
	db_bind_int(db, query, "id", folder->id);
	bind_text(db, query, "path", folder->path);
	bind_text(db, query, "wire_name", folder->wire_name);
	db_bind_int(db, query, "delimiter", folder->delimiter);
	bind_text(db, query, "attributes", folder->attributes);
	if (folder->has_special_use)
		bind_text(db, query, "special_use", folder->special_use);
	db_bind_int(db, query, "subscribed", folder->subscribed);
	db_bind_int(db, query, "selectable", folder->selectable);
}

struct record_folder_row rows_read_folder(struct db *db, size_t query)
{
	return (struct record_folder_row){
		.span = rows_read_span(db, query, FOLDER_ROW_GEN_FROM),
		.uidvalidity = (uint32_t)db_int(db, query, FOLDER_ROW_UIDVALIDITY),
		.folder =
			{
				.id = db_int(db, query, FOLDER_ROW_ID),
				.path = read_text(db, query, FOLDER_ROW_PATH),
				.wire_name = read_text(db, query, FOLDER_ROW_WIRE_NAME),
				.delimiter = (uint8_t)db_int(db, query, FOLDER_ROW_DELIMITER),
				.attributes = read_text(db, query, FOLDER_ROW_ATTRIBUTES),
				.has_special_use = !db_is_null(db, query, FOLDER_ROW_SPECIAL_USE),
				.special_use = read_text(db, query, FOLDER_ROW_SPECIAL_USE),
				.subscribed = db_int(db, query, FOLDER_ROW_SUBSCRIBED) != 0,
				.selectable = db_int(db, query, FOLDER_ROW_SELECTABLE) != 0,
			},
	};
}

/* --- placements --- */

void rows_bind_place(
	struct db *db, size_t query, int64_t folder, uint32_t uidvalidity, uint32_t uid)
{
	db_bind_int(db, query, "folder", folder);
	db_bind_int(db, query, "uidvalidity", uidvalidity);
	db_bind_int(db, query, "uid", uid);
}

void rows_bind_range(
	struct db *db, size_t query, int64_t folder, uint32_t uidvalidity, struct range range)
{
	db_bind_int(db, query, "folder", folder);
	db_bind_int(db, query, "uidvalidity", uidvalidity);
	db_bind_int(db, query, "first", range.first);
	db_bind_int(db, query, "last", range.last);
}

void rows_bind_placement(
	struct db *db, size_t query, const struct record_placement *placement, int64_t flag_set)
{
	rows_bind_place(db, query, placement->folder, placement->uidvalidity, placement->uid);
	db_bind_int(db, query, "message", placement->message);
	db_bind_int(db, query, "known", placement->known);
	if (placement->has_date) {
		db_bind_int(db, query, "date_s", placement->date_s);
		db_bind_int(db, query, "date_offset", placement->date_offset_min);
	}
	if (placement->has_date_text)
		bind_text(db, query, "date_text", placement->date_text);
	db_bind_int(db, query, "flag_set", flag_set);
}

struct record_placement_row rows_read_placement(struct db *db, size_t query)
{
	return (struct record_placement_row){
		.span = rows_read_span(db, query, PLACEMENT_ROW_GEN_FROM),
		.gone = db_int(db, query, PLACEMENT_ROW_GONE) != 0,
		.added = db_int(db, query, PLACEMENT_ROW_ADDED),
		.placement =
			{
				.folder = db_int(db, query, PLACEMENT_ROW_FOLDER),
				.uidvalidity =
					(uint32_t)db_int(db, query, PLACEMENT_ROW_UIDVALIDITY),
				.uid = (uint32_t)db_int(db, query, PLACEMENT_ROW_UID),
				.message = db_int(db, query, PLACEMENT_ROW_MESSAGE),
				.known = (int)db_int(db, query, PLACEMENT_ROW_KNOWN),
				.has_date = !db_is_null(db, query, PLACEMENT_ROW_DATE_S),
				.date_s = db_int(db, query, PLACEMENT_ROW_DATE_S),
				.date_offset_min =
					(int16_t)db_int(db, query, PLACEMENT_ROW_DATE_OFFSET),
				.has_date_text = !db_is_null(db, query, PLACEMENT_ROW_DATE_TEXT),
				.date_text = read_text(db, query, PLACEMENT_ROW_DATE_TEXT),
				.flags = read_text(db, query, PLACEMENT_ROW_FLAGS),
			},
	};
}

/* --- marks --- */

void rows_bind_mark(struct db *db, size_t query, const struct record_mark *mark)
{
	db_bind_int(db, query, "folder", mark->folder);
	db_bind_int(db, query, "uidvalidity", mark->uidvalidity);
	db_bind_int(db, query, "uidnext", mark->uidnext);
	db_bind_int(db, query, "highestmodseq", (int64_t)mark->highestmodseq);
	db_bind_int(db, query, "messages", mark->messages);
	db_bind_int(db, query, "flags_compared_ms", mark->flags_compared_ms);
}

struct record_mark rows_read_mark(struct db *db, size_t query)
{
	return (struct record_mark){
		.folder = db_int(db, query, MARK_ROW_FOLDER),
		.uidvalidity = (uint32_t)db_int(db, query, MARK_ROW_UIDVALIDITY),
		.uidnext = (uint32_t)db_int(db, query, MARK_ROW_UIDNEXT),
		.highestmodseq = (uint64_t)db_int(db, query, MARK_ROW_HIGHESTMODSEQ),
		.messages = (uint32_t)db_int(db, query, MARK_ROW_MESSAGES),
		.flags_compared_ms = db_int(db, query, MARK_ROW_FLAGS_COMPARED_MS),
	};
}

/* --- snapshots --- */

void rows_bind_snapshot(struct db *db, size_t query, const struct record_snapshot_row *snapshot)
{
	db_bind_int(db, query, "generation", snapshot->generation);
	db_bind_int(db, query, "unix_ms", snapshot->unix_ms);
	db_bind_int(db, query, "complete", snapshot->complete);
	db_bind_int(db, query, "pinned", snapshot->pinned);
	db_bind_int(db, query, "pruned", snapshot->pruned);
	db_bind_int(db, query, "messages", (int64_t)snapshot->messages);
	db_bind_int(db, query, "bytes", (int64_t)snapshot->bytes);
	db_bind_int(db, query, "added", (int64_t)snapshot->added);
	db_bind_int(db, query, "removed", (int64_t)snapshot->removed);
	db_bind_int(db, query, "changed", (int64_t)snapshot->changed);
}

struct record_snapshot_row rows_read_snapshot(struct db *db, size_t query)
{
	return (struct record_snapshot_row){
		.generation = db_int(db, query, SNAPSHOT_ROW_GENERATION),
		.unix_ms = db_int(db, query, SNAPSHOT_ROW_UNIX_MS),
		.complete = db_int(db, query, SNAPSHOT_ROW_COMPLETE) != 0,
		.pinned = db_int(db, query, SNAPSHOT_ROW_PINNED) != 0,
		.pruned = db_int(db, query, SNAPSHOT_ROW_PRUNED) != 0,
		.messages = (uint64_t)db_int(db, query, SNAPSHOT_ROW_MESSAGES),
		.bytes = (uint64_t)db_int(db, query, SNAPSHOT_ROW_BYTES),
		.added = (uint64_t)db_int(db, query, SNAPSHOT_ROW_ADDED),
		.removed = (uint64_t)db_int(db, query, SNAPSHOT_ROW_REMOVED),
		.changed = (uint64_t)db_int(db, query, SNAPSHOT_ROW_CHANGED),
	};
}

/* --- tombstones --- */

struct record_tombstone rows_read_tombstone(struct db *db, size_t query)
{
	return (struct record_tombstone){
		.folder = db_int(db, query, TOMBSTONE_ROW_FOLDER),
		.uidvalidity = (uint32_t)db_int(db, query, TOMBSTONE_ROW_UIDVALIDITY),
		.uid = (uint32_t)db_int(db, query, TOMBSTONE_ROW_UID),
	};
}
