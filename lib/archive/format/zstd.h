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

/* Contexts of zstd, for one thread at a time. */
struct zstd;

struct zstd *zstd_new(void);
void zstd_freep(struct zstd **zstd);

/* Replace out by the compressed data. False: that would take more than max_len bytes. */
bool zstd_pack(struct zstd *zstd, int level, const void *data, size_t len, size_t max_len,
	struct buf *out);

/* Replace out by exactly raw_len bytes. False: data is damaged or has another length. */
bool zstd_unpack(struct zstd *zstd, const void *data, size_t len, size_t raw_len, struct buf *out);

#endif
