/*
 * Notices that the machine was suspended. CLOCK_BOOTTIME continues while suspended,
 * CLOCK_MONOTONIC, which timers use, does not: a suspend increases their difference. Pure.
 */
#ifndef MAILSTOW_DAEMON_SUSPEND_H
#define MAILSTOW_DAEMON_SUSPEND_H

#include <stdbool.h>
#include <stdint.h>

enum {
	SUSPEND_CHECK_MS = 15 * 1000, /* how often to check */
	SUSPEND_MIN_MS = 5 * 1000,    /* too short for a server to have closed a connection */
};

struct suspend {
	int64_t ahead_ms; /* clock_boot_ms() minus clock_mono_ms() at the last check */
};

void suspend_init(struct suspend *suspend, int64_t boot_ms, int64_t mono_ms);

/* True once after each suspend. */
bool suspend_happened(struct suspend *suspend, int64_t boot_ms, int64_t mono_ms);

#endif
