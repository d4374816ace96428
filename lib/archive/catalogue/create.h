/* Making a catalogue where volumes have none (internal to this room). */
#ifndef MAILSTOW_ARCHIVE_CATALOGUE_CREATE_H
#define MAILSTOW_ARCHIVE_CATALOGUE_CREATE_H

#include <stdbool.h>

#include "base/err.h"
#include "base/str.h"
#include "db/db.h"

/* Make an empty catalogue at db_path for the volumes that stand in the archive at path. */
bool create_catalogue(
	const char *path, const char *db_path, struct db **ret_catalogue, struct err *err);

/*
 * Make an empty catalogue where there are volumes but none: making the archive was interrupted, or
 * the catalogue was lost. Replay fills it. The caller holds the writer's lock.
 */
bool create_missing_catalogue(const char *path, struct err *err);

/* Remove what an interrupted making of a volume left in the folder of volumes. */
bool create_remove_leftovers(const char *folder, struct err *err);
/* All but the names that are kept. */
bool create_remove_leftovers_but(const char *folder, const struct str_list *kept, struct err *err);

#endif
