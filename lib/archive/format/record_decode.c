#include "archive/format/record.h"

#include <string.h>

#include "archive/archive.h"

/* Ids and generations are SQLite integers. */
static const uint64_t ID_MAX = INT64_MAX;

enum { OFFSET_MIN_MAX = 24 * 60 /* exclusive */ };

static int64_t get_id(struct reader *in)
{
	uint64_t id = get_uint_max(in, ID_MAX);

	if (id == 0)
		in->bad = true;
	return (int64_t)id;
}

static void get_digest(struct reader *in, uint8_t out[SHA256_BYTES])
{
	const uint8_t *bytes = get_bytes(in, SHA256_BYTES);

	if (bytes)
		memcpy(out, bytes, SHA256_BYTES);
}

static void get_leaves(struct reader *in, struct record_item *item)
{
	item->leaves_count = get_uint_max(in, RECORD_LEAVES_MAX);
	item->encoded = *in;
	for (size_t i = 0; i < item->leaves_count; i++)
		(void)get_id(in);
	item->encoded.end = in->at;
	if (item->leaves_count == 0)
		in->bad = true;
}

bool record_next_leaf(struct record_item *item, int64_t *ret_id)
{
	if (item->encoded.at == item->encoded.end)
		return false;
	*ret_id = get_id(&item->encoded);
	return true;
}

static void get_item(struct reader *in, struct record_item *item)
{
	item->id = get_id(in);
	item->kind = (int)get_uint_max(in, INT8_MAX);
	item->frame = get_id(in);
	item->offset = get_uint_max(in, ARCHIVE_PIECE_BYTES);
	item->size = get_uint_max(in, INT64_MAX);
	item->has_sha256 = get_uint_max(in, 1);
	if (item->has_sha256)
		get_digest(in, item->sha256);
	if (item->kind == ITEM_SKELETON)
		get_leaves(in, item);
	if (item->kind < ITEM_MESSAGE || item->kind > ITEM_LEAF ||
		item->has_sha256 != (item->kind == ITEM_LEAF))
		in->bad = true;
}

static void get_message(struct reader *in, struct record_message *message)
{
	message->id = get_id(in);
	get_digest(in, message->sha256);
	message->size = get_uint_max(in, INT64_MAX);
	message->header_size = get_uint_max(in, message->size);
	message->item = get_id(in);
	message->from = get_text(in, ARCHIVE_SUMMARY_BYTES);
	message->subject = get_text(in, ARCHIVE_SUMMARY_BYTES);
	message->date = get_text(in, ARCHIVE_SUMMARY_BYTES);
	message->message_id = get_text(in, ARCHIVE_SUMMARY_BYTES);
}

static void get_folder(struct reader *in, struct record_folder *folder)
{
	uint64_t bits;

	folder->id = get_id(in);
	bits = get_uint_max(in, FOLDER_BITS);
	folder->delimiter = (uint8_t)get_uint_max(in, INT8_MAX);
	folder->path = get_text(in, RECORD_TEXT_BYTES_MAX);
	folder->wire_name = get_text(in, RECORD_TEXT_BYTES_MAX);
	folder->attributes = get_text(in, RECORD_TEXT_BYTES_MAX);
	folder->subscribed = bits & FOLDER_SUBSCRIBED;
	folder->selectable = bits & FOLDER_SELECTABLE;
	folder->has_special_use = bits & FOLDER_SPECIAL_USE;
	folder->special_use =
		folder->has_special_use ? get_text(in, RECORD_TEXT_BYTES_MAX) : text_of("");
}

static void get_place(
	struct reader *in, int64_t *ret_folder, uint32_t *ret_uidvalidity, uint32_t *ret_uid)
{
	*ret_folder = get_id(in);
	*ret_uidvalidity = (uint32_t)get_uint_max(in, UINT32_MAX);
	*ret_uid = (uint32_t)get_uint_max(in, UINT32_MAX);
	if (*ret_uid == 0)
		in->bad = true;
}

static void get_placement(struct reader *in, struct record_placement *placement)
{
	uint64_t bits;

	get_place(in, &placement->folder, &placement->uidvalidity, &placement->uid);
	placement->message = get_id(in);
	placement->known = (int)get_uint_max(in, INT8_MAX);
	bits = get_uint_max(in, PLACEMENT_BITS);
	placement->has_date = bits & PLACEMENT_DATE;
	placement->has_date_text = bits & PLACEMENT_DATE_TEXT;
	if (placement->has_date) {
		int64_t offset_min;

		placement->date_s = get_int(in);
		offset_min = get_int(in);
		if (offset_min <= -OFFSET_MIN_MAX || offset_min >= OFFSET_MIN_MAX)
			in->bad = true;
		placement->date_offset_min = (int16_t)offset_min;
	}
	if (placement->has_date_text)
		placement->date_text = get_text(in, RECORD_TEXT_BYTES_MAX);
	placement->flags = get_text(in, RECORD_TEXT_BYTES_MAX);
}

static bool get_range(struct reader *in, uint32_t *last, struct range *ret_range)
{
	uint64_t first = get_uint_max(in, UINT32_MAX);
	uint64_t more = get_uint_max(in, UINT32_MAX);

	first += *last;
	if (first == *last || first + more > UINT32_MAX)
		in->bad = true;
	if (in->bad)
		return false;
	*ret_range = (struct range){(uint32_t)first, (uint32_t)(first + more)};
	*last = ret_range->last;
	return true;
}

static void get_gone(struct reader *in, struct record_gone *gone)
{
	struct range range;
	uint32_t last = 0;

	gone->folder = get_id(in);
	gone->uidvalidity = (uint32_t)get_uint_max(in, UINT32_MAX);
	gone->count = get_uint_max(in, RECORD_RANGES_MAX);
	gone->encoded = *in;
	for (size_t i = 0; i < gone->count && get_range(in, &last, &range); i++)
		;
	gone->encoded.end = in->at;
}

bool record_next_range(struct record_gone *gone, struct range *ret_range)
{
	return gone->encoded.at < gone->encoded.end &&
	       get_range(&gone->encoded, &gone->last, ret_range);
}

static void get_mark(struct reader *in, struct record_mark *mark)
{
	mark->folder = get_id(in);
	mark->uidvalidity = (uint32_t)get_uint_max(in, UINT32_MAX);
	mark->uidnext = (uint32_t)get_uint_max(in, UINT32_MAX);
	mark->highestmodseq = get_uint_max(in, INT64_MAX);
	mark->messages = (uint32_t)get_uint_max(in, UINT32_MAX);
	mark->flags_compared_ms = get_int(in);
}

/* --- rows of journal checkpoints --- */

static void get_volume(struct reader *in, struct record_volume *volume)
{
	const uint8_t *uuid;

	volume->sequence = get_id(in);
	uuid = get_bytes(in, ARCHIVE_UUID_BYTES);
	if (uuid)
		memcpy(volume->uuid, uuid, ARCHIVE_UUID_BYTES);
	volume->doomed = get_uint_max(in, 1);
}

static void get_span(struct reader *in, struct record_span *span)
{
	span->from = get_id(in);
	span->to = (int64_t)get_uint_max(in, ID_MAX);
	if (span->to != 0 && span->to < span->from)
		in->bad = true;
}

static void get_placement_row(struct reader *in, struct record_placement_row *row)
{
	get_span(in, &row->span);
	row->gone = get_uint_max(in, 1);
	row->added = get_id(in);
	get_placement(in, &row->placement);
	if (row->added > row->span.from || (row->gone && row->span.to == 0))
		in->bad = true;
}

static void get_snapshot_row(struct reader *in, struct record_snapshot_row *row)
{
	uint64_t bits;

	row->generation = get_id(in);
	row->unix_ms = get_int(in);
	bits = get_uint_max(in, SNAPSHOT_BITS);
	row->complete = bits & SNAPSHOT_COMPLETE;
	row->pinned = bits & SNAPSHOT_PINNED;
	row->pruned = bits & SNAPSHOT_PRUNED;
	row->messages = get_uint_max(in, INT64_MAX);
	row->bytes = get_uint_max(in, INT64_MAX);
	row->added = get_uint_max(in, INT64_MAX);
	row->removed = get_uint_max(in, INT64_MAX);
	row->changed = get_uint_max(in, INT64_MAX);
}

/* False: the kind is not one of a journal checkpoint. */
static bool get_row(struct reader *in, struct record *record)
{
	switch ((int)record->kind) {
	case RECORD_PRUNED:
		record->pruned_ms = get_int(in);
		return true;
	case RECORD_TOMBSTONE:
		get_place(in, &record->tombstone.folder, &record->tombstone.uidvalidity,
			&record->tombstone.uid);
		return true;
	case RECORD_VOLUME:
		get_volume(in, &record->volume);
		return true;
	case RECORD_ITEM_ROW:
		record->item_row.volume = get_id(in);
		get_item(in, &record->item_row.item);
		return true;
	case RECORD_FOLDER_ROW:
		get_span(in, &record->folder_row.span);
		record->folder_row.uidvalidity = (uint32_t)get_uint_max(in, UINT32_MAX);
		get_folder(in, &record->folder_row.folder);
		return true;
	case RECORD_PLACEMENT_ROW:
		get_placement_row(in, &record->placement_row);
		return true;
	case RECORD_SNAPSHOT_ROW:
		get_snapshot_row(in, &record->snapshot_row);
		return true;
	}
	return false;
}

/* False: unknown kind. */
static bool get_body(struct reader *in, struct record *record)
{
	switch ((int)record->kind) {
	case RECORD_ITEM:
		get_item(in, &record->item);
		return true;
	case RECORD_MESSAGE:
		get_message(in, &record->message);
		return true;
	case RECORD_FOLDER:
		get_folder(in, &record->folder);
		return true;
	case RECORD_FOLDER_GONE:
		record->folder_gone = get_id(in);
		return true;
	case RECORD_UIDVALIDITY:
		record->uidvalidity.folder = get_id(in);
		record->uidvalidity.uidvalidity = (uint32_t)get_uint_max(in, UINT32_MAX);
		return true;
	case RECORD_PLACEMENT:
		get_placement(in, &record->placement);
		return true;
	case RECORD_FLAGS:
		get_place(
			in, &record->flags.folder, &record->flags.uidvalidity, &record->flags.uid);
		record->flags.flags = get_text(in, RECORD_TEXT_BYTES_MAX);
		return true;
	case RECORD_GONE:
		get_gone(in, &record->gone);
		return true;
	case RECORD_MARK:
		get_mark(in, &record->mark);
		return true;
	case RECORD_SNAPSHOT:
		record->snapshot.generation = get_id(in);
		record->snapshot.unix_ms = get_int(in);
		record->snapshot.complete = get_uint_max(in, 1);
		return true;
	case RECORD_PIN:
	case RECORD_UNPIN:
		record->pin = get_id(in);
		return true;
	}
	return get_row(in, record);
}

bool record_decode(struct reader *reader, struct record *ret_record, bool *ret_unknown)
{
	struct record record = {0};
	struct reader body = {0};
	const uint8_t *bytes;
	size_t len;

	*ret_unknown = false;
	if (reader->bad || reader->at == reader->end)
		return false;
	record.kind = (enum record_kind)get_uint_max(reader, INT8_MAX);
	len = get_uint_max(reader, RECORD_BYTES_MAX);
	bytes = get_bytes(reader, len);
	if (!bytes)
		return false;
	body = (struct reader){.at = bytes, .end = bytes + len};
	*ret_unknown = !get_body(&body, &record);
	if (*ret_unknown || body.bad || body.at != body.end) {
		reader->bad = true;
		return false;
	}
	*ret_record = record;
	return true;
}
