/*
 * Waiting for readers. A reader takes no lock. While it is open, SQLite keeps the -wal that it
 * reads, and the volumes that its state of the catalogue names must stay. Whoever needs the -wal
 * empty or a volume gone tries again until the reader has ended.
 *
 * Brief steps rely on db_empty_wal(), which waits 2 seconds, and leave the rest to a later call.
 */
#ifndef MAILSTOW_ARCHIVE_VOLUME_READERS_H
#define MAILSTOW_ARCHIVE_VOLUME_READERS_H

#include <stdbool.h>

#include "base/err.h"

enum {
	READERS_ROLL_MS = 10 * 1000,     /* the next volume must be started now */
	READERS_ROUND_MS = 20 * 1000,    /* reclaim, between rounds: bounds what is on disk twice */
	READERS_REMOVED_MS = 110 * 1000, /* old files must be gone: forget, rekey */
	READERS_PAUSE_MS = 100,          /* between two attempts */
};

/* Calls attempt() at least once, until it is done or fails. *ret_done false: a reader is still open
 * after timeout_ms. */
bool readers_wait(int timeout_ms, bool (*attempt)(void *context, bool *ret_done, struct err *err),
	void *context, bool *ret_done, struct err *err);

#endif
