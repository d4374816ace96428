/*
 * Numbers and texts as the journal writes them. Unsigned: seven bits a byte, lowest first, the
 * high bit says that more follow (at most ten bytes, no needless ones). Signed: zigzag. Bytes:
 * their length, then themselves.
 *
 * Reading is safe for hostile input: a reader that met something impossible is bad from then on and
 * gives zeros and empty texts; callers look at `bad` once, at the end.
 */
#ifndef MAILSTOW_ARCHIVE_FORMAT_VARINT_H
#define MAILSTOW_ARCHIVE_FORMAT_VARINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Text or bytes that belong to somebody else. */
struct text {
	const char *data;
	size_t len;
};

struct text text_of(const char *string); /* NULL is "" */
bool text_equal(struct text text, const char *string);

/* False when the buffer's maximum is reached. */
bool put_uint(struct buf *out, uint64_t value) MUST_USE;
bool put_int(struct buf *out, int64_t value) MUST_USE;
bool put_text(struct buf *out, struct text text) MUST_USE;

struct reader {
	const uint8_t *at;
	const uint8_t *end;
	bool bad;
};

uint64_t get_uint(struct reader *reader);
uint64_t get_uint_max(struct reader *reader, uint64_t max); /* more than max is bad */
int64_t get_int(struct reader *reader);
const uint8_t *get_bytes(struct reader *reader, size_t len); /* NULL when bad */
/* At most max bytes and without NUL. */
struct text get_text(struct reader *reader, size_t max);

#endif
