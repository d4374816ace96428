/*
 * What is wrong with a configuration, one "FILE:LINE: KEY: reason; what would be accepted" for each
 * problem. A problem never holds a value that may be a secret.
 */
#ifndef MAILSTOW_CONFIG_PROBLEMS_H
#define MAILSTOW_CONFIG_PROBLEMS_H

#include <stddef.h>

#include "base/cleanup.h"
#include "base/str.h"

/* Where something stands. Sorts by file, then line. */
struct config_place {
	unsigned file; /* index in problems.files; 0 is the configuration file */
	unsigned line;
};

struct problem {
	struct config_place place;
	size_t order; /* found as this one */
	char *text;   /* "KEY: reason" */
};

struct problems {
	struct str_list files;
	struct problem *items;
	size_t count, cap;
};

/* Name a file; the index is for struct place. */
unsigned problems_file(struct problems *problems, const char *path);

/*
 * Add one, unless there are CONFIG_PROBLEMS_MAX. The key is "line" for what concerns a line as a
 * whole.
 */
void problem_add(struct problems *problems, struct config_place place, const char *key,
	const char *format, ...) PRINTF_LIKE(4, 5);

/* Sorted by place, then as they were found, as printable lines. */
void problems_list(struct problems *problems, struct str_list *ret_lines);

void problems_free(struct problems *problems); /* also for CLEANUP() */

#endif
