/*
 * Litter: volume files that no longer belong to the archive. An interrupted prune leaves volumes
 * that the last journal checkpoint does not list; repacking leaves volumes that a sealed one
 * replaced.
 */
#ifndef MAILSTOW_ARCHIVE_CATALOGUE_LITTER_H
#define MAILSTOW_ARCHIVE_CATALOGUE_LITTER_H

#include "archive/catalogue/catalogue.h"

/* Is this volume older than the last journal checkpoint and not listed by it? */
bool litter_includes(const struct catalogue_state *state, const struct catalogue_volumes *known,
	const struct volume_id *id);

/* Is there litter in the folder? */
bool litter_exists(
	const char *archive_path, struct db *catalogue, bool *ret_exists, struct err *err);

/*
 * Remove it. The catalogue is up to date and the caller holds the writer lock. Waits up to
 * DB_EMPTY_TRIES pauses for readers of an older state; while one stays, the files stay too, for a
 * later call, and that is no error.
 */
bool litter_remove(const char *archive_path, struct db *catalogue, struct err *err);

/* The same until nothing is left. ERR_BUSY after timeout_ms (volume/readers.h): a reader is still
 * open; the files it needs remain. */
bool litter_remove_all(
	const char *archive_path, struct db *catalogue, int timeout_ms, struct err *err);

#endif
