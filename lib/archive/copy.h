/*
 * Copying an archive, so that there is another one when this disk dies. The copy is an archive.
 */
#ifndef MAILSTOW_ARCHIVE_COPY_H
#define MAILSTOW_ARCHIVE_COPY_H

#include <stdint.h>

#include "archive/archive.h"

struct archive_copied {
	uint64_t files; /* copied: volumes and the catalogue */
	uint64_t bytes;
};

/*
 * Create or update the copy at `to` of the archive at `from`. Copies a full volume once, the newest
 * volume and the catalogue when they changed. New files are first staged beside the old ones
 * (volume/staged.h), which needs room for both. Holds both writer locks, so a mirror waits.
 * Interrupted at any point, the copy can be read, adopted and written to, either as before or as
 * new, and another run continues with the staged files.
 *
 * ERR_CREATE: `to` is not a copy of this archive, has commits that this archive lacks, is under the
 * previous master key, or cannot be read; it is left alone. ERR_BUSY: names the holder of a lock,
 * or says that readers delay the WAL checkpoint.
 */
bool archive_copy(const struct archive_ref *from, const char *to, int timeout_ms,
	struct archive_copied *ret_copied, struct err *err);

#endif
