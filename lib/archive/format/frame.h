/*
 * A frame: bytes as stored in a volume, with kind, codec, raw length and digest
 * (schema/README.md, "Table frame"). Frames are compressed and, in encrypted volumes, encrypted
 * here.
 */
#ifndef MAILSTOW_ARCHIVE_FORMAT_FRAME_H
#define MAILSTOW_ARCHIVE_FORMAT_FRAME_H

#include "archive/format/zstd.h"
#include "base/crypto.h"
#include "base/err.h"

enum {
	FRAME_RAW_BYTES_MAX = 4 * 1024 * 1024,
	FRAME_ENCRYPTED_BYTES_MAX = FRAME_RAW_BYTES_MAX + GCM_NONCE_BYTES + GCM_TAG_BYTES,
	FRAME_SAVING_PERCENT = 3, /* saves less: stored uncompressed */
};

/* The numbers are the format's. */
enum frame_kind {
	FRAME_PACK = 1,
	FRAME_PART = 2,
	FRAME_JOURNAL = 3,
	FRAME_DIRECTORY = 4, /* of a sealed volume: where its items are */
	FRAME_CHECKPOINT = 5
};
enum frame_codec { CODEC_STORED = 0, CODEC_ZSTD = 1, CODEC_ENCRYPTED = 16 };

/* An encrypted volume's key, and the uuids that its frames are bound to. */
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

/*
 * How hard to compress. FLOW keeps up with a bulk mirror. LITTLE is for the few kilobytes of a
 * push, which take some ms even at a higher level. SEAL is for repacking, which happens once, when
 * idle.
 */
enum frame_effort { EFFORT_FLOW, EFFORT_LITTLE, EFFORT_SEAL };

/*
 * Compress raw if that saves enough, then encrypt it as frame `id` of its volume unless cipher is
 * NULL. ret_frame->data points into raw or out. raw has 1 to FRAME_RAW_BYTES_MAX bytes.
 */
void frame_pack(struct zstd *zstd, enum frame_effort effort, const struct frame_cipher *cipher,
	int64_t id, enum frame_kind kind, const struct buf *raw, struct buf *out,
	struct frame *ret_frame);

/*
 * Check the digest, decrypt if there is a cipher, and decompress. ERR_CORRUPT says what is wrong,
 * also with a plain frame in an encrypted volume and the other way round.
 */
bool frame_unpack(struct zstd *zstd, const struct frame_cipher *cipher, int64_t id,
	const struct frame *frame, struct buf *ret_raw, struct err *err);

/*
 * Encrypt a frame for another volume under the same id, from one cipher (NULL: plain) to another.
 * The codec's output stays the same. ret_frame->data points into out. ERR_CORRUPT as above.
 */
bool frame_reencrypt(const struct frame_cipher *from, const struct frame_cipher *to, int64_t id,
	const struct frame *frame, struct buf *out, struct frame *ret_frame, struct err *err);

/* Are both the same frame under their own ciphers? Compares kind, codec, length and the codec's
 * output. ERR_CORRUPT as above. */
bool frame_same(const struct frame_cipher *from, const struct frame *frame,
	const struct frame_cipher *to, const struct frame *reencrypted, int64_t id, bool *ret_same,
	struct err *err);

#endif
