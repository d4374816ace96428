/* Creating a catalogue for volumes that have none. */
#ifndef MAILSTOW_ARCHIVE_CATALOGUE_CREATE_H
#define MAILSTOW_ARCHIVE_CATALOGUE_CREATE_H

#include <stdbool.h>

#include "archive/archive.h"
#include "base/err.h"
#include "db/db.h"

/* Create an empty catalogue at db_path for the volumes of the archive at path. ERR_NOT_FOUND: it
 * has none. */
bool create_catalogue(const struct archive_ref *archive, const char *db_path,
	struct db **ret_catalogue, struct err *err);

/*
 * Create an empty catalogue if the archive has volumes and no catalogue: creating the archive was
 * interrupted, or the catalogue was lost. Replay fills it. The caller holds the writer lock.
 */
bool create_missing_catalogue(const struct archive_ref *archive, struct err *err);

#endif
