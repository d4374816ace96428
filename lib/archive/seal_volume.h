/*
 * Inside the room: making the sealed file (seal_volume.c) of a full volume. Nothing of the archive
 * changes.
 */
#ifndef MAILSTOW_ARCHIVE_SEAL_VOLUME_H
#define MAILSTOW_ARCHIVE_SEAL_VOLUME_H

#include "archive/catalogue.h"
#include "archive/directory.h"
#include "archive/source.h"
#include "base/wait.h"

/* What is to be in it. */
struct seal_plan {
	struct catalogue_volume volume;
	struct source_item *items; /* in the order they shall lie in; small ones first */
	size_t count;
	size_t cap;
};
/* Who looks on while it is made. */
struct seal_watch {
	const struct cancel *cancel; /* looked at between frames; NULL: cannot be stopped */
	void (*wrote)(void *context, uint64_t bytes); /* so many more as stored; NULL: nobody */
	void *context;
};

void seal_plan_free(struct seal_plan *plan); /* also for CLEANUP() */

/*
 * Make it, whole, under a name that means nothing, and compare it with what it was made of.
 * *ret_made is to be published (volume_publish_sealed()) or thrown away.
 */
bool seal_make(const char *archive_path, const struct seal_plan *plan,
	const struct seal_watch *watch, struct volume *ret_made, struct directory *ret_directory,
	struct err *err);

/* Has it been cancelled? ERR_CANCELLED. */
bool seal_go_on(const struct seal_watch *watch, struct err *err);

/* Close and remove what will not be published. */
void seal_throw_away(struct volume *made);

#endif
