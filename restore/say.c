#include "restore/say.h"

#include <stdarg.h>
#include <stdio.h>

enum { LINE_BYTES_MAX = 4096 };

PRINTF_LIKE(2, 0) static void say_line(const char *label, const char *format, va_list args)
{
	char text[LINE_BYTES_MAX];

	(void)vsnprintf(text, sizeof(text), format, args);
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	(void)fprintf(stderr, "mailstow: %s%s\n", label, text);
}

void say_note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say_line("", format, args);
	va_end(args);
}

void say_warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say_line("warning: ", format, args);
	va_end(args);
}
