/*
 * The width of text on a terminal, and text cut to a width. Wide characters (CJK, emoji) take two
 * columns, combining characters none.
 */
#ifndef MAILSTOW_RESTORE_UI_TEXT_H
#define MAILSTOW_RESTORE_UI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Columns of printable UTF-8, as str_printable() returns it. */
size_t text_width(const char *text);

/*
 * Prints text in exactly `columns`: cut with an ellipsis if too long, else padded on the right
 * (TEXT_LEFT), on the left (TEXT_RIGHT) or not at all (TEXT_LAST).
 */
enum text_side { TEXT_LEFT, TEXT_RIGHT, TEXT_LAST };
void text_put(FILE *out, const char *text, size_t columns, enum text_side side);

/* Width of the terminal on stdout; 0: stdout is no terminal. */
size_t text_terminal_columns(void);

/* Whether text contains part, compared without case. UTF-8. */
bool text_contains(const char *text, const char *part);

#endif
