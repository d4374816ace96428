/*
 * A frame: bytes as they stand in a volume, with their kind, codec, raw length and digest.
 */
#ifndef MAILSTOW_ARCHIVE_FORMAT_FRAME_H
#define MAILSTOW_ARCHIVE_FORMAT_FRAME_H

#include "archive/format/zstd.h"
#include "base/crypto.h"
#include "base/err.h"

enum {
	FRAME_RAW_BYTES_MAX = 4 * 1024 * 1024,
	FRAME_ENCRYPTED_BYTES_MAX = FRAME_RAW_BYTES_MAX + GCM_NONCE_BYTES + GCM_TAG_BYTES,
	FRAME_SAVING_PERCENT = 3, /* less saved: stored as it is */
};

/* The numbers are the format's. */
enum frame_kind {
	FRAME_PACK = 1,
	FRAME_PART = 2,
	FRAME_JOURNAL = 3,
	FRAME_DIRECTORY = 4, /* of a sealed volume: where its items lie */
	FRAME_CHECKPOINT = 5
};
enum frame_codec { CODEC_STORED = 0, CODEC_ZSTD = 1, CODEC_ENCRYPTED = 16 };

/* Of an encrypted volume: its key, and what its frames are bound to. */
struct frame_cipher {
	struct gcm *gcm;
	uint8_t archive[16];
	uint8_t volume[16];
};

struct frame {
	enum frame_kind kind;
	int codec;
	size_t raw_len;
	uint8_t sha256[SHA256_BYTES]; /* of data */
	const void *data;             /* as stored */
	size_t len;
};

/* How hard to press. In the flow of mail it is never what others wait for; the little of a push is
 * pressed harder, it is done in some ms; a volume that is sealed is pressed once, at leisure, for
 * good. */
enum frame_effort { EFFORT_FLOW, EFFORT_LITTLE, EFFORT_SEAL };

/* Choose codec and bytes for raw. frame->data is raw itself or lies in out. cipher NULL: plain;
 * else it is sealed as frame `id` of its volume, and lies in out. */
void frame_pack(struct zstd *zstd, enum frame_effort effort, const struct frame_cipher *cipher,
	int64_t id, enum frame_kind kind, const struct buf *raw, struct buf *out,
	struct frame *ret_frame);

/* Check the digest, open it if there is a cipher, and give the raw bytes. ERR_CORRUPT says what is
 * wrong. A frame that is plain where there is a cipher, or the other way round, is. */
bool frame_unpack(struct zstd *zstd, const struct frame_cipher *cipher, int64_t id,
	const struct frame *frame, struct buf *ret_raw, struct err *err);

/*
 * The same frame in another volume, under the same id: from one cipher, or none, to another, what
 * the codec made left as it is. frame->data lies in out. ERR_CORRUPT as above.
 */
bool frame_reencrypt(const struct frame_cipher *from, const struct frame_cipher *to, int64_t id,
	const struct frame *frame, struct buf *out, struct frame *ret_frame, struct err *err);

/* Is that what became of it? Codec, length and what the codec made are compared. */
bool frame_same(const struct frame_cipher *from, const struct frame *frame,
	const struct frame_cipher *to, const struct frame *resealed, int64_t id, bool *ret_same,
	struct err *err);

#endif
