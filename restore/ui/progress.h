/*
 * The progress line of a long command on stderr: how much is done, rate and time left, overwritten
 * at most twice a second. app_shows_progress() decides whether to show one.
 */
#ifndef MAILSTOW_RESTORE_UI_PROGRESS_H
#define MAILSTOW_RESTORE_UI_PROGRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PROGRESS_INTERVAL_MS = 500,
	PROGRESS_RATE_MS = 5000, /* no estimate of the time left before that */
	PROGRESS_LINE_MAX = 120,
};

struct progress_line {
	bool shown;     /* false: nothing is written */
	int fd;         /* to write to */
	uint64_t total; /* messages; 0: show bytes only */
	uint64_t total_bytes;
	int64_t begun_ms; /* by clock_mono_ms(); 0: set by the first call */
	int64_t written_ms;
	bool dirty; /* a line is on the screen */
};

/* Reports what is done so far. */
void progress_update(struct progress_line *line, uint64_t messages, uint64_t bytes, int64_t now_ms);

/* Erases the line: before other output and at the end. */
void progress_clear(struct progress_line *line);

/* The text of the line. Pure. out: PROGRESS_LINE_MAX bytes. */
void progress_format(const struct progress_line *line, uint64_t messages, uint64_t bytes,
	int64_t elapsed_ms, char *out);

#endif
