/* Splitting the incoming message into leaves and a skeleton. */
#include <assert.h>
#include <string.h>

#include "archive/write/packer.h"
#include "base/alloc.h"

enum { SLICE_BYTES = 48 * 1024 /* of a span, at a time */ };

/* --- leaves --- */

static bool add_to_leaf(struct packer *packer, const uint8_t *data, size_t len, struct err *err)
{
	struct incoming *incoming = &packer->incoming;

	sha256_add(incoming->leaf_digest, data, len);
	incoming->leaf.size += len;
	return packer_add_to_item(packer, &incoming->leaf.pieces, data, len, err);
}

/* Decode into the leaf, and re-encode for the digest as a reader will. */
static bool add_base64(struct packer *packer, const uint8_t *text, size_t len, struct err *err)
{
	struct incoming *incoming = &packer->incoming;
	struct buf *decoded = &packer->decoded;
	struct buf *again = &packer->again;
	uint8_t *to;

	buf_reset(decoded);
	to = buf_reserve(decoded, len);
	assert(to);
	decoded->len = base64_lines_decode(text, len, to);
	buf_reset(again);
	to = buf_reserve(again, base64_writer_room(&incoming->leaf.writer, decoded->len));
	assert(to);
	again->len = base64_writer_add(&incoming->leaf.writer, decoded->data, decoded->len, to);
	sha256_add(incoming->again, again->data, again->len);
	return add_to_leaf(packer, decoded->data, decoded->len, err);
}

static bool add_text(struct packer *packer, const uint8_t *text, size_t len, struct err *err)
{
	sha256_add(packer->incoming.again, text, len);
	return add_to_leaf(packer, text, len, err);
}

static bool add_span(
	struct packer *packer, const uint8_t *text, const struct split_span *span, struct err *err)
{
	size_t line_bytes = span->line_chars + 2;
	size_t slice = span->what == SPLIT_BASE64 ? SLICE_BYTES / line_bytes * line_bytes
						  : (size_t)SLICE_BYTES;

	for (size_t at = 0; at < span->len; at += slice) {
		size_t len = span->len - at < slice ? span->len - at : slice;

		if (!(span->what == SPLIT_BASE64 ? add_base64 : add_text)(
			    packer, text + at, len, err))
			return false;
	}
	return true;
}

/* The digest of the reassembled message starts with the first leaf; until then it is not needed. */
static void begin_leaf(struct packer *packer, const struct split_span *span)
{
	struct incoming *incoming = &packer->incoming;
	const struct buf *text = &incoming->skeleton.text;

	if (incoming->leaves_count == 0)
		sha256_add(incoming->again, text->data, text->len);
	incoming->leaf = (struct open_leaf){.writer = {.line_chars = span->line_chars}};
	assert(packer->item->raw.len == 0);
}

/* Find a leaf with the same bytes in this message or in the archive. *ret_id 0: new. */
static bool find_leaf(
	struct packer *packer, const uint8_t sha256[SHA256_BYTES], int64_t *ret_id, struct err *err)
{
	const struct incoming *incoming = &packer->incoming;

	for (size_t i = 0; i < incoming->leaves_count; i++) {
		const struct record_item *item = &incoming->leaves[i].item;

		if (item->has_sha256 && memcmp(item->sha256, sha256, SHA256_BYTES) == 0) {
			*ret_id = item->id;
			return true;
		}
	}
	return catalogue_find_leaf(packer->catalogue, sha256, incoming->leaf.size, ret_id, err);
}

static bool drop_bytes(struct packer *packer, const struct pieces *pieces, struct err *err)
{
	buf_reset(&packer->item->raw);
	return !pieces->first || packer_remove_frames(packer, pieces->first, pieces->last, err);
}

static void end_base64(struct packer *packer, const struct split_span *span)
{
	struct open_leaf *leaf = &packer->incoming.leaf;
	struct buf *again = &packer->again;
	uint8_t *to;

	buf_reset(again);
	to = buf_reserve(again, base64_writer_room(&leaf->writer, 0));
	assert(to);
	again->len = base64_writer_end(&leaf->writer, span->crlf, to);
	sha256_add(packer->incoming.again, again->data, again->len);
}

static bool end_leaf(struct packer *packer, const struct split_span *span, struct err *err)
{
	struct incoming *incoming = &packer->incoming;
	bool base64 = span->what == SPLIT_BASE64;
	const struct gap gap = {.form = base64 ? LEAF_BASE64 : LEAF_VERBATIM,
		.line_chars = span->line_chars,
		.crlf = span->crlf};
	struct taken_leaf leaf = {.item = {.kind = ITEM_LEAF, .size = incoming->leaf.size}};

	if (base64)
		end_base64(packer, span);
	sha256_finish(incoming->leaf_digest, leaf.item.sha256);
	if (!find_leaf(packer, leaf.item.sha256, &leaf.item.id, err))
		return false;
	leaf.item.has_sha256 = true;
	if (leaf.item.id) {
		if (!drop_bytes(packer, &incoming->leaf.pieces, err))
			return false;
	} else {
		leaf.is_new = true;
		leaf.item.id = packer->next_item++;
		leaf.pieces = incoming->leaf.pieces;
		if (!packer_put_item(packer, &leaf.pieces, &leaf.item, err))
			return false;
	}
	incoming->leaf = (struct open_leaf){0};
	skeleton_add_gap(&incoming->skeleton, &gap);
	ARRAY_GROW(incoming->leaves, incoming->leaves_count, incoming->leaves_cap);
	incoming->leaves[incoming->leaves_count++] = leaf;
	if (incoming->leaves_count == RECORD_LEAVES_MAX - 1)
		splitter_take_the_rest(&incoming->splitter);
	return true;
}

/* --- spans --- */

/* If the skeleton is full, the rest of the message becomes one leaf. */
static void take_rest(struct incoming *incoming, const uint8_t *text, struct split_span *span)
{
	if (span->len > skeleton_room(&incoming->skeleton)) {
		splitter_take_the_rest(&incoming->splitter);
		span->len = 0;
		return;
	}
	skeleton_add_text(&incoming->skeleton, text, span->len);
	if (incoming->leaves_count > 0)
		sha256_add(incoming->again, text, span->len);
}

static bool take_span(
	struct packer *packer, const uint8_t *text, struct split_span *span, struct err *err)
{
	if (span->what == SPLIT_REST) {
		take_rest(&packer->incoming, text, span);
		return true;
	}
	if (span->begins)
		begin_leaf(packer, span);
	return add_span(packer, text, span, err) && (!span->ends || end_leaf(packer, span, err));
}

bool packer_split(struct packer *packer, bool final, struct err *err)
{
	struct incoming *incoming = &packer->incoming;
	const struct buf *window = &incoming->window;
	struct split_span span;

	while (splitter_next(&incoming->splitter, window->data + incoming->taken,
		window->len - incoming->taken, final, &span)) {
		if (!take_span(packer, window->data + incoming->taken, &span, err))
			return false;
		incoming->taken += span.len;
	}
	return true;
}

bool packer_drop_leaves(struct packer *packer, struct err *err)
{
	struct incoming *incoming = &packer->incoming;
	bool ok = drop_bytes(packer, &incoming->leaf.pieces, err);

	for (size_t i = 0; ok && i < incoming->leaves_count; i++)
		if (incoming->leaves[i].is_new)
			ok = drop_bytes(packer, &incoming->leaves[i].pieces, err);
	incoming->leaf = (struct open_leaf){0};
	incoming->leaves_count = 0;
	return ok;
}
