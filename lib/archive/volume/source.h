/*
 * Reads items of a volume that is being emptied or repacked. Caches the last few frames, because
 * related items are stored together.
 */
#ifndef MAILSTOW_ARCHIVE_VOLUME_SOURCE_H
#define MAILSTOW_ARCHIVE_VOLUME_SOURCE_H

#include "archive/volume/volume.h"

enum { SOURCE_FRAMES_KEPT = 6 };

struct source {
	struct volume *volume; /* the caller's */
	struct zstd *zstd;     /* the caller's */
	struct source_frame {
		int64_t id;    /* 0: none */
		uint64_t used; /* time of the last use; the lowest is evicted first */
		struct buf raw;
	} frames[SOURCE_FRAMES_KEPT];
	uint64_t uses;
};

void source_init(struct source *source, struct volume *volume, struct zstd *zstd);
void source_free(struct source *source); /* also for CLEANUP() */

/* The location of an item's bytes, or of those not yet taken. */
struct source_item {
	int64_t id;
	int64_t frame;
	uint64_t offset;
	uint64_t size;
};

/* Take the next bytes of an item with bytes left: at most `most`, from one frame. They are valid
 * until the next call. ERR_CORRUPT. */
bool source_take(struct source *source, struct source_item *left, uint64_t most,
	const uint8_t **ret_data, size_t *ret_len, struct err *err);

#endif
