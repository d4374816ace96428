/*
 * Messages to people: one line each on stderr, "mailstow: ..." first. Everything the program tells
 * a person goes through here, except results (stdout), plans, prompts and the progress line.
 *
 * Callers pass printable text (str_printable()); control characters that slip through are shown
 * as '?'.
 */
#ifndef MAILSTOW_RESTORE_SAY_H
#define MAILSTOW_RESTORE_SAY_H

#include "base/cleanup.h"

void say_note(const char *format, ...) PRINTF_LIKE(1, 2);
void say_warn(const char *format, ...) PRINTF_LIKE(1, 2); /* with "warning: " before the text */

#endif
