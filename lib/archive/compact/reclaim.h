/*
 * Reclaiming space: copy the live items of sparse volumes into the newest volume, write a journal
 * checkpoint that no longer lists the sparse ones, and remove their files. For prune, forget and
 * rekey; seal merges small volumes the same way.
 *
 * Interrupted at any point, the archive is in the state before or after a round; the next writer
 * removes left-over files.
 */
#ifndef MAILSTOW_ARCHIVE_COMPACT_RECLAIM_H
#define MAILSTOW_ARCHIVE_COMPACT_RECLAIM_H

#include "archive/compact/maintenance.h"
#include "base/wait.h"

enum {
	RECLAIM_LIVE_PERCENT = 60,               /* a volume that is less live is emptied */
	RECLAIM_BYTES_MIN = 1024 * 1024,         /* a smaller newest volume is left alone */
	RECLAIM_ROUND_BYTES = 256 * 1000 * 1000, /* copied per checkpoint; at least one volume */
	RECLAIM_SMALL_BYTES = 32 * 1000 * 1000,  /* a smaller sealed volume is a small one */
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

/* Is a volume marked for removal, because an earlier run was interrupted? */
bool reclaim_is_owed(struct maintenance *maintenance, bool *ret_owed, struct err *err);

/* Remove messages without placements, and their items, from the catalogue, within its transaction.
 * *ret_messages and *ret_bytes: how many, and their exact sizes. */
bool reclaim_sweep(struct maintenance *maintenance, uint64_t *ret_messages, uint64_t *ret_bytes,
	struct err *err);

/* Estimate volumes and bytes without changing anything, within a transaction. */
bool reclaim_estimate(struct reclaim *reclaim, struct err *err);

/*
 * Reclaim. The catalogue's open transaction holds the removed rows; the first journal checkpoint
 * commits it. ERR_CORRUPT: a volume cannot be read completely; it stays.
 */
bool reclaim_run(struct reclaim *reclaim, struct err *err);

/*
 * Merge small sealed volumes if there are at least `count`: the oldest ones, as many as fill a
 * volume, into the newest volume if that is small, else into a new one. *ret_merged: how many were
 * merged. Checks cancel (may be NULL) between volumes; ERR_CANCELLED: nothing was changed.
 */
bool reclaim_merge(struct maintenance *maintenance, size_t count, const struct cancel *cancel,
	uint64_t *ret_merged, struct err *err);

#endif
