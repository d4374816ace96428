/*
 * Getting space back: what is still wanted of volumes that hold little of it goes into the newest
 * volume, a checkpoint there says so, and the files go. For prune and forget; and for sealing,
 * which makes one volume of many small ones in the same way.
 *
 * Stopped at any point, the archive is as it was before or after a round; what lies about then is
 * litter, which the next writer removes.
 */
#ifndef MAILSTOW_ARCHIVE_COMPACT_RECLAIM_H
#define MAILSTOW_ARCHIVE_COMPACT_RECLAIM_H

#include "archive/compact/maintenance.h"
#include "base/wait.h"

enum {
	RECLAIM_LIVE_PERCENT = 60,       /* a volume with less of it is emptied */
	RECLAIM_BYTES_MIN = 1024 * 1024, /* the newest volume is left alone below this */
	RECLAIM_ROUND_BYTES =
		256 * 1000 * 1000, /* copied before a checkpoint; one volume at least */
	RECLAIM_SMALL_BYTES = 32 * 1000 * 1000, /* a sealed volume of less is a small one */
};

struct reclaim {
	struct maintenance *maintenance; /* the caller's */
	uint64_t round_bytes;            /* RECLAIM_ROUND_BYTES */
	int reader_wait_ms; /* READERS_ROUND_MS; longer for a caller that waits anyway */

	/* out */
	uint64_t volumes; /* removed, or to be removed */
	uint64_t bytes;   /* of their files, less what was written */
	uint64_t written;
};

void reclaim_init(struct reclaim *reclaim, struct maintenance *maintenance);

/* Is there a volume that must be emptied, as an earlier run was stopped? */
bool reclaim_is_owed(struct maintenance *maintenance, bool *ret_owed, struct err *err);

/* Messages without placements, and all that hangs on them, out of the catalogue. *ret_messages and
 * *ret_bytes: how many, and their exact sizes. In a transaction. */
bool reclaim_sweep(struct maintenance *maintenance, uint64_t *ret_messages, uint64_t *ret_bytes,
	struct err *err);

/* What would it give? Sets volumes and bytes, an estimate; changes nothing. In a transaction. */
bool reclaim_estimate(struct reclaim *reclaim, struct err *err);

/*
 * Do it. The catalogue is in a transaction that holds what was taken away; it is committed with the
 * first checkpoint. Nothing is removed of a volume that cannot be read in whole: ERR_CORRUPT.
 */
bool reclaim_run(struct reclaim *reclaim, struct err *err);

/*
 * When there are `count` small sealed volumes or more, what is in them goes behind what is in the
 * newest one if that is small, else into a new one: as many of them, the oldest first, as make a
 * volume. *ret_merged: how many went. cancel (may be NULL) is looked at between them:
 * ERR_CANCELLED, and nothing is changed.
 */
bool reclaim_merge(struct maintenance *maintenance, size_t count, const struct cancel *cancel,
	uint64_t *ret_merged, struct err *err);

#endif
