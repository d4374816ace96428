/*
 * The lines of a text file that a person or a program wrote, checked: UTF-8 without control
 * characters (tabs are none here), of a bounded length. What is wrong with a line becomes a
 * problem, and the line is left out.
 */
#ifndef MAILSTOW_CONFIG_LINES_H
#define MAILSTOW_CONFIG_LINES_H

#include <stdbool.h>
#include <stddef.h>

#include "config/problems.h"

struct lines {
	const char *text; /* what was not read yet, not owned; a byte order mark is skipped */
	size_t left;
	size_t line_bytes_max;
	struct config_place place; /* of the last line, to begin with line 0 */
};

/* The next good line without its end (LF or CRLF); the caller frees. NULL: none is left. */
char *lines_next(struct lines *lines, struct problems *problems);

#endif
