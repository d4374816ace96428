/* How long to wait before the next attempt. Pure: the caller provides the jitter. */
#ifndef MAILSTOW_DAEMON_BACKOFF_H
#define MAILSTOW_DAEMON_BACKOFF_H

#include <stdint.h>

#include "base/err.h"

enum {
	BACKOFF_FIRST_MS = 5 * 1000,
	BACKOFF_MAX_MS = 10 * 60 * 1000,
	BACKOFF_AUTH_MS = 60 * 60 * 1000, /* a refused password is not fixed within minutes */
	RESTLESS_FIRST_MS = 1000,
};

/*
 * The wait after `failures` (>= 1) in a row, the last one of this kind: doubled each time, up to
 * BACKOFF_MAX_MS. jitter, 0 to 1000, spreads it over half to all of its length, so that many
 * clients do not come back at once.
 */
int64_t backoff_ms(unsigned failures, enum err_kind kind, uint32_t jitter);

/*
 * The wait after `turns` (>= 1) in a row in which INBOX kept changing while it was compared. Short
 * at first, as IDLE may not report the last change; doubled each time up to max_ms, as the INBOX of
 * some servers never stops changing.
 */
int64_t restless_ms(unsigned turns, int64_t max_ms);

#endif
