#include "archive/format/zstd.h"

#include <assert.h>
#include <stdlib.h>

#include <zstd.h>

#include "base/alloc.h"

/* Created when first used: a writer does not decompress, and a reader does not compress. */
struct zstd {
	ZSTD_CCtx *pack;
	ZSTD_DCtx *unpack;
};

struct zstd *zstd_new(void)
{
	return xcalloc(1, sizeof(struct zstd));
}

void zstd_freep(struct zstd **zstd)
{
	if (!*zstd)
		return;
	(void)ZSTD_freeCCtx((*zstd)->pack);
	(void)ZSTD_freeDCtx((*zstd)->unpack);
	free(*zstd);
	*zstd = NULL;
}

bool zstd_pack(
	struct zstd *zstd, int level, const void *data, size_t len, size_t max_len, struct buf *out)
{
	uint8_t *room;
	size_t packed;

	if (!zstd->pack)
		zstd->pack = ZSTD_createCCtx();
	if (!zstd->pack)
		abort();
	buf_reset(out);
	room = buf_reserve(out, max_len);
	assert(room);
	packed = ZSTD_compressCCtx(zstd->pack, room, max_len, data, len, level);
	if (ZSTD_isError(packed))
		return false;
	out->len = packed;
	return true;
}

bool zstd_unpack(struct zstd *zstd, const void *data, size_t len, size_t raw_len, struct buf *out)
{
	uint8_t *room;

	if (!zstd->unpack)
		zstd->unpack = ZSTD_createDCtx();
	if (!zstd->unpack)
		abort();
	buf_reset(out);
	room = buf_reserve(out, raw_len);
	if (!room || ZSTD_decompressDCtx(zstd->unpack, room, raw_len, data, len) != raw_len)
		return false;
	out->len = raw_len;
	return true;
}
