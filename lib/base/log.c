#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"

enum { LOG_LINE_MAX = 2048 };

static enum log_level least = LOG_LEVEL_INFO;

void log_set_level(enum log_level least_important)
{
	least = least_important;
}

void log_line(enum log_level level, const char *format, ...)
{
	static const char *const names[] = {[LOG_LEVEL_ERROR] = "error: ",
		[LOG_LEVEL_WARNING] = "warning: ",
		[LOG_LEVEL_INFO] = "",
		[LOG_LEVEL_DEBUG] = "debug: "};
	char text[LOG_LINE_MAX];
	char now[ZONED_TIME_TEXT_MAX];
	va_list args;

	if (level > least)
		return;
	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	/* No text may forge a further line, or the priority that begins a line of the journal. */
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	if (getenv("JOURNAL_STREAM")) {
		(void)fprintf(stderr, "<%d>%s\n", (int)level, text);
		return;
	}
	clock_format_ms(clock_wall_ms(), now);
	(void)fprintf(stderr, "%s %s%s\n", now, names[level], text);
}
