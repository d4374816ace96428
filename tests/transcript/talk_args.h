/*
 * The words of a step, taken one after the other. A word is a run without blanks, "..." with
 * escapes as in a script (and \"), or (...) as it is. What does not fit is remembered in `wrong`.
 */
#ifndef MAILSTOW_TESTS_TRANSCRIPT_TALK_ARGS_H
#define MAILSTOW_TESTS_TRANSCRIPT_TALK_ARGS_H

#include "base/rangeset.h"
#include "base/str.h"

struct talk_args {
	struct str_list words;
	size_t next;
	const char *wrong; /* NULL: nothing so far */
};

struct talk_args talk_args_split(const char *text);
void talk_args_free(struct talk_args *args); /* also for CLEANUP() */

/* "" when there is none left, which is wrong. */
const char *talk_args_word(struct talk_args *args);
uint64_t talk_args_number(struct talk_args *args);

/* "1:5,7", and "10:20/2" for every second one; ret_uids must be empty. */
void talk_args_uids(struct talk_args *args, struct rangeset *ret_uids);

/* Is this the next word? Then it is taken. */
bool talk_args_take(struct talk_args *args, const char *word);
bool talk_args_left(const struct talk_args *args);

#endif
