/*
 * The two locks of an archive: files that are locked and never written.
 *
 * A process holds the writer lock while it changes the archive. It holds the repack lock, which is
 * taken first, while it has an unfinished volume in the volumes folder for longer than one
 * transaction (seal, rekey, adopt); writers then leave unfinished files alone. Only forget
 * removes them all the same, since they may hold forgotten mail; rewrite_replace() notices.
 *
 * Errors: ERR_BUSY names the holder. ERR_AUTH: the file cannot be created or opened.
 */
#ifndef MAILSTOW_ARCHIVE_VOLUME_WRITER_LOCK_H
#define MAILSTOW_ARCHIVE_VOLUME_WRITER_LOCK_H

#include <stdbool.h>

#include "base/err.h"

bool writer_lock_take(const char *archive_path, int timeout_ms, int *ret_lock, struct err *err);

/*
 * For readers that must keep writers out. True with *ret_lock unchanged when the file cannot be
 * created: then nobody can write either.
 */
bool writer_lock_take_if_allowed(
	const char *archive_path, int timeout_ms, int *ret_lock, struct err *err);

/* The same, but never creates the file: it could belong to the wrong user, or modify a read-only
 * copy. */
bool writer_lock_take_if_exists(
	const char *archive_path, int timeout_ms, int *ret_lock, struct err *err);

bool repack_lock_take(const char *archive_path, int timeout_ms, int *ret_lock, struct err *err);
bool repack_lock_is_held(const char *archive_path);

#endif
