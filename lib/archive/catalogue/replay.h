/*
 * Bringing the catalogue up to what the volumes hold: after a crash between the two commits, or
 * from nothing. Journal payloads past the catalogue's last are applied in order, each checked to
 * follow its predecessor.
 */
#ifndef MAILSTOW_ARCHIVE_CATALOGUE_REPLAY_H
#define MAILSTOW_ARCHIVE_CATALOGUE_REPLAY_H

#include "archive/catalogue/catalogue.h"
#include "archive/format/zstd.h"
#include "archive/volume/volume.h"

/*
 * Must the catalogue be brought up to date? Only looks, in DB_PEEK or DB_IMMUTABLE mode: the caller
 * holds the writer's lock. ERR_CORRUPT when the catalogue names what the volumes lack.
 */
bool replay_needed(
	const struct archive_ref *archive, struct db *catalogue, bool *ret_needed, struct err *err);

/*
 * Do it: volumes that stand in the folder but not in the catalogue are entered, and every whole
 * commit past applied_seq is applied in a transaction of its own. ERR_CORRUPT when a volume is
 * missing, the chain is broken, or a payload is damaged; what was applied before that stays.
 */
bool replay(const struct archive_ref *archive, struct db *catalogue, struct zstd *zstd,
	struct err *err);

#endif
