/* Making the catalogue anew of the volumes, which alone are the truth. */
#ifndef MAILSTOW_ARCHIVE_CATALOGUE_REBUILD_H
#define MAILSTOW_ARCHIVE_CATALOGUE_REBUILD_H

#include "archive/archive.h"
#include "base/err.h"
#include "db/db.h"

/*
 * The catalogue of the archive at path, missing, damaged or another's, is replaced by one made of
 * the volumes. It is made beside; what was there goes when the new one is complete and durable.
 * Takes the writer's lock. ERR_CORRUPT: the volumes do not hold together, or lack what the
 * catalogue there knows of; nothing is changed.
 */
bool archive_rebuild(const struct archive_ref *archive, int timeout_ms, struct err *err);

/* The same; the caller holds the writer's lock and has nothing of the archive open. */
bool rebuild_locked(const struct archive_ref *archive, struct err *err);

/* The same into a file of its own, for looking at; the caller holds the writer's lock. */
bool rebuild_into(const struct archive_ref *archive, const char *db_path, struct db **ret_catalogue,
	struct err *err);

#endif
