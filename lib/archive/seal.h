/*
 * Sealing: repack a full volume into a new file that replaces it. The new file stores the small
 * items of a folder together, in the order of their UIDs, compresses as hard as it pays, and has a
 * directory of its items. The journal keeps the payloads that replay still needs, byte for
 * byte, so the archive's head stays the same.
 *
 * Repacking holds only the repack lock, which keeps other repackers out: full volumes do not
 * change. If the volume was pruned meanwhile, the new file is discarded. Every byte is compared
 * before the new file replaces the old one. Interrupted at any point, the archive has one or the
 * other.
 *
 * Frequent sealing makes small volumes. They are merged into one (compact/reclaim.h) under the
 * writer lock, and the result is sealed too. Merging writes a journal checkpoint, which moves the
 * head.
 */
#ifndef MAILSTOW_ARCHIVE_SEAL_H
#define MAILSTOW_ARCHIVE_SEAL_H

#include <stdbool.h>
#include <stdint.h>

#include "archive/archive.h"
#include "base/err.h"
#include "base/wait.h"

enum {
	SEAL_PACK_BYTES = 2 * 1024 * 1024,  /* raw, of a pack */
	SEAL_SMALL_COUNT = 8,               /* this many small volumes are merged */
	SEAL_MIDDLE_BYTES_MAX = 512 * 1024, /* a smaller part joins a pack, if compressible */
};

struct archive_seal {
	uint64_t open_bytes_min;     /* seal the newest volume too from this size on; 0: never */
	size_t small_count;          /* usually SEAL_SMALL_COUNT; 0: do not merge */
	const struct cancel *cancel; /* checked between frames; NULL: cannot be cancelled */
};

struct archive_sealed {
	uint64_t volumes;
	uint64_t merged; /* small volumes merged into others */
	uint64_t bytes_before;
	uint64_t bytes_after;
};

/*
 * Checkpoint all -wal files, so that the database files alone are the archive, as far as readers
 * allow. The next commit costs one more fsync. Takes the writer lock. ERR_BUSY.
 */
bool archive_checkpoint_wal(const struct archive_ref *archive, int timeout_ms, struct err *err);

/* Seal all full volumes, one after the other. Takes the writer lock briefly for each. ERR_CORRUPT:
 * a volume cannot be read completely and stays as it is. ERR_CANCELLED. */
bool archive_seal(const struct archive_ref *archive, const struct archive_seal *seal,
	int timeout_ms, struct archive_sealed *ret_sealed, struct err *err);

#endif
