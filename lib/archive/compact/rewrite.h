/*
 * Rewriting a volume: a new file with the same items, repacked (seal.h) or under another key
 * (rekey.h), replaces it. Writing the file does not need the writer lock; replacing the
 * volume does.
 */
#ifndef MAILSTOW_ARCHIVE_COMPACT_REWRITE_H
#define MAILSTOW_ARCHIVE_COMPACT_REWRITE_H

#include "archive/compact/rewrite_repack.h"

/* *ret_chosen: rewrite this volume? */
typedef bool rewrite_choose(
	void *context, const struct catalogue_volume *volume, bool *ret_chosen, struct err *err);

/* Plan the first chosen volume with a sequence above `after`: its items, by folder. */
bool rewrite_plan_next(const struct archive_ref *archive, int64_t after, rewrite_choose *choose,
	void *context, bool *ret_found, struct rewrite_plan *ret_plan, struct err *err);

/*
 * Under the writer lock: publish the new volume, update the catalogue, and remove the old file, or
 * leave it to the next writer if a reader needs it. *ret_done false: the volume changed since it
 * was planned; the caller still owns what was made. A crash after publishing is completed by the
 * next writer (catalogue/replace.h); before it, the temporary file is removed.
 */
bool rewrite_replace(const struct archive_ref *archive, const struct rewrite_plan *plan,
	struct volume *made, const struct directory *directory, int timeout_ms, bool *ret_done,
	struct err *err);

#endif
