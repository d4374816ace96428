/*
 * Pools of worker slots: how many accounts may compare at once. Thread safe. A slot is taken after
 * connecting, so that a server that stalls while connecting keeps no other account waiting.
 */
#ifndef MAILSTOW_DAEMON_POOLS_H
#define MAILSTOW_DAEMON_POOLS_H

#include "base/wait.h"

enum {
	POOL_TIMEOUT_MS = 5 * 60 * 1000, /* servers keep an idle session at least this long */
	POOL_BRIEF_SLOTS = 16,
};

struct pool {
	int fd; /* eventfd that counts the free slots */
};

/* Two, so that new mail does not wait for first mirrors of hours. */
struct pools {
	struct pool bulk;  /* `workers` slots: accounts that were never mirrored completely */
	struct pool brief; /* POOL_BRIEF_SLOTS: all others */
};

bool pool_init(struct pool *pool, unsigned slots, struct err *err);
void pool_close(struct pool *pool); /* also for CLEANUP() */

/* ERR_RETRY: no slot was free for POOL_TIMEOUT_MS; ERR_CANCELLED. */
bool pool_take(const struct pool *pool, const struct cancel *cancel, struct err *err);
void pool_give(const struct pool *pool);

#endif
