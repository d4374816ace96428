#include "archive/frame.h"

#include <assert.h>

void frame_pack(struct zstd *zstd, enum frame_kind kind, const struct buf *raw, struct buf *out,
	struct frame *ret_frame)
{
	size_t worth = raw->len - (raw->len * FRAME_SAVING_PERCENT + 99) / 100;
	struct frame frame = {
		.kind = kind,
		.codec = CODEC_STORED,
		.raw_len = raw->len,
		.data = raw->data,
		.len = raw->len,
	};

	assert(raw->len > 0 && raw->len <= FRAME_RAW_BYTES_MAX);
	if (zstd_pack(zstd, ZSTD_LEVEL_MIRROR, raw->data, raw->len, worth, out)) {
		frame.codec = CODEC_ZSTD;
		frame.data = out->data;
		frame.len = out->len;
	}
	sha256_of(frame.data, frame.len, frame.sha256);
	*ret_frame = frame;
}

bool frame_unpack(
	struct zstd *zstd, const struct frame *frame, struct buf *ret_raw, struct err *err)
{
	uint8_t sha256[SHA256_BYTES];

	if (frame->raw_len > FRAME_RAW_BYTES_MAX)
		return err_set(err, ERR_CORRUPT, "claims %zu raw bytes", frame->raw_len);
	sha256_of(frame->data, frame->len, sha256);
	if (!crypto_equal(sha256, frame->sha256, SHA256_BYTES))
		return err_set(err, ERR_CORRUPT, "its SHA-256 differs");
	buf_reset(ret_raw);
	switch (frame->codec) {
	case CODEC_STORED:
		if (frame->len == frame->raw_len && buf_add(ret_raw, frame->data, frame->len))
			return true;
		return err_set(err, ERR_CORRUPT, "its length differs");
	case CODEC_ZSTD:
		if (zstd_unpack(zstd, frame->data, frame->len, frame->raw_len, ret_raw))
			return true;
		return err_set(err, ERR_CORRUPT, "cannot be decompressed");
	default:
		return err_set(
			err, ERR_CORRUPT, "codec %d is not known to this program", frame->codec);
	}
}
