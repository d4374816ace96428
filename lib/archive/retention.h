/*
 * Which snapshots stay: a pure decision. No I/O and no clock; the newest snapshot is "now".
 *
 * The words mean what they mean to restic(1). `last` keeps the newest n; `hourly` the newest of
 * each of the last n hours that have one, and so on, weeks being those of ISO 8601; `within` keeps
 * what is at most that much older than the newest. What any word keeps stays. The oldest snapshot
 * stays while a word has not found as many as it may keep.
 *
 * The words choose among complete snapshots; incomplete states stay only by `within`. Whatever they
 * say, these stay: what is pinned, the newest state, the newest complete snapshot.
 */
#ifndef MAILSTOW_ARCHIVE_RETENTION_H
#define MAILSTOW_ARCHIVE_RETENTION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct keep_rules {
	bool all; /* nothing goes; the rest is not looked at */
	unsigned last, hourly, daily, weekly, monthly, yearly;
	int64_t within_ms; /* 0: no such word */
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
