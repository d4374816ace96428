/*
 * A session that waits in IDLE, parked in the event loop: one socket to poll, no thread, no TLS
 * buffers. Before, a worker empties every layer and calls imap_park(): a poll would never report
 * bytes that are already decrypted. Input is read by a worker again, as half a line must not block
 * the loop.
 */
#ifndef MAILSTOW_DAEMON_PARK_H
#define MAILSTOW_DAEMON_PARK_H

#include <stdbool.h>

#include <uv.h>

struct park {
	uv_loop_t *loop;
	void *context;
	void (*input)(void *context); /* there is input, or the server left; no longer parked */

	uv_poll_t *poll; /* NULL: not parked */
};

bool park_begin(struct park *park, int fd); /* false: the kernel cannot watch one more */
void park_end(struct park *park);           /* does nothing unless parked */

/* Why park_begin() fails, for logs. */
extern const char park_failure[];

#endif
