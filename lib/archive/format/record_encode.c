#include "archive/format/record.h"

#include <assert.h>
#include <string.h>

static bool put_leaves(struct buf *out, const struct record_item *item)
{
	bool ok = put_uint(out, item->leaves_count);

	for (size_t i = 0; ok && i < item->leaves_count; i++)
		ok = put_uint(out, (uint64_t)item->leaves[i]);
	return ok;
}

static bool put_item(struct buf *out, const struct record_item *item)
{
	return put_uint(out, (uint64_t)item->id) && put_uint(out, (uint64_t)item->kind) &&
	       put_uint(out, (uint64_t)item->frame) && put_uint(out, item->offset) &&
	       put_uint(out, item->size) && put_uint(out, item->has_sha256) &&
	       (!item->has_sha256 || buf_add(out, item->sha256, SHA256_BYTES)) &&
	       (item->kind != ITEM_SKELETON || put_leaves(out, item));
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

static bool put_place(struct buf *out, int64_t folder, uint32_t uidvalidity, uint32_t uid)
{
	return put_uint(out, (uint64_t)folder) && put_uint(out, uidvalidity) && put_uint(out, uid);
}

static bool put_placement(struct buf *out, const struct record_placement *placement)
{
	unsigned bits = (placement->has_date ? PLACEMENT_DATE : 0U) |
			(placement->has_date_text ? PLACEMENT_DATE_TEXT : 0U);

	if (!put_place(out, placement->folder, placement->uidvalidity, placement->uid) ||
		!put_uint(out, (uint64_t)placement->message) ||
		!put_uint(out, (uint64_t)placement->known) || !put_uint(out, bits))
		return false;
	if (placement->has_date &&
		(!put_int(out, placement->date_s) || !put_int(out, placement->date_offset_min)))
		return false;
	if (placement->has_date_text && !put_text(out, placement->date_text))
		return false;
	return put_text(out, placement->flags);
}

/* A range is the distance from the end of the previous one, and its length minus one. */
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

/* --- rows of journal checkpoints --- */

static bool put_span(struct buf *out, const struct record_span *span)
{
	return put_uint(out, (uint64_t)span->from) && put_uint(out, (uint64_t)span->to);
}

static bool put_placement_row(struct buf *out, const struct record_placement_row *row)
{
	return put_span(out, &row->span) && put_uint(out, row->gone) &&
	       put_uint(out, (uint64_t)row->added) && put_placement(out, &row->placement);
}

static bool put_snapshot_row(struct buf *out, const struct record_snapshot_row *row)
{
	unsigned bits = (row->complete ? SNAPSHOT_COMPLETE : 0U) |
			(row->pinned ? SNAPSHOT_PINNED : 0U) | (row->pruned ? SNAPSHOT_PRUNED : 0U);

	return put_uint(out, (uint64_t)row->generation) && put_int(out, row->unix_ms) &&
	       put_uint(out, bits) && put_uint(out, row->messages) && put_uint(out, row->bytes) &&
	       put_uint(out, row->added) && put_uint(out, row->removed) &&
	       put_uint(out, row->changed);
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
		return put_place(out, record->flags.folder, record->flags.uidvalidity,
			       record->flags.uid) &&
		       put_text(out, record->flags.flags);
	case RECORD_GONE:
		return put_gone(out, &record->gone);
	case RECORD_MARK:
		return put_mark(out, &record->mark);
	case RECORD_SNAPSHOT:
		return put_uint(out, (uint64_t)record->snapshot.generation) &&
		       put_int(out, record->snapshot.unix_ms) &&
		       put_uint(out, record->snapshot.complete);
	case RECORD_PIN:
	case RECORD_UNPIN:
		return put_uint(out, (uint64_t)record->pin);
	case RECORD_PRUNED:
		return put_int(out, record->pruned_ms);
	case RECORD_TOMBSTONE:
		return put_place(out, record->tombstone.folder, record->tombstone.uidvalidity,
			record->tombstone.uid);
	case RECORD_VOLUME:
		return put_uint(out, (uint64_t)record->volume.sequence) &&
		       buf_add(out, record->volume.uuid, ARCHIVE_UUID_BYTES) &&
		       put_uint(out, record->volume.doomed);
	case RECORD_ITEM_ROW:
		return put_uint(out, (uint64_t)record->item_row.volume) &&
		       put_item(out, &record->item_row.item);
	case RECORD_FOLDER_ROW:
		return put_span(out, &record->folder_row.span) &&
		       put_uint(out, record->folder_row.uidvalidity) &&
		       put_folder(out, &record->folder_row.folder);
	case RECORD_PLACEMENT_ROW:
		return put_placement_row(out, &record->placement_row);
	case RECORD_SNAPSHOT_ROW:
		return put_snapshot_row(out, &record->snapshot_row);
	}
	assert(!"unknown record kind");
	return false;
}

/* Writes the body first, then inserts kind and length before it. */
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
