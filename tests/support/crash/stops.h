/*
 * A ring around work on an archive: it is stopped or failed at each of its changes of the disk
 * (support/crash/crash_vfs.h), and looked at afterwards. A failure ends the promise (CHECK).
 */
#ifndef MAILSTOW_TESTS_SUPPORT_CRASH_STOPS_H
#define MAILSTOW_TESTS_SUPPORT_CRASH_STOPS_H

#include "archive/archive.h"
#include "support/crash/crash_vfs.h"

struct stops {
	char *(*prepare)(void); /* an archive as it is before; the path is freed here */
	bool (*run)(const char *path, struct err *err);
	/* what must hold whatever happened, and that the next run completes */
	void (*check)(const struct stops *stops, const char *path);
	bool (*is_done)(struct archive *archive); /* for check() */
};

/* In a process of its own, that ends there. Every `step`th change, or fewer in a slow build. */
void stops_end(const struct stops *stops, enum crash_mode mode, long step);

/* In this one. */
void stops_fail(const struct stops *stops, enum crash_mode mode, long step);

#endif
