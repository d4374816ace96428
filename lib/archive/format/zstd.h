/*
 * The one door to zstd.
 */
#ifndef MAILSTOW_ARCHIVE_FORMAT_ZSTD_H
#define MAILSTOW_ARCHIVE_FORMAT_ZSTD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum { ZSTD_LEVEL_FLOW = 3, ZSTD_LEVEL_LITTLE = 12, ZSTD_LEVEL_SEAL = 19 };

/* Working memory, for one thread at a time. */
struct zstd;

struct zstd *zstd_new(void);
void zstd_freep(struct zstd **zstd);

/* Replace out by data compressed, when that takes at most max_len bytes; else false. */
bool zstd_pack(struct zstd *zstd, int level, const void *data, size_t len, size_t max_len,
	struct buf *out);

/* Replace out by exactly raw_len bytes. False when data is damaged or gives another length. */
bool zstd_unpack(struct zstd *zstd, const void *data, size_t len, size_t raw_len, struct buf *out);

#endif
