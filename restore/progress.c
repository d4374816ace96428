#include "restore/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/str.h"

enum { UPDATE_MS = 500 };

void progress_begin(
	struct progress *progress, const struct app *app, uint64_t messages, uint64_t bytes)
{
	*progress = (struct progress){
		.on = app->progress == PROGRESS_ALWAYS ||
		      (app->progress == PROGRESS_AUTO && isatty(STDERR_FILENO)),
		.messages = messages,
		.bytes = bytes,
		.begun_ms = clock_mono_ms(),
	};
}

void progress_show(struct progress *progress, uint64_t messages, uint64_t bytes)
{
	int64_t now_ms = clock_mono_ms(), past_ms = now_ms - progress->begun_ms;
	char done[STR_SIZE_MAX], all[STR_SIZE_MAX], rate[STR_SIZE_MAX];
	uint64_t left_s = 0;

	if (!progress->on || now_ms - progress->shown_ms < UPDATE_MS || past_ms <= 0)
		return;
	progress->shown_ms = now_ms;
	if (bytes > 0 && progress->bytes > bytes)
		left_s = (uint64_t)past_ms * (progress->bytes - bytes) / bytes / 1000;
	str_format_size(bytes, done);
	str_format_size(progress->bytes, all);
	str_format_size(bytes * 1000 / (uint64_t)past_ms, rate);
	(void)fprintf(stderr, "\r%llu/%llu messages  %s/%s  %s/s  %llu:%02llu left \033[K",
		(unsigned long long)messages, (unsigned long long)progress->messages, done, all,
		rate, (unsigned long long)left_s / 60, (unsigned long long)left_s % 60);
	(void)fflush(stderr);
}

void progress_end(struct progress *progress)
{
	if (progress->on && progress->shown_ms)
		(void)fputs("\r\033[K", stderr);
	progress->on = false;
}
