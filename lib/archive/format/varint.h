/*
 * The journal's encoding of numbers and texts. Unsigned: seven bits per byte, lowest first; the
 * high bit means that more follow (at most ten bytes, no superfluous ones). Signed: zigzag. Text:
 * its length, then its bytes.
 *
 * Reading is safe for hostile input. After malformed input a reader is bad and returns zeros and
 * empty texts, so callers check `bad` once, at the end.
 */
#ifndef MAILSTOW_ARCHIVE_FORMAT_VARINT_H
#define MAILSTOW_ARCHIVE_FORMAT_VARINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Borrowed text or bytes, not terminated by NUL. */
struct text {
	const char *data;
	size_t len;
};

struct text text_of(const char *string); /* NULL is "" */
bool text_equal(struct text text, const char *string);

/* False: the buffer's maximum is reached. */
bool put_uint(struct buf *out, uint64_t value) MUST_USE;
bool put_int(struct buf *out, int64_t value) MUST_USE;
bool put_text(struct buf *out, struct text text) MUST_USE;

struct reader {
	const uint8_t *at;
	const uint8_t *end;
	bool bad;
};

uint64_t get_uint(struct reader *reader);
uint64_t get_uint_max(struct reader *reader, uint64_t max); /* bad if more than max */
int64_t get_int(struct reader *reader);
const uint8_t *get_bytes(struct reader *reader, size_t len); /* NULL when bad */
/* Bad if longer than max or with a NUL. */
struct text get_text(struct reader *reader, size_t max);

#endif
