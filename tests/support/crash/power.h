/*
 * The power is cut at many moments of a piece of work on an archive, in many ways each
 * (support/crash/power_disk.h). Whatever is left on the disk: nothing acknowledged is lost, nothing
 * is there that nobody wrote, and the work done again ends as if nothing had happened.
 *
 * A state has a name, WORK/MOMENT/FATE/SEED, with "encrypted-" before it: that is all it takes to
 * see it again.
 */
#ifndef MAILSTOW_TESTS_SUPPORT_CRASH_POWER_H
#define MAILSTOW_TESTS_SUPPORT_CRASH_POWER_H

#include "base/err.h"
#include "support/crash/power_log.h"

/* CHECKs within end the state as failed. Files lie below place. */
struct power_work {
	const char *name;
	long states; /* about this many states are checked */
	enum { POWER_BOTH, POWER_PLAIN, POWER_ENCRYPTED } archives;

	/* Creates the state before the work. May be NULL. */
	void (*prepare)(const char *place);

	/* Does or continues the work, and calls power_log_acknowledge() after each change that it
	 * acknowledges. Its end acknowledges all of it. */
	bool (*run)(const char *place, struct err *err);

	/* Opens the result as any reader would and describes everything visible. The caller frees.
	 */
	char *(*tell)(const char *place);

	/* Checks also what a reader does not see. */
	void (*check)(const char *place);
};

struct power_result {
	long states; /* different ones */
	long failed;
	long events;
	uint64_t digest; /* of all the states */
};

/* lie: some syncs do nothing. quiet: failures are only counted. */
struct power_wish {
	bool encrypted;
	enum power_lie lie;
	bool quiet;
	long states; /* 0: the number the work names */
};

/* Prints each failing state. */
struct power_result power_ring(const struct power_work *work, const struct power_wish *wish);

/* Check one state by its name and print its description. A failure ends the promise. */
void power_replay(const struct power_work *works, size_t count, const char *name);

#endif
