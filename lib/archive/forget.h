/*
 * Forgetting: chosen messages leave the archive for all time, past and present. Every volume that
 * holds their bytes, or a journal or checkpoint that names them, or bytes that nothing names any
 * more, is emptied into the newest one and removed, and the catalogue is made anew. What is left is
 * a tombstone for each place where the message stands on the server now, folder, UIDVALIDITY and
 * uid: it is not fetched again from there. Changes of flags, and uids that are gone, may still name
 * the uid.
 *
 * Bytes that another message has, too, stay as the other's. Files are removed, not overwritten, and
 * copies of the archive are others' business.
 */
#ifndef MAILSTOW_ARCHIVE_FORGET_H
#define MAILSTOW_ARCHIVE_FORGET_H

#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"
#include "base/err.h"

struct archive_forgotten {
	uint64_t messages;
	uint64_t volumes; /* files removed */
	uint64_t bytes;   /* given back on disk */
};

/*
 * Digests are of the messages' exact bytes; those that are not there are left out. Takes the
 * writer's lock. What an earlier run was stopped in is completed, also with count 0.
 *
 * ERR_BUSY: the lock, or somebody reads all the time; in the latter case what could not be removed
 * goes with the next writer, or another run.
 */
bool archive_forget(const char *path, const uint8_t (*digests)[SHA256_BYTES], size_t count,
	int timeout_ms, struct archive_forgotten *ret_forgotten, struct err *err);

/* A file that is there while a run is under way, or was stopped: the catalogue may hold what was
 * forgotten. The caller frees. */
char *forget_mark(const char *path);

#endif
