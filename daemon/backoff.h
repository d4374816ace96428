/* How long to wait before the next attempt. Pure but for the jitter given. */
#ifndef MAILSTOW_DAEMON_BACKOFF_H
#define MAILSTOW_DAEMON_BACKOFF_H

#include <stdint.h>

#include "base/err.h"

enum {
	BACKOFF_FIRST_MS = 5 * 1000,
	BACKOFF_MAX_MS = 10 * 60 * 1000,
	BACKOFF_AUTH_MS = 60 * 60 * 1000, /* a refused password is no matter of minutes */
	RESTLESS_FIRST_MS = 1000,
};

/*
 * After `failures` (>= 1) in a row of which the last had this kind. jitter in 0..1000: the wait is
 * spread over half to all of its length, so that many clients do not come back at once.
 */
int64_t backoff_ms(unsigned failures, enum err_kind kind, uint32_t jitter);

/* After `turns` (>= 1) in a row in which a folder never stood still: soon, as mail that came is
 * told by nobody, but less and less so, as some servers' folders never do. At most max_ms. */
int64_t restless_ms(unsigned turns, int64_t max_ms);

#endif
