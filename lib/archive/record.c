#include "archive/record.h"

#include <assert.h>
#include <string.h>

#include "archive/archive.h"

/* Ids and generations are SQLite's integers. */
static const uint64_t ID_MAX = INT64_MAX;

enum {
	FOLDER_SUBSCRIBED = 1,
	FOLDER_SELECTABLE = 2,
	FOLDER_SPECIAL_USE = 4,
	FOLDER_BITS = 7,

	PLACEMENT_DATE = 1,
	PLACEMENT_DATE_TEXT = 2,
	PLACEMENT_BITS = 3,

	OFFSET_MIN_MAX = 24 * 60, /* exclusive */
};

/* --- encoding a body --- */

static bool put_item(struct buf *out, const struct record_item *item)
{
	return put_uint(out, (uint64_t)item->id) && put_uint(out, (uint64_t)item->kind) &&
	       put_uint(out, (uint64_t)item->frame) && put_uint(out, item->offset) &&
	       put_uint(out, item->size) && put_uint(out, item->has_sha256) &&
	       (!item->has_sha256 || buf_add(out, item->sha256, SHA256_BYTES));
}

static bool put_message(struct buf *out, const struct record_message *message)
{
	return put_uint(out, (uint64_t)message->id) &&
	       buf_add(out, message->sha256, SHA256_BYTES) && put_uint(out, message->size) &&
	       put_uint(out, message->header_size) && put_uint(out, (uint64_t)message->item) &&
	       put_text(out, message->from) && put_text(out, message->subject) &&
	       put_text(out, message->date) && put_text(out, message->message_id);
}

static bool put_folder(struct buf *out, const struct record_folder *folder)
{
	unsigned bits = (folder->subscribed ? FOLDER_SUBSCRIBED : 0U) |
			(folder->selectable ? FOLDER_SELECTABLE : 0U) |
			(folder->has_special_use ? FOLDER_SPECIAL_USE : 0U);

	return put_uint(out, (uint64_t)folder->id) && put_uint(out, bits) &&
	       put_uint(out, folder->delimiter) && put_text(out, folder->path) &&
	       put_text(out, folder->wire_name) && put_text(out, folder->attributes) &&
	       (!folder->has_special_use || put_text(out, folder->special_use));
}

static bool put_placement(struct buf *out, const struct record_placement *placement)
{
	unsigned bits = (placement->has_date ? PLACEMENT_DATE : 0U) |
			(placement->has_date_text ? PLACEMENT_DATE_TEXT : 0U);

	if (!put_uint(out, (uint64_t)placement->folder) || !put_uint(out, placement->uidvalidity) ||
		!put_uint(out, placement->uid) || !put_uint(out, (uint64_t)placement->message) ||
		!put_uint(out, (uint64_t)placement->known) || !put_uint(out, bits))
		return false;
	if (placement->has_date &&
		(!put_int(out, placement->date_s) || !put_int(out, placement->date_offset_min)))
		return false;
	if (placement->has_date_text && !put_text(out, placement->date_text))
		return false;
	return put_text(out, placement->flags);
}

static bool put_flags(struct buf *out, const struct record_flags *flags)
{
	return put_uint(out, (uint64_t)flags->folder) && put_uint(out, flags->uidvalidity) &&
	       put_uint(out, flags->uid) && put_text(out, flags->flags);
}

/* Each range as the distance from the end of the one before, and how many follow its first. */
static bool put_gone(struct buf *out, const struct record_gone *gone)
{
	uint32_t last = 0;

	if (!put_uint(out, (uint64_t)gone->folder) || !put_uint(out, gone->uidvalidity) ||
		!put_uint(out, gone->count))
		return false;
	for (size_t i = 0; i < gone->count; i++) {
		const struct range *range = &gone->ranges[i];

		assert(range->first > last && range->last >= range->first);
		if (!put_uint(out, range->first - last) ||
			!put_uint(out, range->last - range->first))
			return false;
		last = range->last;
	}
	return true;
}

static bool put_mark(struct buf *out, const struct record_mark *mark)
{
	return put_uint(out, (uint64_t)mark->folder) && put_uint(out, mark->uidvalidity) &&
	       put_uint(out, mark->uidnext) && put_uint(out, mark->highestmodseq) &&
	       put_uint(out, mark->messages) && put_int(out, mark->flags_compared_ms);
}

static bool put_snapshot(struct buf *out, const struct record_snapshot *snapshot)
{
	return put_uint(out, (uint64_t)snapshot->generation) && put_int(out, snapshot->unix_ms) &&
	       put_uint(out, snapshot->complete);
}

static bool put_body(struct buf *out, const struct record *record)
{
	switch (record->kind) {
	case RECORD_ITEM:
		return put_item(out, &record->item);
	case RECORD_MESSAGE:
		return put_message(out, &record->message);
	case RECORD_FOLDER:
		return put_folder(out, &record->folder);
	case RECORD_FOLDER_GONE:
		return put_uint(out, (uint64_t)record->folder_gone);
	case RECORD_UIDVALIDITY:
		return put_uint(out, (uint64_t)record->uidvalidity.folder) &&
		       put_uint(out, record->uidvalidity.uidvalidity);
	case RECORD_PLACEMENT:
		return put_placement(out, &record->placement);
	case RECORD_FLAGS:
		return put_flags(out, &record->flags);
	case RECORD_GONE:
		return put_gone(out, &record->gone);
	case RECORD_MARK:
		return put_mark(out, &record->mark);
	case RECORD_SNAPSHOT:
		return put_snapshot(out, &record->snapshot);
	}
	assert(!"a record of no kind");
	return false;
}

/* The body is written first and the length, once known, put before it. */
bool record_encode(const struct record *record, struct buf *out)
{
	enum { HEAD_BYTES_MAX = 16 };
	struct buf head = BUF_INIT(HEAD_BYTES_MAX);
	size_t start = out->len;
	size_t body_len;
	bool fits = put_body(out, record);

	body_len = out->len - start;
	fits = fits && body_len <= RECORD_BYTES_MAX && put_uint(&head, record->kind) &&
	       put_uint(&head, body_len) && buf_reserve(out, head.len);
	if (fits) {
		memmove(out->data + start + head.len, out->data + start, body_len);
		memcpy(out->data + start, head.data, head.len);
		out->len += head.len;
	} else {
		out->len = start;
	}
	buf_free(&head);
	return fits;
}

/* --- decoding a body --- */

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
	if (item->kind != ITEM_MESSAGE)
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

static void get_flags(struct reader *in, struct record_flags *flags)
{
	get_place(in, &flags->folder, &flags->uidvalidity, &flags->uid);
	flags->flags = get_text(in, RECORD_TEXT_BYTES_MAX);
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

static void get_snapshot(struct reader *in, struct record_snapshot *snapshot)
{
	snapshot->generation = get_id(in);
	snapshot->unix_ms = get_int(in);
	snapshot->complete = get_uint_max(in, 1);
}

/* False: a kind that is not known. */
static bool get_body(struct reader *in, struct record *record)
{
	switch (record->kind) {
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
		get_flags(in, &record->flags);
		return true;
	case RECORD_GONE:
		get_gone(in, &record->gone);
		return true;
	case RECORD_MARK:
		get_mark(in, &record->mark);
		return true;
	case RECORD_SNAPSHOT:
		get_snapshot(in, &record->snapshot);
		return true;
	}
	return false;
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
