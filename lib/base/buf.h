/*
 * A byte buffer that grows up to a maximum, which every buffer has.
 *
 * buf_add() and friends return false and add nothing if that would exceed the maximum; the caller
 * reports its own limit. Once anything was added, data is followed by a NUL that len does not
 * count, so that text is a C string.
 */
#ifndef MAILSTOW_BASE_BUF_H
#define MAILSTOW_BASE_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct buf {
	uint8_t *data;
	size_t len;
	size_t cap;
	size_t max;
};

#define BUF_INIT(max_bytes)                                                                        \
	{                                                                                          \
		.max = (max_bytes)                                                                 \
	}

void buf_init(struct buf *buf, size_t max_bytes);
void buf_free(struct buf *buf);  /* also for CLEANUP(); may be used again afterwards */
void buf_reset(struct buf *buf); /* len = 0, memory kept */
void buf_wipe(struct buf *buf);  /* for secrets: overwrites the contents, then buf_free() */

bool buf_add(struct buf *buf, const void *data, size_t len) MUST_USE;
bool buf_add_str(struct buf *buf, const char *text) MUST_USE;
bool buf_add_byte(struct buf *buf, uint8_t byte) MUST_USE;
bool buf_printf(struct buf *buf, const char *format, ...) PRINTF_LIKE(2, 3) MUST_USE;
bool buf_vprintf(struct buf *buf, const char *format, va_list args) PRINTF_LIKE(2, 0) MUST_USE;

/* Room for len more bytes; the caller adds to buf->len what it used. NULL: over the maximum. */
uint8_t *buf_reserve(struct buf *buf, size_t len) MUST_USE;

/* Drops len bytes from the front. */
void buf_consume(struct buf *buf, size_t len);

/* The text as a C string ("" when empty), owned by the buffer. */
const char *buf_str(const struct buf *buf);

/* Hands the memory to the caller as a C string; the buffer is empty afterwards. */
char *buf_take_str(struct buf *buf);

#endif
