/*
 * Frames of a volume whose items go elsewhere, because it is emptied or sealed. The last few read
 * are kept: what belongs together lies together.
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
		uint64_t used; /* when; the lowest goes first */
		struct buf raw;
	} frames[SOURCE_FRAMES_KEPT];
	uint64_t uses;
};

void source_init(struct source *source, struct volume *volume, struct zstd *zstd);
void source_free(struct source *source); /* also for CLEANUP() */

/* Where an item's bytes are in it, or those of it that are left. */
struct source_item {
	int64_t id;
	int64_t frame;
	uint64_t offset;
	uint64_t size;
};

/* Take the next bytes of an item that has some left: at most `most`, those in one frame. They are
 * valid until the next call. ERR_CORRUPT. */
bool source_take(struct source *source, struct source_item *left, uint64_t most,
	const uint8_t **ret_data, size_t *ret_len, struct err *err);

#endif
