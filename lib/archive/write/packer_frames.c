/* Items into packs and pieces; blocks through the compressor into the open volume. */
#include <assert.h>

#include "archive/write/packer.h"

/* No journal frame names the frames that an interrupted writer left after the last one: the first
 * transaction removes them. */
static bool begin_volume(struct packer *packer, struct err *err)
{
	if (db_in_transaction(packer->volume.db))
		return true;
	packer->transaction_bytes = 0;
	if (!db_begin(packer->volume.db, err))
		return false;
	if (packer->litter_after == 0)
		return true;
	assert(packer->litter_after > packer->committed_frame);
	if (!volume_remove_frames(&packer->volume, packer->litter_after, INT64_MAX, err))
		return false;
	packer->litter_after = 0;
	return true;
}

/* A transaction is bounded. The frames of one that is committed early are durable but unnamed until
 * the journal names them; stopped before that, the next writer removes them. */
static bool bound_transaction(struct packer *packer, size_t more, struct err *err)
{
	if (packer->transaction_bytes == 0 ||
		packer->transaction_bytes + more <= ARCHIVE_TRANSACTION_BYTES)
		return true;
	return db_commit(packer->volume.db, err) && packer_limit_wal(packer, err) &&
	       begin_volume(packer, err);
}

static bool write_frame(struct packer *packer, const struct block *block, struct err *err)
{
	size_t len = block->frame.len;

	/* packer_open() starts another volume then */
	assert(!packer->volume.outdated && !packer->volume.sealed);
	if (!begin_volume(packer, err) || !bound_transaction(packer, len, err) ||
		!volume_put_frame(&packer->volume, block->frame_id, &block->frame, err))
		return false;
	packer->transaction_bytes += len;
	assert(packer->transaction_bytes <= ARCHIVE_TRANSACTION_BYTES ||
		packer->transaction_bytes == len); /* a larger frame has one of its own */
	packer->pending_bytes += len;
	packer->figures.stored_bytes += len;
	return true;
}

static void empty_buf(struct buf *buf)
{
	if (buf->cap > PACKER_BLOCK_BYTES_KEPT)
		buf_free(buf);
	else
		buf_reset(buf);
}

static bool write_oldest(struct packer *packer, struct err *err)
{
	struct block *block = compressor_take(packer->compressor);
	bool done = write_frame(packer, block, err);

	empty_buf(&block->raw);
	empty_buf(&block->packed);
	packer->spare[packer->spare_count++] = block;
	return done;
}

struct block *packer_spare(struct packer *packer)
{
	assert(packer->spare_count > 0);
	return packer->spare[--packer->spare_count];
}

static bool would_overfill(const struct packer *packer, const struct block *block)
{
	size_t count = compressor_count(packer->compressor);

	return count == COMPRESSOR_BLOCKS_MAX ||
	       (count > 0 && compressor_bytes(packer->compressor) + block->raw.len >
				     PACKER_COMPRESSOR_BYTES_MAX);
}

bool packer_submit(struct packer *packer, struct block *block, enum frame_kind kind,
	int64_t frame_id, struct err *err)
{
	while (would_overfill(packer, block))
		if (!write_oldest(packer, err))
			return false;
	block->kind = kind;
	block->frame_id = frame_id;
	packer->job_bytes += block->raw.len;
	block->effort = packer->job_bytes <= PACKER_LITTLE_BYTES ? EFFORT_LITTLE : EFFORT_FLOW;
	block->cipher = volume_cipher(&packer->volume);
	compressor_give(packer->compressor, block);
	return true;
}

bool packer_submit_role(struct packer *packer, struct block **role, enum frame_kind kind,
	int64_t frame_id, struct err *err)
{
	if (packer->spare_count == 0 && !write_oldest(packer, err))
		return false;
	if (!packer_submit(packer, *role, kind, frame_id, err))
		return false;
	*role = packer_spare(packer);
	return true;
}

bool packer_drain(struct packer *packer, struct err *err)
{
	while (compressor_count(packer->compressor) > 0)
		if (!write_oldest(packer, err))
			return false;
	return true;
}

bool packer_remove_frames(struct packer *packer, int64_t first, int64_t last, struct err *err)
{
	/* invariants 1 and 3: no row names them yet */
	assert(first > packer->committed_frame && last < packer->next_frame);
	return packer_drain(packer, err) && begin_volume(packer, err) &&
	       volume_remove_frames(&packer->volume, first, last, err);
}

/* --- items --- */

bool packer_put_piece(struct packer *packer, struct pieces *pieces, struct err *err)
{
	pieces->last = packer->next_frame++;
	if (!pieces->first)
		pieces->first = pieces->last;
	return packer_submit_role(packer, &packer->item, FRAME_PART, pieces->last, err);
}

bool packer_add_to_item(struct packer *packer, struct pieces *pieces, const uint8_t *data,
	size_t len, struct err *err)
{
	while (len > 0) {
		size_t room = ARCHIVE_PIECE_BYTES - packer->item->raw.len;
		size_t part = len < room ? len : room;
		bool fits;

		if (room == 0) {
			if (!packer_put_piece(packer, pieces, err))
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
	if (!packer_submit_role(packer, &packer->pack, FRAME_PACK, pack->frame_id, err))
		return false;
	packer->pack->frame_id = 0;
	return true;
}

/* A small item goes into the open pack of its folder. */
static bool put_in_pack(struct packer *packer, struct record_item *item, struct err *err)
{
	struct buf *raw = &packer->item->raw;
	bool fits;

	if ((packer->pack_folder != packer->incoming.folder ||
		    packer->pack->raw.len + raw->len > ARCHIVE_PACK_BYTES) &&
		!packer_flush_pack(packer, err))
		return false;
	packer->pack_folder = packer->incoming.folder;
	if (!packer->pack->frame_id)
		packer->pack->frame_id = packer->next_frame++;
	item->frame = packer->pack->frame_id;
	item->offset = packer->pack->raw.len;
	fits = buf_add(&packer->pack->raw, raw->data, raw->len);
	assert(fits);
	buf_reset(raw);
	return true;
}

bool packer_put_item(
	struct packer *packer, struct pieces *pieces, struct record_item *item, struct err *err)
{
	if (!pieces->first && packer->item->raw.len < ARCHIVE_PART_BYTES)
		return put_in_pack(packer, item, err);
	if (packer->item->raw.len > 0 && !packer_put_piece(packer, pieces, err))
		return false;
	/* invariant 1: the commit that adds the row makes these frames durable first */
	assert(pieces->first > packer->committed_frame);
	item->frame = pieces->first;
	return true;
}
