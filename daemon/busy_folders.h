/*
 * The folders most worth an idle watcher of their own: those that changed most recently and, before
 * any did, those with the most messages. The account's own connection watches INBOX, so it is never
 * among them.
 */
#ifndef MAILSTOW_DAEMON_BUSY_FOLDERS_H
#define MAILSTOW_DAEMON_BUSY_FOLDERS_H

#include <stddef.h>
#include <stdint.h>

enum { BUSY_FOLDERS_MAX = 19 }; /* connections (20 at most) minus the one on INBOX */

struct busy_folder {
	char *wire_name;
	int64_t changed_ms; /* monotonic time at which a change was seen; 0: never */
	uint32_t messages;
};

struct busy_folders {
	struct busy_folder items[BUSY_FOLDERS_MAX]; /* the busiest first */
	size_t count;
};

/* A pass saw this folder. changed_ms 0: unchanged; the time known before stays. */
void busy_folders_note(
	struct busy_folders *busy, const char *wire_name, uint32_t messages, int64_t changed_ms);

/* Rank from 0, the busiest; busy->count when it is not among them. */
size_t busy_folders_rank(const struct busy_folders *busy, const char *wire_name);

void busy_folders_free(struct busy_folders *busy);

#endif
