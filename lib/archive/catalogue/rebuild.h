/* Rebuilding the catalogue from the volumes, which alone are the truth. */
#ifndef MAILSTOW_ARCHIVE_CATALOGUE_REBUILD_H
#define MAILSTOW_ARCHIVE_CATALOGUE_REBUILD_H

#include "archive/archive.h"
#include "base/err.h"
#include "db/db.h"

/* archive_rebuild(); the caller holds the writer lock and has no file of the archive open. */
bool rebuild_locked(const struct archive_ref *archive, struct err *err);

/* Rebuilds into a separate file, to compare with; the caller holds the writer lock. */
bool rebuild_into(const struct archive_ref *archive, const char *db_path, struct db **ret_catalogue,
	struct err *err);

#endif
