/*
 * Every wait has a deadline and can be cancelled.
 *
 * A struct cancel is shared by the thread that works and those that may stop it; it is thread safe
 * and stays cancelled. A struct wait is passed by value down through the layers.
 */
#ifndef MAILSTOW_BASE_WAIT_H
#define MAILSTOW_BASE_WAIT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct cancel {
	int fd; /* eventfd, readable once cancelled */
};

bool cancel_init(struct cancel *cancel, struct err *err);
void cancel_close(struct cancel *cancel); /* also for CLEANUP() */
void cancel_now(struct cancel *cancel);   /* also from a signal handler */
bool cancel_is(const struct cancel *cancel);

struct wait {
	int64_t deadline_ms;         /* of clock_mono_ms() */
	const struct cancel *cancel; /* NULL: cannot be cancelled */
};

/* A wait that ends timeout_ms from now. */
struct wait wait_for(int timeout_ms, const struct cancel *cancel);

/*
 * Waits until fd has one of poll(2)'s events (errors and hang-ups count as ready). Fails with
 * ERR_RETRY "timed out" or ERR_CANCELLED.
 */
bool wait_fd(int fd, short events, struct wait wait, struct err *err);

enum {
	WAIT_STEP_MS = 500, /* longest wait for a lock between two checks for cancellation */
	WAIT_PAUSE_MS = 50, /* between two tries of something busy, which may fail at once */
};

/* After a failure: should the caller try again? Pauses and returns true if err is ERR_BUSY. False
 * for other errors and after the deadline, leaving err, and with ERR_CANCELLED. */
bool wait_again(struct wait wait, struct err *err);

/* Sleeps until the deadline. False: ERR_CANCELLED. */
bool wait_sleep(struct wait wait, struct err *err);

#endif
