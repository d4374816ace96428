/*
 * Pruning: remove the snapshots that no keep rule and no pin keeps, then the mail that no kept
 * snapshot shows, and reclaim its space (compact/reclaim.h).
 *
 * Mail that is gone from the server stays for keep_deleted_ms after it went, regardless of its
 * snapshots (by default forever). Mail present now always stays.
 */
#ifndef MAILSTOW_ARCHIVE_PRUNE_H
#define MAILSTOW_ARCHIVE_PRUNE_H

#include "archive/archive.h"
#include "archive/retention.h"
#include "base/err.h"

struct archive_prune {
	struct keep_rules keep;
	keep_offset *offset;     /* offset of the calendar's zone; NULL: UTC */
	int64_t keep_deleted_ms; /* since it went; -1: forever */
	int64_t now_ms;          /* wall time */
	int64_t every_ms;        /* skip if pruned more recently; 0: never skip */
	bool dry_run;            /* only count; bytes are then an estimate */
};

struct archive_pruned {
	bool skipped;           /* pruned less than every_ms ago */
	uint64_t snapshots;     /* removed */
	uint64_t kept;          /* kept */
	uint64_t messages;      /* lost for good */
	uint64_t message_bytes; /* their exact sizes */
	uint64_t volumes;       /* files removed */
	uint64_t bytes;         /* freed on disk */
};

/* Takes the writer lock (ERR_BUSY). ERR_CORRUPT: data that must be kept cannot be read; nothing was
 * removed. */
bool archive_prune(const struct archive_ref *archive, const struct archive_prune *prune,
	int timeout_ms, struct archive_pruned *ret_pruned, struct err *err);

#endif
