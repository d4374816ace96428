/*
 * A ring around work on an archive: stops the work or lets it fail at each of its changes of the
 * disk (support/crash/crash_vfs.h), and checks the result. A failure ends the promise (CHECK).
 */
#ifndef MAILSTOW_TESTS_SUPPORT_CRASH_STOPS_H
#define MAILSTOW_TESTS_SUPPORT_CRASH_STOPS_H

#include "archive/archive.h"
#include "support/crash/crash_vfs.h"

struct stops {
	char *(*prepare)(void); /* creates the archive before the work; the ring frees the path */
	bool (*run)(const char *path, struct err *err);
	/* checks what must hold after any stop, and that the next run completes */
	void (*check)(const struct stops *stops, const char *path);
	bool (*is_done)(struct archive *archive); /* for check() */
};

/* Stops a child process at every `step`th change, or at fewer in a slow build. */
void stops_end(const struct stops *stops, enum crash_mode mode, long step);

/* Fails the work in this process. */
void stops_fail(const struct stops *stops, enum crash_mode mode, long step);

#endif
