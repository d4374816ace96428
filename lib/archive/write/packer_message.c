/* Messages: stores the bytes of an incoming message as items. */
#include <assert.h>
#include <string.h>

#include "archive/write/packer.h"
#include "base/alloc.h"

_Static_assert((int)ARCHIVE_PIECE_BYTES == (int)FRAME_RAW_BYTES_MAX, "a piece is a frame");
_Static_assert((int)SKELETON_BYTES_MAX == (int)FRAME_RAW_BYTES_MAX, "a skeleton is in one frame");
_Static_assert(
	(int)ARCHIVE_PIECE_BYTES >= (int)SPLIT_WINDOW_BYTES_MIN, "a full window gives a span");

void packer_message_begin(struct packer *packer, int64_t folder)
{
	incoming_begin(&packer->incoming, folder);
	buf_reset(&packer->item->raw);
}

static void summarise(struct incoming *incoming)
{
	if (incoming->summarised)
		return;
	mime_summarise(incoming->window.data, incoming->window.len, &incoming->summary);
	incoming->summarised = true;
}

/* The window is full: split what it holds, and continue with the rest. */
static bool stream(struct packer *packer, struct err *err)
{
	struct incoming *incoming = &packer->incoming;

	summarise(incoming);
	incoming->streamed = true;
	if (!packer_split(packer, false, err))
		return false;
	assert(incoming->taken > 0);
	buf_consume(&incoming->window, incoming->taken);
	incoming->taken = 0;
	return true;
}

bool packer_message_data(struct packer *packer, const uint8_t *data, size_t len, struct err *err)
{
	struct incoming *incoming = &packer->incoming;

	assert(incoming->open);
	incoming->size += len;
	packer->figures.message_bytes += len;
	while (len > 0) {
		size_t room = incoming->window.max - incoming->window.len;
		size_t part = len < room ? len : room;
		bool fits;

		if (room == 0) {
			if (!stream(packer, err))
				return false;
			continue;
		}
		fits = buf_add(&incoming->window, data, part);
		assert(fits);
		data += part;
		len -= part;
	}
	return true;
}

static bool record_new_leaves(struct packer *packer, struct err *err)
{
	const struct incoming *incoming = &packer->incoming;

	for (size_t i = 0; i < incoming->leaves_count; i++) {
		struct record record = {.kind = RECORD_ITEM, .item = incoming->leaves[i].item};

		if (incoming->leaves[i].is_new && !packer_record(packer, &record, err))
			return false;
	}
	return true;
}

/* Store the message whole: the window becomes the item. */
static bool store_whole(struct packer *packer, struct record_item *item, struct err *err)
{
	struct incoming *incoming = &packer->incoming;
	struct buf empty = packer->item->raw;
	struct pieces pieces = {0};
	struct record record = {.kind = RECORD_ITEM};

	/* invariant 4: every byte that was hashed; a streamed message has leaves */
	assert(!incoming->streamed && incoming->window.len == incoming->size);
	packer->item->raw = incoming->window;
	incoming->window = empty;
	item->kind = ITEM_MESSAGE;
	item->size = incoming->size;
	if (!packer_put_item(packer, &pieces, item, err))
		return false;
	record.item = *item;
	return packer_record(packer, &record, err);
}

static bool store_skeleton(struct packer *packer, struct record_item *item, struct err *err)
{
	const struct incoming *incoming = &packer->incoming;
	CLEANUP(freep) int64_t *leaves = xcalloc(incoming->leaves_count, sizeof(*leaves));
	struct pieces pieces = {0};
	struct record record = {.kind = RECORD_ITEM};
	bool fits;

	for (size_t i = 0; i < incoming->leaves_count; i++)
		leaves[i] = incoming->leaves[i].item.id;
	fits = skeleton_make(&incoming->skeleton, &packer->item->raw);
	assert(fits);
	item->kind = ITEM_SKELETON;
	item->size = packer->item->raw.len;
	if (!record_new_leaves(packer, err) || !packer_put_item(packer, &pieces, item, err))
		return false;
	record.item = *item;
	record.item.leaves = leaves;
	record.item.leaves_count = incoming->leaves_count;
	return packer_record(packer, &record, err);
}

/* Split the rest of the message, and verify that it reassembles to the same bytes. If not, it is
 * stored whole; that is impossible once part of it was streamed. */
static bool take_all_apart(struct packer *packer, const uint8_t *sha256, struct err *err)
{
	struct incoming *incoming = &packer->incoming;
	uint8_t again[SHA256_BYTES];

	if (!packer_split(packer, true, err))
		return false;
	if (incoming->leaves_count == 0 && !incoming->streamed)
		return true; /* the window is stored whole */
	sha256_finish(incoming->again, again);
	if (memcmp(again, sha256, SHA256_BYTES) == 0)
		return true;
	if (incoming->streamed)
		return err_set(
			err, ERR_LOCAL, "a split message does not reassemble to the same bytes");
	return packer_drop_leaves(packer, err);
}

static struct text summary_text(const char *field)
{
	size_t len = field ? strnlen(field, ARCHIVE_SUMMARY_BYTES) : 0;

	return (struct text){field ? field : "", len};
}

static bool record_message(
	struct packer *packer, const uint8_t *sha256, int64_t item, struct err *err)
{
	const struct incoming *incoming = &packer->incoming;
	const struct mime_summary *summary = &incoming->summary;
	struct record record = {
		.kind = RECORD_MESSAGE,
		.message =
			{
				.id = packer->next_message,
				.size = incoming->size,
				.header_size = summary->header_len,
				.item = item,
				.from = summary_text(summary->from),
				.subject = summary_text(summary->subject),
				.date = summary_text(summary->date),
				.message_id = summary_text(summary->message_id),
			},
	};

	memcpy(record.message.sha256, sha256, SHA256_BYTES);
	if (!packer_record(packer, &record, err))
		return false;
	packer->next_message++;
	return true;
}

/* Store a message that is new to the archive. */
static bool store(struct packer *packer, const uint8_t *sha256, struct err *err)
{
	struct record_item item = {0};
	bool whole;

	summarise(&packer->incoming);
	if (!packer->incoming.streamed && !take_all_apart(packer, sha256, err))
		return false;
	item.id = packer->next_item++;
	whole = packer->incoming.leaves_count == 0;
	return (whole ? store_whole : store_skeleton)(packer, &item, err) &&
	       record_message(packer, sha256, item.id, err);
}

bool packer_message_end(struct packer *packer, const uint8_t sha256[SHA256_BYTES], struct err *err)
{
	struct incoming *incoming = &packer->incoming;
	int64_t id;

	assert(incoming->open);
	if (incoming->streamed && !take_all_apart(packer, sha256, err))
		return false;
	if (!catalogue_find_message(packer->catalogue, sha256, &id, err))
		return false;
	if (id ? !packer_drop_leaves(packer, err) : !store(packer, sha256, err))
		return false;
	if (!id)
		id = packer->next_message - 1;
	incoming_end(incoming);
	ARRAY_GROW(packer->tickets, packer->tickets_count, packer->tickets_cap);
	packer->tickets[packer->tickets_count++] = id;
	packer->figures.messages++;
	return true;
}

bool packer_message_abort(struct packer *packer, struct err *err)
{
	if (!packer->incoming.open)
		return true;
	incoming_end(&packer->incoming);
	return packer_drop_leaves(packer, err);
}
