/*
 * Adopting an archive from elsewhere, for example a copy on another disk, in order to continue it.
 * The source is only read.
 */
#ifndef MAILSTOW_ARCHIVE_ADOPT_H
#define MAILSTOW_ARCHIVE_ADOPT_H

#include "archive/check.h"

struct archive_adopted {
	uint64_t files; /* that were copied */
	uint64_t bytes;
	bool was_there;            /* `to` was this archive in this state already */
	char head[SHA256_HEX_MAX]; /* "" when empty */
};

/*
 * Create at `to` an archive with everything that the one at `from` holds, and the next owner epoch,
 * so that mail mirrored into it is never confused with mail mirrored into the other one. An
 * encrypted archive is unlocked as `from`; its keys stay the same.
 *
 * Copies the volumes, rebuilds the catalogue from them, and checks everything in a folder
 * ".NAME.adopt" beside `to`, which then gets its name. An interrupted run leaves that folder; the
 * next run continues there. Changes nothing below `from`: holds its writer lock, if it has a lock
 * file; on read-only media nobody may write to it meanwhile.
 *
 * ERR_NOT_FOUND: no archive at `from`. ERR_CREATE: something else is at `to`, or this archive in
 * another state. ERR_CORRUPT: it is damaged; finding() got the details, as from archive_check(),
 * and the copied files are removed.
 */
bool archive_adopt(const struct archive_ref *from, const char *to,
	bool (*finding)(void *context, const struct archive_finding *finding, struct err *err),
	void *context, int timeout_ms, struct archive_adopted *ret_adopted, struct err *err);

#endif
