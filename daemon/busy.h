/*
 * Which folders deserve a connection of their own to IDLE on: those that changed last, and before
 * any did, those with the most mail. INBOX is watched anyway and never among them.
 */
#ifndef MAILSTOW_DAEMON_BUSY_H
#define MAILSTOW_DAEMON_BUSY_H

#include <stddef.h>
#include <stdint.h>

enum { BUSY_FOLDERS_MAX = 19 }; /* connections (20 at most) without that on INBOX */

struct busy_folder {
	char *wire_name;
	int64_t changed_ms; /* monotonic time at which a change was seen; 0: never */
	uint32_t messages;
};

struct busy {
	struct busy_folder items[BUSY_FOLDERS_MAX]; /* the busiest first */
	size_t count;
};

/* A pass saw this folder. changed_ms 0: unchanged, what is known of it stays. */
void busy_note(struct busy *busy, const char *wire_name, uint32_t messages, int64_t changed_ms);

/* Place among the busiest, from 0; busy->count when it is not there. */
size_t busy_rank(const struct busy *busy, const char *wire_name);

void busy_free(struct busy *busy);

#endif
