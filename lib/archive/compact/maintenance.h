/*
 * Maintenance: the archive opened exclusively, under the writer lock, without the threads of a
 * writer. Prune, forget, seal, rekey and adopt work on it; readers go on reading.
 */
#ifndef MAILSTOW_ARCHIVE_COMPACT_MAINTENANCE_H
#define MAILSTOW_ARCHIVE_COMPACT_MAINTENANCE_H

#include "archive/write/packer.h"

struct maintenance {
	int lock; /* the writer lock; -1: not held */
	bool open;
	struct packer packer;
	struct zstd *zstd;
};

/*
 * Waits at most timeout_ms for the writer lock, creates a missing catalogue and updates an outdated
 * one. ERR_NOT_FOUND: there is no archive. ERR_BUSY: another process writes.
 */
bool maintenance_open(struct maintenance *maintenance, const struct archive_ref *archive,
	int timeout_ms, struct err *err);

/* Closes all files and keeps the lock. */
void maintenance_end(struct maintenance *maintenance);

/* Releases the lock, too; also for CLEANUP(). Needs lock = -1 when it was never opened. */
void maintenance_close(struct maintenance *maintenance);

#endif
