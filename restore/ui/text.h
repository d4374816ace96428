/*
 * Text on a terminal: how wide it is and where it is cut. Wide characters (CJK, emoji) count two
 * columns, combining ones none.
 */
#ifndef MAILSTOW_RESTORE_UI_TEXT_H
#define MAILSTOW_RESTORE_UI_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Columns of printable UTF-8 (as str_printable() makes it). */
size_t text_width(const char *text);

/*
 * Print text in exactly `columns`: cut with an ellipsis, or filled with blanks after it, before it,
 * or (TEXT_LAST) not filled.
 */
enum text_side { TEXT_LEFT, TEXT_RIGHT, TEXT_LAST };
void text_put(FILE *out, const char *text, size_t columns, enum text_side side);

/* Columns of the terminal stdout is; 0: it is none, do not cut. */
size_t text_terminal_columns(void);

/* Like strstr(), UTF-8, without regard to case. */
bool text_contains(const char *text, const char *part);

#endif
