/*
 * The lines of a text file: UTF-8 of bounded length without control characters other than tab. A
 * bad line becomes a problem and is skipped.
 */
#ifndef MAILSTOW_CONFIG_LOAD_LINES_H
#define MAILSTOW_CONFIG_LOAD_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "config/load/problems.h"

struct lines {
	const char *text; /* the unread rest, not owned; a byte order mark is skipped */
	size_t left;
	size_t line_bytes_max;
	struct config_place place; /* of the line read last; begins with line 0 */
};

/* The next good line without its LF or CRLF; the caller frees. NULL: the end. */
char *lines_next(struct lines *lines, struct problems *problems);

#endif
