/*
 * Did the machine sleep? CLOCK_BOOTTIME goes on in sleep and CLOCK_MONOTONIC, of which timers are,
 * stands still: what the one is ahead of the other has grown. Pure.
 */
#ifndef MAILSTOW_DAEMON_WAKE_H
#define MAILSTOW_DAEMON_WAKE_H

#include <stdbool.h>
#include <stdint.h>

enum {
	WAKE_LOOK_MS = 15 * 1000, /* how often to look */
	WAKE_SLEPT_MS = 5 * 1000, /* less is no sleep: nobody gave a connection up for it */
};

struct wake {
	int64_t ahead_ms; /* clock_boot_ms() of clock_mono_ms() when it was looked at last */
};

void wake_init(struct wake *wake, int64_t boot_ms, int64_t mono_ms);

/* True once for each sleep. */
bool wake_slept(struct wake *wake, int64_t boot_ms, int64_t mono_ms);

#endif
