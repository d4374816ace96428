/*
 * Keep rules: which snapshots stay. Pure: no I/O and no clock; the newest snapshot is "now".
 *
 * The rules mean the same as in restic(1). `last` keeps the newest n; `hourly` keeps the newest of
 * each of the last n hours that have one, and so on, with weeks of ISO 8601; `within` keeps all
 * that are at most that much older than the newest. A snapshot stays if any rule keeps it. While a
 * rule has found fewer snapshots than it may keep, it also keeps the oldest.
 *
 * The rules choose among complete snapshots; only `within` keeps incomplete ones. Pinned snapshots,
 * the newest state and the newest complete snapshot always stay.
 */
#ifndef MAILSTOW_ARCHIVE_RETENTION_H
#define MAILSTOW_ARCHIVE_RETENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct keep_rules {
	bool all; /* keep everything; the other rules do not count */
	unsigned last, hourly, daily, weekly, monthly, yearly;
	int64_t within_ms; /* 0: not given */
};

struct keep_snapshot {
	int64_t generation;
	int64_t unix_ms;
	bool complete;
	bool pinned;
	bool stays; /* out */
};

/* Seconds east of Greenwich at that instant: whose hours, days and weeks are meant. */
typedef int64_t keep_offset(int64_t unix_s);

/* offset NULL: UTC. Snapshots are in order of their generations. */
void keep_decide(const struct keep_rules *rules, keep_offset *offset,
	struct keep_snapshot *snapshots, size_t count);

#endif
