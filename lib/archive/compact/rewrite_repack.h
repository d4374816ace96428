/*
 * Inside the room: making the sealed file (seal_volume.c) of a full volume. Nothing of the archive
 * changes.
 */
#ifndef MAILSTOW_ARCHIVE_COMPACT_REWRITE_REPACK_H
#define MAILSTOW_ARCHIVE_COMPACT_REWRITE_REPACK_H

#include "archive/catalogue/catalogue.h"
#include "archive/volume/directory.h"
#include "archive/volume/source.h"
#include "base/wait.h"

/* What is to be in it. */
struct rewrite_plan {
	struct catalogue_volume volume;
	struct source_item *items; /* in the order they shall lie in; small ones first */
	size_t count;
	size_t cap;
};
/* Who looks on while it is made. */
struct rewrite_watch {
	const struct cancel *cancel; /* looked at between frames; NULL: cannot be stopped */
	void (*wrote)(void *context, uint64_t bytes); /* so many more as stored; NULL: nobody */
	void *context;
};

void rewrite_plan_free(struct rewrite_plan *plan); /* also for CLEANUP() */

/*
 * Make it, whole, under a name that means nothing, and compare it with what it was made of.
 * *ret_made is to be published (volume_publish_sealed()) or thrown away.
 */
bool rewrite_repack(const struct archive_ref *archive, const struct rewrite_plan *plan,
	const struct rewrite_watch *watch, struct volume *ret_made, struct directory *ret_directory,
	struct err *err);

/* Has it been cancelled? ERR_CANCELLED. */
bool rewrite_go_on(const struct rewrite_watch *watch, struct err *err);

/* Close and remove what will not be published. */
void rewrite_discard(struct volume *made);

#endif
