/* One line on the terminal that says how far a job is, how fast, and how long it will take. */
#ifndef MAILSTOW_RESTORE_PROGRESS_H
#define MAILSTOW_RESTORE_PROGRESS_H

#include "restore/app.h"

struct progress {
	bool on;
	uint64_t messages, bytes; /* to do */
	int64_t begun_ms, shown_ms;
};

/* auto: only when stderr is a terminal and stdout is not JSON. */
void progress_begin(
	struct progress *progress, const struct app *app, uint64_t messages, uint64_t bytes);
void progress_show(struct progress *progress, uint64_t messages, uint64_t bytes);
void progress_end(struct progress *progress);

#endif
