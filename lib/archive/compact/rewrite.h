/*
 * Inside the room: a volume is written anew, sealed (seal.h) or under another key (rekey.h), and
 * takes the place of the one it was made of. Making it takes no lock; taking its place does.
 */
#ifndef MAILSTOW_ARCHIVE_COMPACT_REWRITE_H
#define MAILSTOW_ARCHIVE_COMPACT_REWRITE_H

#include "archive/compact/rewrite_repack.h"

/* Is this one of those? */
typedef bool rewrite_choose(
	void *context, const struct catalogue_volume *volume, bool *ret_chosen, struct err *err);

/* The first volume past the sequence `after` that is chosen, and what is in it, by folder. */
bool rewrite_plan_next(const struct archive_ref *archive, int64_t after, rewrite_choose *choose,
	void *context, bool *ret_found, struct rewrite_plan *ret_plan, struct err *err);

/*
 * Under the writer's lock: publish what was made of the plan, tell the catalogue, remove the old
 * file, unless somebody reads it: then that goes later. *ret_done false: the volume has changed
 * since it was planned; what was made is still the caller's.
 */
bool rewrite_replace(const struct archive_ref *archive, const struct rewrite_plan *plan,
	struct volume *made, const struct directory *directory, int timeout_ms, bool *ret_done,
	struct err *err);

#endif
