/*
 * Taking in an archive that lies elsewhere, for example a copy on another disk, as one to go on
 * with. Where it comes from is only read.
 */
#ifndef MAILSTOW_ARCHIVE_ADOPT_H
#define MAILSTOW_ARCHIVE_ADOPT_H

#include "archive/check.h"

struct archive_adopted {
	uint64_t files; /* that were copied */
	uint64_t bytes;
	bool was_there;            /* `to` was this very archive, in this state, already */
	char head[SHA256_HEX_MAX]; /* "" when empty */
};

/*
 * Make `to` an archive with all that the one at `from` holds, and a writer's epoch of its own: what
 * is mirrored into it from now on cannot be taken for what somebody mirrors into the other one. An
 * encrypted one is unlocked as `from`; its keys stay the same.
 *
 * Volumes are copied, the catalogue is made anew of them, and all is checked before it gets its
 * name; until then it lies beside, as a folder ".NAME.adopt", where the next run goes on. Nothing
 * below `from` changes: its writer's lock is held meanwhile if there is one, and where that cannot
 * be (read-only media) nobody may write.
 *
 * ERR_NOT_FOUND: nothing at `from`. ERR_CREATE: something else is at `to`, or this archive in
 * another state. ERR_CORRUPT: it is damaged, as finding() was told (as by archive_check()); what
 * was copied is removed.
 */
bool archive_adopt(const char *from, const char *to,
	bool (*finding)(void *context, const struct archive_finding *finding, struct err *err),
	void *context, int timeout_ms, struct archive_adopted *ret_adopted, struct err *err);

#endif
