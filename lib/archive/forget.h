/*
 * Forgetting: erase selected messages from all time. Every volume that holds their bytes, a journal
 * or checkpoint naming them, or unreferenced bytes is emptied into the newest volume and removed,
 * and the catalogue is rebuilt. What remains is a tombstone (folder, UIDVALIDITY, uid) for each
 * place where the message is on the server now, so that it is not fetched again. Records of flags
 * and of removed uids may still name the uid.
 *
 * Bytes that another message shares stay. Files are removed, not overwritten. Copies of the archive
 * do not change.
 */
#ifndef MAILSTOW_ARCHIVE_FORGET_H
#define MAILSTOW_ARCHIVE_FORGET_H

#include <stddef.h>
#include <stdint.h>

#include "archive/archive.h"
#include "base/crypto.h"
#include "base/err.h"

struct archive_forgotten {
	uint64_t messages;
	uint64_t volumes; /* files removed */
	uint64_t bytes;   /* freed on disk */
};

/*
 * digests: of the messages' exact bytes; unknown ones are ignored. Takes the writer lock. Completes
 * an interrupted earlier run, also with count 0.
 *
 * ERR_BUSY: the lock is held, or a reader does not finish; then the next writer, or another run,
 * removes the remaining files.
 */
bool archive_forget(const struct archive_ref *archive, const uint8_t (*digests)[SHA256_BYTES],
	size_t count, int timeout_ms, struct archive_forgotten *ret_forgotten, struct err *err);

#endif
