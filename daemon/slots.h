/*
 * Slots for what only so many may do at once: mirror passes. Thread safe. Whoever waits for a
 * connection holds none, so that servers that stall keep nobody else waiting.
 */
#ifndef MAILSTOW_DAEMON_SLOTS_H
#define MAILSTOW_DAEMON_SLOTS_H

#include "base/wait.h"

enum {
	SLOTS_TIMEOUT_MS = 5 * 60 * 1000, /* of a server's patience while we wait for a slot */
	SLOTS_BRIEF = 16,
};

struct slots {
	int fd; /* eventfd that counts the free ones */
};

/* New mail is not kept waiting by mailboxes that are mirrored for hours. */
struct pools {
	struct slots bulk;  /* `workers`: accounts that were never mirrored whole */
	struct slots brief; /* SLOTS_BRIEF: all others */
};

bool slots_init(struct slots *slots, unsigned count, struct err *err);
void slots_close(struct slots *slots); /* also for CLEANUP() */

/* ERR_RETRY: none was free for SLOTS_TIMEOUT_MS; ERR_CANCELLED. */
bool slots_take(const struct slots *slots, const struct cancel *cancel, struct err *err);
void slots_give(const struct slots *slots);

#endif
