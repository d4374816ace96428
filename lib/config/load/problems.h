/*
 * What is wrong with a configuration: one "FILE:LINE: KEY: reason; expected ..." for each problem.
 * A problem never contains a value that may be a secret.
 */
#ifndef MAILSTOW_CONFIG_LOAD_PROBLEMS_H
#define MAILSTOW_CONFIG_LOAD_PROBLEMS_H

#include <stddef.h>

#include "base/cleanup.h"
#include "base/str.h"

/* A place in a file. Sorts by file, then line. */
struct config_place {
	unsigned file; /* index in problems.files; 0 is the configuration file */
	unsigned line;
};

struct problem {
	struct config_place place;
	size_t order; /* of discovery */
	char *text;   /* "KEY: reason" */
};

struct problems {
	struct str_list files;
	struct problem *items;
	size_t count, cap;
};

/* Registers a file; returns its index for struct config_place. */
unsigned problems_file(struct problems *problems, const char *path);

/* Adds one, unless there are CONFIG_PROBLEMS_MAX. The key is "line" when the problem is with a line
 * as a whole. */
void problem_add(struct problems *problems, struct config_place place, const char *key,
	const char *format, ...) PRINTF_LIKE(4, 5);

/* As printable lines, sorted by place, then by order of discovery. */
void problems_list(struct problems *problems, struct str_list *ret_lines);

void problems_free(struct problems *problems); /* also for CLEANUP() */

#endif
