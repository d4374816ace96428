/* Messages: bytes that arrive become items in packs, or pieces of their own. */
#include <assert.h>
#include <string.h>

#include "archive/packer.h"
#include "base/alloc.h"

_Static_assert((int)ARCHIVE_PIECE_BYTES == (int)FRAME_RAW_BYTES_MAX, "a piece is a frame");

void packer_message_begin(struct packer *packer, int64_t folder)
{
	struct arrival *arrival = &packer->arrival;

	assert(!arrival->open);
	arrival->open = true;
	arrival->folder = folder;
	arrival->size = 0;
	arrival->first_frame = 0;
	arrival->last_frame = 0;
	buf_reset(&packer->item->raw);
}

static void summarise(struct packer *packer)
{
	struct arrival *arrival = &packer->arrival;
	const struct buf *raw = &packer->item->raw;

	if (arrival->summarised)
		return;
	mime_summarise(raw->data, raw->len, &arrival->summary);
	arrival->summarised = true;
}

static void end_arrival(struct arrival *arrival)
{
	if (arrival->summarised)
		mime_summary_free(&arrival->summary);
	arrival->summarised = false;
	arrival->open = false;
}

static bool submit_piece(struct packer *packer, struct err *err)
{
	struct arrival *arrival = &packer->arrival;

	summarise(packer);
	arrival->last_frame = packer->next_frame++;
	if (!arrival->first_frame)
		arrival->first_frame = arrival->last_frame;
	return packer_submit(packer, &packer->item, FRAME_PART, arrival->last_frame, err);
}

bool packer_message_data(struct packer *packer, const uint8_t *data, size_t len, struct err *err)
{
	struct arrival *arrival = &packer->arrival;

	assert(arrival->open);
	sha256_add(arrival->digest, data, len);
	arrival->size += len;
	packer->figures.message_bytes += len;
	while (len > 0) {
		size_t room = ARCHIVE_PIECE_BYTES - packer->item->raw.len;
		size_t part = len < room ? len : room;
		bool fits;

		if (room == 0) {
			if (!submit_piece(packer, err))
				return false;
			continue;
		}
		fits = buf_add(&packer->item->raw, data, part);
		assert(fits);
		data += part;
		len -= part;
	}
	return true;
}

bool packer_flush_pack(struct packer *packer, struct err *err)
{
	struct block *pack = packer->pack;

	if (pack->raw.len == 0) {
		pack->frame_id = 0;
		return true;
	}
	if (!packer_submit(packer, &packer->pack, FRAME_PACK, pack->frame_id, err))
		return false;
	packer->pack->frame_id = 0;
	return true;
}

/* Small: behind the others of its folder. */
static bool put_in_pack(struct packer *packer, struct record_item *item, struct err *err)
{
	const struct buf *raw = &packer->item->raw;
	bool fits;

	if ((packer->pack_folder != packer->arrival.folder ||
		    packer->pack->raw.len + raw->len > ARCHIVE_PACK_BYTES) &&
		!packer_flush_pack(packer, err))
		return false;
	packer->pack_folder = packer->arrival.folder;
	if (!packer->pack->frame_id)
		packer->pack->frame_id = packer->next_frame++;
	item->frame = packer->pack->frame_id;
	item->offset = packer->pack->raw.len;
	fits = buf_add(&packer->pack->raw, raw->data, raw->len);
	assert(fits);
	return true;
}

static bool put_in_parts(struct packer *packer, struct record_item *item, struct err *err)
{
	if (!submit_piece(packer, err))
		return false;
	item->frame = packer->arrival.first_frame;
	return true;
}

static struct text summary_text(const char *field)
{
	size_t len = field ? strnlen(field, ARCHIVE_SUMMARY_BYTES) : 0;

	return (struct text){field ? field : "", len};
}

/* A message not seen before: an item and itself. */
static bool store(struct packer *packer, const uint8_t *sha256, struct err *err)
{
	const struct arrival *arrival = &packer->arrival;
	struct record item = {
		.kind = RECORD_ITEM,
		.item = {.id = packer->next_item, .kind = ITEM_MESSAGE, .size = arrival->size},
	};
	struct record message = {
		.kind = RECORD_MESSAGE,
		.message = {.id = packer->next_message, .size = arrival->size},
	};
	bool small = !arrival->first_frame && arrival->size < ARCHIVE_PART_BYTES;

	summarise(packer);
	if (!(small ? put_in_pack : put_in_parts)(packer, &item.item, err))
		return false;
	message.message.item = item.item.id;
	memcpy(message.message.sha256, sha256, SHA256_BYTES);
	message.message.header_size = arrival->summary.header_len;
	message.message.from = summary_text(arrival->summary.from);
	message.message.subject = summary_text(arrival->summary.subject);
	message.message.date = summary_text(arrival->summary.date);
	message.message.message_id = summary_text(arrival->summary.message_id);
	if (!packer_record(packer, &item, err) || !packer_record(packer, &message, err))
		return false;
	packer->next_item++;
	packer->next_message++;
	return true;
}

static bool drop_pieces(struct packer *packer, struct err *err)
{
	const struct arrival *arrival = &packer->arrival;

	return !arrival->first_frame ||
	       packer_remove_frames(packer, arrival->first_frame, arrival->last_frame, err);
}

bool packer_message_end(struct packer *packer, struct err *err)
{
	uint8_t sha256[SHA256_BYTES];
	int64_t id;

	assert(packer->arrival.open);
	sha256_finish(packer->arrival.digest, sha256);
	if (!catalogue_find_message(packer->catalogue, sha256, &id, err))
		return false;
	if (id ? !drop_pieces(packer, err) : !store(packer, sha256, err))
		return false;
	if (!id)
		id = packer->next_message - 1;
	end_arrival(&packer->arrival);
	ARRAY_GROW(packer->tickets, packer->tickets_count, packer->tickets_cap);
	packer->tickets[packer->tickets_count++] = id;
	packer->figures.messages++;
	return true;
}

bool packer_message_abort(struct packer *packer, struct err *err)
{
	uint8_t unused[SHA256_BYTES];

	if (!packer->arrival.open)
		return true;
	sha256_finish(packer->arrival.digest, unused);
	end_arrival(&packer->arrival);
	return drop_pieces(packer, err);
}
