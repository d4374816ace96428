/*
 * Replay: bringing the catalogue up to date with the volumes, after a crash between the two commits
 * or from nothing. Applies journal payloads past the catalogue's last in order and checks that each
 * follows its predecessor.
 */
#ifndef MAILSTOW_ARCHIVE_CATALOGUE_REPLAY_H
#define MAILSTOW_ARCHIVE_CATALOGUE_REPLAY_H

#include "archive/catalogue/catalogue.h"
#include "archive/format/zstd.h"
#include "archive/volume/volume.h"

/* Is the catalogue out of date? Only reads, without locks: the caller holds the writer lock.
 * ERR_CORRUPT: the catalogue names something the volumes lack. */
bool replay_needed(
	const struct archive_ref *archive, struct db *catalogue, bool *ret_needed, struct err *err);

/*
 * Enter volumes that are not catalogued, and apply every complete commit past applied_seq in a
 * transaction of its own. ERR_CORRUPT: a volume is missing, the chain is broken or a payload is
 * damaged; commits applied before that stay.
 */
bool replay(const struct archive_ref *archive, struct db *catalogue, struct zstd *zstd,
	struct err *err);

#endif
