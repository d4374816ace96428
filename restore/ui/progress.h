/*
 * A line on stderr that tells how far a long command is, with rate and time left, written over
 * again at most twice a second. Whether there is one at all is app_shows_progress()'s decision.
 */
#ifndef MAILSTOW_RESTORE_UI_PROGRESS_H
#define MAILSTOW_RESTORE_UI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PROGRESS_INTERVAL_MS = 500,
	PROGRESS_RATE_MS = 5000, /* time left is told from then on */
	PROGRESS_LINE_MAX = 120,
};

struct progress_line {
	bool shown;     /* else nothing is ever written */
	int fd;         /* where to */
	uint64_t total; /* messages; 0: they are not told of */
	uint64_t total_bytes;
	int64_t begun_ms; /* of clock_mono_ms(); 0: the first call sets it */
	int64_t told_ms;
	bool dirty; /* there is a line to wipe */
};

/* So much is done by now. */
void progress_tell(struct progress_line *line, uint64_t messages, uint64_t bytes, int64_t now_ms);

/* Wipe the line, before other words and at the end. */
void progress_clear(struct progress_line *line);

/* The words alone. Pure. out: PROGRESS_LINE_MAX. */
void progress_format(const struct progress_line *line, uint64_t messages, uint64_t bytes,
	int64_t elapsed_ms, char *out);

#endif
