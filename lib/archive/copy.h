/*
 * A copy of an archive that is an archive: what is on another disk when this one dies.
 */
#ifndef MAILSTOW_ARCHIVE_COPY_H
#define MAILSTOW_ARCHIVE_COPY_H

#include <stdint.h>

#include "base/err.h"

struct archive_copied {
	uint64_t files; /* that were copied: volumes and the catalogue */
	uint64_t bytes;
};

/*
 * Bring the copy at `to`, made when there is none, up to the archive at `from`. Volumes that are
 * full are copied once; the newest one and the catalogue when they changed. All that is new comes
 * beside what is there first (staged.h), for which there must be room. Holds the writer's lock of
 * both meanwhile, so that a mirror waits. Stopped or failed at any point the copy is read, adopted
 * (adopt.h) and written to as it was before or is now, and another run goes on with what was
 * brought.
 *
 * ERR_CREATE: what is at `to` is no copy of this archive, or holds commits that this one has not,
 * or cannot be read, or it is of before its master key changed; it is left as it is.
 * ERR_BUSY names the holder of a lock, or says that readers keep the -wal from being emptied.
 */
bool archive_copy(const char *from, const char *to, int timeout_ms,
	struct archive_copied *ret_copied, struct err *err);

#endif
