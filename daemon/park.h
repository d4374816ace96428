/*
 * A session that waits in IDLE, in the event loop: no thread, no TLS buffers, one socket to poll.
 * The worker that hands it over has emptied every layer and called imap_park(): decrypted bytes
 * left behind would never wake a poll. What arrives is read by a worker again, as half a line must
 * not make the loop wait.
 */
#ifndef MAILSTOW_DAEMON_PARK_H
#define MAILSTOW_DAEMON_PARK_H

#include <stdbool.h>

#include <uv.h>

struct park {
	uv_loop_t *loop;
	void *context;
	void (*input)(void *context); /* something came, or the server left; no longer parked */

	uv_poll_t poll;
	bool polling;
};

void park_begin(struct park *park, int fd);
void park_end(struct park *park); /* nothing parked: nothing done */

#endif
