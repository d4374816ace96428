/*
 * Pruning: what no kept snapshot, no pin and no rule about deleted mail needs leaves the archive,
 * and the space it took is given back (reclaim.h).
 *
 * Snapshots that the rules do not keep go. A placement that has ended goes when no kept snapshot
 * sees it; mail that is gone from the server outlives its snapshots for keep_deleted_ms, for ever
 * as it is configured first. What is present now never goes.
 */
#ifndef MAILSTOW_ARCHIVE_PRUNE_H
#define MAILSTOW_ARCHIVE_PRUNE_H

#include "archive/retention.h"
#include "base/err.h"

struct archive_prune {
	struct keep_rules keep;
	keep_offset *offset;     /* whose calendar; NULL: UTC */
	int64_t keep_deleted_ms; /* since it went; -1: for ever */
	int64_t now_ms;          /* wall time */
	int64_t every_ms;        /* nothing is done when it was pruned less long ago; 0: always */
	bool dry_run;            /* only count; bytes are an estimate then */
};

struct archive_pruned {
	bool skipped;           /* it was not yet time */
	uint64_t snapshots;     /* that went */
	uint64_t kept;          /* that stayed */
	uint64_t messages;      /* lost for good: no kept state has them */
	uint64_t message_bytes; /* their exact sizes */
	uint64_t volumes;       /* files removed */
	uint64_t bytes;         /* given back on disk */
};

/* Takes the writer's lock. ERR_BUSY, ERR_CORRUPT: something that stays cannot be read; nothing was
 * removed. */
bool archive_prune(const char *path, const struct archive_prune *prune, int timeout_ms,
	struct archive_pruned *ret_pruned, struct err *err);

#endif
