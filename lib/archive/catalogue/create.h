/* Making a catalogue where volumes have none (internal to this room). */
#ifndef MAILSTOW_ARCHIVE_CATALOGUE_CREATE_H
#define MAILSTOW_ARCHIVE_CATALOGUE_CREATE_H

#include <stdbool.h>

#include "archive/archive.h"
#include "base/err.h"
#include "db/db.h"

/* Make an empty catalogue at db_path for the volumes that stand in the archive at path. */
bool create_catalogue(const struct archive_ref *archive, const char *db_path,
	struct db **ret_catalogue, struct err *err);

/*
 * Make an empty catalogue where there are volumes but none: making the archive was interrupted, or
 * the catalogue was lost. Replay fills it. The caller holds the writer's lock.
 */
bool create_missing_catalogue(const struct archive_ref *archive, struct err *err);

#endif
