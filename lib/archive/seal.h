/*
 * Sealing: a full volume is written once more, into a file of its own that takes its place. Small
 * items of a folder lie together there in the order of their UIDs, whatever the day they came;
 * frames are pressed as hard as it pays; a directory says where the items lie. The journal stays
 * byte for byte, and so does the archive's head.
 *
 * Making the file takes no lock: full volumes do not change, and if pruning was quicker, the file
 * is thrown away. Before it takes the other's place, every byte in it was compared. Stopped at any
 * point, the archive has the one or the other.
 *
 * Sealing often makes small volumes. Some of them become one (reclaim.h), under the writer's lock,
 * which is sealed in its turn; the checkpoint this writes makes another head.
 */
#ifndef MAILSTOW_ARCHIVE_SEAL_H
#define MAILSTOW_ARCHIVE_SEAL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/wait.h"

enum {
	SEAL_PACK_BYTES = 2 * 1024 * 1024, /* raw, of a pack */
	SEAL_SMALL_COUNT = 8,              /* so many small volumes become one */
	SEAL_MIDDLE_BYTES_MAX =
		512 * 1024, /* a part below this joins others, if it can be pressed */
};

struct archive_seal {
	uint64_t open_bytes_min;     /* the newest volume too, when it has as much; 0: never */
	size_t small_count;          /* usually SEAL_SMALL_COUNT; 0: small ones stay as they are */
	const struct cancel *cancel; /* looked at between frames; NULL: cannot be stopped */
};

struct archive_sealed {
	uint64_t volumes;
	uint64_t merged; /* small volumes that are in others now */
	uint64_t bytes_before;
	uint64_t bytes_after;
};

/*
 * What waits in -wal files goes into the files, so that they are the whole archive; as far as no
 * reader is in the way. The next commit costs an fsync more. Takes the writer's lock. ERR_BUSY.
 */
bool archive_checkpoint_wal(const char *path, int timeout_ms, struct err *err);

/* All full volumes that are not sealed yet, one after the other. Takes the writer's lock for a
 * moment each. ERR_CORRUPT: a volume that cannot be read in whole stays as it is. ERR_CANCELLED. */
bool archive_seal(const char *path, const struct archive_seal *seal, int timeout_ms,
	struct archive_sealed *ret_sealed, struct err *err);

#endif
