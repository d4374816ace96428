#include "restore/ui/progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/str.h"

enum { LEFT_MAX = 32, S_PER_MINUTE = 60, S_PER_HOUR = 3600, MS_PER_S = 1000 };

static void format_left(uint64_t seconds, char out[LEFT_MAX])
{
	if (seconds < S_PER_MINUTE)
		(void)snprintf(out, LEFT_MAX, "%" PRIu64 " s", seconds);
	else if (seconds < S_PER_HOUR)
		(void)snprintf(out, LEFT_MAX, "%" PRIu64 " min", seconds / S_PER_MINUTE + 1);
	else
		(void)snprintf(out, LEFT_MAX, "%" PRIu64 " h %" PRIu64 " min", seconds / S_PER_HOUR,
			seconds % S_PER_HOUR / S_PER_MINUTE);
}

void progress_format(const struct progress_line *line, uint64_t messages, uint64_t bytes,
	int64_t elapsed_ms, char *out)
{
	char done[STR_SIZE_MAX], total[STR_SIZE_MAX], rate[STR_SIZE_MAX], left[LEFT_MAX];
	uint64_t elapsed = elapsed_ms > 0 ? (uint64_t)elapsed_ms : 1;
	uint64_t per_second = bytes * MS_PER_S / elapsed;
	int len;

	str_format_size(bytes, done);
	str_format_size(line->total_bytes, total);
	str_format_size(per_second, rate);
	len = line->total ? snprintf(out, PROGRESS_LINE_MAX,
				    "%" PRIu64 " of %" PRIu64 " messages, ", messages, line->total)
			  : 0;
	len += snprintf(
		out + len, PROGRESS_LINE_MAX - (size_t)len, "%s of %s, %s/s", done, total, rate);
	if (elapsed_ms < PROGRESS_RATE_MS || per_second == 0 || bytes >= line->total_bytes)
		return;
	format_left((line->total_bytes - bytes) / per_second, left);
	(void)snprintf(out + len, PROGRESS_LINE_MAX - (size_t)len, ", %s left", left);
}

static void write_out(const struct progress_line *line, const char *text)
{
	/* a progress line that cannot be shown is no reason to fail */
	ssize_t written = write(line->fd, text, strlen(text));

	(void)written;
}

void progress_update(struct progress_line *line, uint64_t messages, uint64_t bytes, int64_t now_ms)
{
	char words[PROGRESS_LINE_MAX];
	CLEANUP(freep) char *text = NULL;

	if (line->begun_ms == 0)
		line->begun_ms = now_ms;
	if (!line->shown || now_ms - line->written_ms < PROGRESS_INTERVAL_MS)
		return;
	line->written_ms = now_ms;
	progress_format(line, messages, bytes, now_ms - line->begun_ms, words);
	text = str_printf("\r%s\x1b[K", words);
	write_out(line, text);
	line->dirty = true;
}

void progress_clear(struct progress_line *line)
{
	if (line->dirty)
		write_out(line, "\r\x1b[K");
	line->dirty = false;
}
