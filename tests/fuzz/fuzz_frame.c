/*
 * A frame as a volume may hold it, plain or encrypted. The bytes as a stored frame whose length,
 * kind and codec lie: refused, or exactly as long as claimed. The bytes packed and then altered:
 * refused, or exactly what was packed.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "archive/format/frame.h"
#include "base/alloc.h"

enum {
	FACTS_BYTES = 8, /* how, kind, codec, edit of the codec, raw length */
	ENCRYPTED = 1,
	PACKED = 2,
	RIGHT_DIGEST = 4,
	OTHER_ID = 8,
	SEALED = 16, /* compressed hard */
	EDIT_BYTES = 4,
	FRAME_ID = 7,
};

struct facts {
	unsigned how;
	enum frame_kind kind;
	int codec;
	size_t raw_len;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct facts facts_of(const uint8_t *data)
{
	return (struct facts){
		.how = data[0],
		.kind = (enum frame_kind)data[1],
		.codec = data[2] - (data[3] & 1 ? 256 : 0),
		.raw_len = (size_t)data[4] << 24 | (size_t)data[5] << 16 | (size_t)data[6] << 8 |
			   data[7],
	};
}

static bool unpack(struct zstd *zstd, const struct frame_cipher *cipher, const struct facts *facts,
	struct frame *frame, struct buf *raw)
{
	struct err err = ERR_INIT;
	bool good;

	if (facts->how & RIGHT_DIGEST)
		sha256_of(frame->data, frame->len, frame->sha256);
	good = frame_unpack(
		zstd, cipher, facts->how & OTHER_ID ? FRAME_ID + 1 : FRAME_ID, frame, raw, &err);
	assert(good || (err.kind == ERR_CORRUPT && *err.text));
	assert(!good || raw->len == frame->raw_len);
	return good;
}

static void lie(struct zstd *zstd, const struct frame_cipher *cipher, const struct facts *facts,
	const uint8_t *data, size_t len)
{
	CLEANUP(buf_free) struct buf raw = BUF_INIT(FRAME_RAW_BYTES_MAX);
	struct frame frame = {
		.kind = facts->kind,
		.codec = facts->codec,
		.raw_len = facts->raw_len,
		.data = data,
		.len = len,
	};
	bool good = unpack(zstd, cipher, facts, &frame, &raw);

	assert(!good || !cipher); /* only the owner of the key can create one */
	assert(!good || frame.codec != CODEC_STORED || memcmp(raw.data, data, len) == 0);
}

/* Edits of the frame, after the facts: an offset, and the byte to xor there. */
static bool alter(const struct facts *facts, const uint8_t *data, size_t len, struct frame *frame,
	uint8_t *bytes)
{
	bool altered = (facts->how & OTHER_ID) != 0;

	if (facts->codec > 0) { /* an enum and a length may lie too */
		frame->raw_len ^= facts->raw_len;
		frame->codec ^= facts->codec & 3;
		altered = true;
	}
	for (size_t at = 0; at + EDIT_BYTES <= len && at < EDIT_BYTES * (size_t)facts->kind;
		at += EDIT_BYTES) {
		size_t place = (size_t)data[at] << 16 | (size_t)data[at + 1] << 8 | data[at + 2];

		bytes[place % frame->len] ^= data[at + 3];
		altered = true;
	}
	return altered;
}

static void pack(struct zstd *zstd, const struct frame_cipher *cipher, const struct facts *facts,
	const uint8_t *data, size_t len)
{
	CLEANUP(buf_free) struct buf raw = BUF_INIT(FRAME_RAW_BYTES_MAX);
	CLEANUP(buf_free) struct buf packed = BUF_INIT(FRAME_ENCRYPTED_BYTES_MAX);
	CLEANUP(buf_free) struct buf again = BUF_INIT(FRAME_RAW_BYTES_MAX);
	CLEANUP(freep) uint8_t *bytes = NULL;
	struct frame frame;
	bool altered, good;

	if (len == 0 || !buf_add(&raw, data, len))
		return;
	frame_pack(zstd, facts->how & SEALED ? EFFORT_SEAL : EFFORT_FLOW, cipher, FRAME_ID,
		FRAME_PART, &raw, &packed, &frame);
	bytes = xmemdup(frame.data, frame.len);
	frame.data = bytes;
	altered = alter(facts, data, len, &frame, bytes);
	good = unpack(zstd, cipher, facts, &frame, &again);
	assert(good || altered);
	if (good && (cipher || !altered))
		assert(again.len == raw.len && memcmp(again.data, raw.data, raw.len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const uint8_t key[GCM_KEY_BYTES] = "a key that no input knows";
	static struct frame_cipher cipher;
	CLEANUP(zstd_freep) struct zstd *zstd = zstd_new();
	const struct frame_cipher *used;
	struct facts facts;

	if (len < FACTS_BYTES)
		return 0;
	if (!cipher.gcm)
		cipher.gcm = gcm_new(key);
	facts = facts_of(data);
	used = facts.how & ENCRYPTED ? &cipher : NULL;
	(facts.how & PACKED ? pack : lie)(
		zstd, used, &facts, data + FACTS_BYTES, len - FACTS_BYTES);
	return 0;
}
