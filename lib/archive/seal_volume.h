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
void seal_plan_free(struct seal_plan *plan); /* also for CLEANUP() */

/*
 * Make it, whole, under a name that means nothing, and compare it with what it was made of.
 * *ret_made is to be published (volume_publish_sealed()) or thrown away.
 */
bool seal_make(const char *archive_path, const struct seal_plan *plan, const struct cancel *cancel,
	struct volume *ret_made, struct directory *ret_directory, struct err *err);

/* Close and remove what will not be published. */
void seal_throw_away(struct volume *made);

#endif
