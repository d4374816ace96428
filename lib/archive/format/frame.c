#include "archive/format/frame.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rand.h"

enum { ENCRYPTION_BYTES = GCM_NONCE_BYTES + GCM_TAG_BYTES, BOUND_BYTES = 4 + 16 + 16 + 8 + 2 + 8 };

static uint8_t *put_number(uint8_t *at, uint64_t number)
{
	for (int shift = 56; shift >= 0; shift -= 8)
		*at++ = (uint8_t)(number >> shift);
	return at;
}

/* The additional data of an encrypted frame, so that a frame cannot be moved, swapped or retyped.
 */
static void bind_frame(const struct frame_cipher *cipher, int64_t id, const struct frame *frame,
	uint8_t out[BOUND_BYTES])
{
	uint8_t *at = mempcpy(out, "MSF1", 4);

	at = mempcpy(at, cipher->archive, sizeof(cipher->archive));
	at = mempcpy(at, cipher->volume, sizeof(cipher->volume));
	at = put_number(at, (uint64_t)id);
	*at++ = (uint8_t)frame->kind;
	*at++ = (uint8_t)frame->codec;
	at = put_number(at, frame->raw_len);
	assert(at == out + BOUND_BYTES);
}

/* In place if frame->data already points into out. */
static void encrypt_frame(
	const struct frame_cipher *cipher, int64_t id, struct buf *out, struct frame *frame)
{
	uint8_t bound[BOUND_BYTES];
	size_t len = frame->len;
	bool in_place = frame->data == out->data;

	frame->codec |= CODEC_ENCRYPTED;
	bind_frame(cipher, id, frame, bound);
	out->len = in_place ? len : 0;
	if (!buf_reserve(out, (in_place ? 0 : len) + ENCRYPTION_BYTES))
		abort(); /* the caller gave out too small a maximum */
	if (in_place)
		memmove(out->data + GCM_NONCE_BYTES, out->data, len);
	rand_bytes(out->data, GCM_NONCE_BYTES);
	gcm_encrypt(cipher->gcm, out->data, (struct gcm_bytes){bound, sizeof(bound)},
		(struct gcm_bytes){in_place ? out->data + GCM_NONCE_BYTES : frame->data, len},
		out->data + GCM_NONCE_BYTES, out->data + GCM_NONCE_BYTES + len);
	out->len = len + ENCRYPTION_BYTES;
	frame->data = out->data;
	frame->len = out->len;
}

static const int levels[] = {
	[EFFORT_FLOW] = ZSTD_LEVEL_FLOW,
	[EFFORT_LITTLE] = ZSTD_LEVEL_LITTLE,
	[EFFORT_SEAL] = ZSTD_LEVEL_SEAL,
};

void frame_pack(struct zstd *zstd, enum frame_effort effort, const struct frame_cipher *cipher,
	int64_t id, enum frame_kind kind, const struct buf *raw, struct buf *out,
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
	if (zstd_pack(zstd, levels[effort], raw->data, raw->len, worth, out)) {
		frame.codec = CODEC_ZSTD;
		frame.data = out->data;
		frame.len = out->len;
	}
	if (cipher)
		encrypt_frame(cipher, id, out, &frame);
	sha256_of(frame.data, frame.len, frame.sha256);
	*ret_frame = frame;
}

static bool unpack(
	struct zstd *zstd, const struct frame *frame, struct buf *ret_raw, struct err *err)
{
	buf_reset(ret_raw);
	switch (frame->codec) {
	case CODEC_STORED:
		if (frame->len == frame->raw_len && buf_add(ret_raw, frame->data, frame->len))
			return true;
		return err_set(err, ERR_CORRUPT, "has an unexpected length");
	case CODEC_ZSTD:
		if (zstd_unpack(zstd, frame->data, frame->len, frame->raw_len, ret_raw))
			return true;
		return err_set(err, ERR_CORRUPT, "cannot be decompressed");
	default:
		return err_set(err, ERR_CORRUPT, "has codec %d, which this mailstow does not know",
			frame->codec);
	}
}

/* ret_inner->data, the codec's output, points to *ret_opened, which the caller frees. */
static bool decrypt_frame(const struct frame_cipher *cipher, int64_t id, const struct frame *frame,
	uint8_t **ret_opened, struct frame *ret_inner, struct err *err)
{
	CLEANUP(freep) uint8_t *opened = NULL;
	const uint8_t *stored = frame->data;
	uint8_t bound[BOUND_BYTES];
	size_t len;

	if (frame->len <= ENCRYPTION_BYTES || frame->len > FRAME_ENCRYPTED_BYTES_MAX)
		return err_set(err, ERR_CORRUPT, "has an unexpected length");
	len = frame->len - ENCRYPTION_BYTES;
	opened = xmalloc(len);
	bind_frame(cipher, id, frame, bound);
	if (!gcm_decrypt(cipher->gcm, stored, (struct gcm_bytes){bound, sizeof(bound)},
		    (struct gcm_bytes){stored + GCM_NONCE_BYTES, len},
		    stored + GCM_NONCE_BYTES + len, opened))
		return err_set(err, ERR_CORRUPT, "fails authentication: it was changed or moved");
	*ret_inner = *frame;
	ret_inner->codec &= ~CODEC_ENCRYPTED;
	ret_inner->len = len;
	ret_inner->data = opened;
	*ret_opened = TAKE(opened);
	return true;
}

static bool check_stored(
	const struct frame_cipher *cipher, const struct frame *frame, struct err *err)
{
	bool encrypted = (frame->codec & CODEC_ENCRYPTED) != 0;
	uint8_t sha256[SHA256_BYTES];

	if (frame->raw_len > FRAME_RAW_BYTES_MAX)
		return err_set(err, ERR_CORRUPT, "claims %zu raw bytes", frame->raw_len);
	if (frame->codec < 0 || frame->codec > UINT8_MAX)
		return err_set(err, ERR_CORRUPT, "has codec %d, which this mailstow does not know",
			frame->codec);
	if (encrypted != (cipher != NULL))
		return err_set(err, ERR_CORRUPT,
			encrypted ? "is encrypted in a plain volume"
				  : "is plain in an encrypted volume");
	sha256_of(frame->data, frame->len, sha256);
	return crypto_equal(sha256, frame->sha256, SHA256_BYTES) ||
	       err_set(err, ERR_CORRUPT, "does not match its recorded SHA-256");
}

bool frame_unpack(struct zstd *zstd, const struct frame_cipher *cipher, int64_t id,
	const struct frame *frame, struct buf *ret_raw, struct err *err)
{
	CLEANUP(freep) uint8_t *opened = NULL;
	struct frame inner = *frame;

	return check_stored(cipher, frame, err) &&
	       (!cipher || decrypt_frame(cipher, id, frame, &opened, &inner, err)) &&
	       unpack(zstd, &inner, ret_raw, err);
}

bool frame_reencrypt(const struct frame_cipher *from, const struct frame_cipher *to, int64_t id,
	const struct frame *frame, struct buf *out, struct frame *ret_frame, struct err *err)
{
	CLEANUP(freep) uint8_t *opened = NULL;
	struct frame inner = *frame;

	assert(to);
	if (!check_stored(from, frame, err) ||
		(from && !decrypt_frame(from, id, frame, &opened, &inner, err)))
		return false;
	if (inner.len > FRAME_RAW_BYTES_MAX)
		return err_set(err, ERR_CORRUPT, "has an unexpected length");
	encrypt_frame(to, id, out, &inner);
	sha256_of(inner.data, inner.len, inner.sha256);
	*ret_frame = inner;
	return true;
}

bool frame_same(const struct frame_cipher *from, const struct frame *frame,
	const struct frame_cipher *to, const struct frame *reencrypted, int64_t id, bool *ret_same,
	struct err *err)
{
	CLEANUP(freep) uint8_t *opened = NULL;
	CLEANUP(freep) uint8_t *again = NULL;
	struct frame a = *frame, b;

	assert(to);
	if (!check_stored(from, frame, err) || !check_stored(to, reencrypted, err) ||
		(from && !decrypt_frame(from, id, frame, &opened, &a, err)) ||
		!decrypt_frame(to, id, reencrypted, &again, &b, err))
		return false;
	*ret_same = a.kind == b.kind && a.codec == b.codec && a.raw_len == b.raw_len &&
		    a.len == b.len && memcmp(a.data, b.data, a.len) == 0;
	return true;
}
