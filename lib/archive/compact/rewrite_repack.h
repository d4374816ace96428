/*
 * Repacking a full volume into a new file. Changes nothing in the archive.
 */
#ifndef MAILSTOW_ARCHIVE_COMPACT_REWRITE_REPACK_H
#define MAILSTOW_ARCHIVE_COMPACT_REWRITE_REPACK_H

#include "archive/catalogue/catalogue.h"
#include "archive/volume/directory.h"
#include "archive/volume/source.h"
#include "base/wait.h"

/* The content of the new volume. */
struct rewrite_plan {
	struct catalogue_volume volume;
	struct source_item *items; /* in storage order; small items first */
	size_t count;
	size_t cap;
};
/* Cancelling and progress while it is made. */
struct rewrite_watch {
	const struct cancel *cancel; /* checked between frames; NULL: cannot be cancelled */
	void (*wrote)(
		void *context, uint64_t bytes); /* bytes stored since the last call; may be NULL */
	void *context;
};

void rewrite_plan_free(struct rewrite_plan *plan); /* also for CLEANUP() */

/*
 * Make the whole volume under a temporary name, and compare every item with the original. The
 * caller publishes *ret_made (volume_publish_sealed()) or discards it.
 */
bool rewrite_repack(const struct archive_ref *archive, const struct rewrite_plan *plan,
	const struct rewrite_watch *watch, struct volume *ret_made, struct directory *ret_directory,
	struct err *err);

/* ERR_CANCELLED: it was cancelled. */
bool rewrite_go_on(const struct rewrite_watch *watch, struct err *err);

/* Close and remove a volume that will not be published. */
void rewrite_discard(struct volume *made);

#endif
