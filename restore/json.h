/*
 * JSON Lines on stdout (jansson's only door). One struct json is one line: fill it, print it.
 * Strings that are no valid UTF-8 are made so.
 */
#ifndef MAILSTOW_RESTORE_JSON_H
#define MAILSTOW_RESTORE_JSON_H

#include <stdbool.h>
#include <stdint.h>

struct json;

struct json *json_line(void);
void json_text(struct json *line, const char *key, const char *text); /* NULL: null */
void json_int(struct json *line, const char *key, int64_t number);
void json_flag(struct json *line, const char *key, bool value);
/* Milliseconds as RFC 3339; 0: null. */
void json_time_ms(struct json *line, const char *key, int64_t unix_ms);
/* A blank-separated text as an array of strings. */
void json_words(struct json *line, const char *key, const char *words);

/* Print the line and free it. */
void json_print(struct json *line);

#endif
