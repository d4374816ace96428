/*
 * A .talk file: one promise and the conversations that show it is kept. README.md has the grammar.
 * This part reads the file and expands what is short for more lines (with, repeat, openings).
 */
#ifndef MAILSTOW_TESTS_TRANSCRIPT_TALK_FILE_H
#define MAILSTOW_TESTS_TRANSCRIPT_TALK_FILE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

enum { TALK_FAILURE_MAX = 1600 };

/* The first thing that went wrong, and in which line of the file. "" when nothing did. */
struct talk_failure {
	size_t line;
	char text[TALK_FAILURE_MAX];
};

/* Keeps the first failure. Returns false. */
bool talk_fail(struct talk_failure *failure, size_t line, const char *format, ...)
	PRINTF_LIKE(3, 4);

struct talk_line {
	size_t number; /* in the file */
	char *text;
};

struct talk_lines {
	struct talk_line *items;
	size_t count;
	size_t cap;
};

void talk_lines_add(struct talk_lines *lines, size_t number, char *text); /* takes text */
void talk_lines_free(struct talk_lines *lines);                           /* also for CLEANUP() */

struct talk_file {
	char *promise;
	char *fails;             /* the failure this file must have, a pattern; NULL: none */
	struct talk_lines lines; /* the rest, without comments and blank lines */
};

bool talk_file_read(const char *path, struct talk_file *ret_file, struct talk_failure *failure);
void talk_file_free(struct talk_file *file); /* also for CLEANUP() */

/* Where talk_file_next() continues. Starts zeroed. */
struct talk_cursor {
	size_t section; /* its first line */
	size_t with;    /* how many of its "with:" lines are done */
};

/*
 * The next conversation, with everything expanded; *ret_lines is empty after the last one. A line
 * that begins with "implied: " is a step that an opening brings along.
 */
bool talk_file_next(const struct talk_file *file, struct talk_cursor *cursor,
	struct talk_lines *ret_lines, struct talk_failure *failure);

#endif
