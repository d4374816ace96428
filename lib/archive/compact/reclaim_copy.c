#include "archive/compact/reclaim_copy.h"

#include <assert.h>
#include <inttypes.h>

#include "archive/volume/source.h"

struct copying {
	struct packer *packer;
	struct volume *from;
	struct source source;
};

static bool move_to(struct copying *copying, const struct source_item *source, int64_t frame,
	uint64_t offset, struct err *err)
{
	struct db *db = copying->packer->catalogue;
	const struct item_row place = {.id = source->id,
		.volume = copying->packer->volume.id.sequence,
		.frame = frame,
		.offset = offset};

	rows_bind_item_place(db, CATALOGUE_ITEM_MOVE, &place);
	return db_run(db, CATALOGUE_ITEM_MOVE, err);
}

/* Items of all folders go into the same packs. */
static bool copy_small(struct copying *copying, const struct source_item *source, struct err *err)
{
	struct packer *packer = copying->packer;
	struct source_item left = *source;
	const uint8_t *data;
	size_t offset;
	size_t len;
	bool fits;

	if (!source_take(&copying->source, &left, left.size, &data, &len, err))
		return false;
	if (left.size > 0)
		return err_set(
			err, ERR_CORRUPT, "item %" PRId64 " passes its frame's end", source->id);
	if (packer->pack->raw.len + len > ARCHIVE_PACK_BYTES && !packer_flush_pack(packer, err))
		return false;
	if (!packer->pack->frame_id)
		packer->pack->frame_id = packer->next_frame++;
	offset = packer->pack->raw.len;
	fits = buf_add(&packer->pack->raw, data, len);
	assert(fits);
	return move_to(copying, source, packer->pack->frame_id, offset, err);
}

static bool copy_big(struct copying *copying, const struct source_item *source, struct err *err)
{
	struct packer *packer = copying->packer;
	struct pieces pieces = {0};
	struct source_item left = *source;

	buf_reset(&packer->item->raw);
	while (left.size > 0) {
		const uint8_t *data;
		size_t len;

		if (!source_take(&copying->source, &left, left.size, &data, &len, err) ||
			!packer_add_to_item(packer, &pieces, data, len, err))
			return false;
	}
	return packer_put_piece(packer, &pieces, err) &&
	       move_to(copying, source, pieces.first, 0, err);
}

static bool copy_item(struct copying *copying, const struct source_item *source, struct err *err)
{
	if (source->size == 0)
		return move_to(copying, source, 1, 0, err);
	return (source->size < ARCHIVE_PART_BYTES ? copy_small : copy_big)(copying, source, err);
}

/* SQLite sorts all rows before it returns the first, so updating them meanwhile is safe. */
static bool copy_items(struct copying *copying, struct err *err)
{
	enum { ROW = CATALOGUE_VOLUME_ITEMS };
	struct db *db = copying->packer->catalogue;
	bool row = true;
	bool ok = true;

	db_bind_int(db, ROW, "volume", copying->from->id.sequence);
	while (ok && row) {
		struct source_item source;
		struct item_row item;

		ok = db_step(db, ROW, &row, err);
		if (!ok || !row)
			return ok;
		item = rows_read_item(db, ROW);
		source = (struct source_item){item.id, item.frame, item.offset, item.size};
		ok = copy_item(copying, &source, err);
	}
	db_reset(db, ROW);
	return ok;
}

bool reclaim_copy(struct packer *packer, struct volume *from, struct zstd *zstd, struct err *err)
{
	struct copying copying = {.packer = packer, .from = from};
	bool done;

	source_init(&copying.source, from, zstd);
	done = copy_items(&copying, err);
	source_free(&copying.source);
	return done;
}
