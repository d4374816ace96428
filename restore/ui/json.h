/*
 * JSON Lines on stdout; the only user of jansson. Keys are printed in the order they were put. Text
 * that is not valid UTF-8 is repaired. A struct json is one object; json_print() writes it as one
 * line and frees it.
 *
 *	struct json *line = json_begin();
 *	json_put_text(line, "folder", folder->path);
 *	json_print(line);
 */
#ifndef MAILSTOW_RESTORE_UI_JSON_H
#define MAILSTOW_RESTORE_UI_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/clock.h"

struct json;

struct json *json_begin(void);
void json_print(struct json *object);

void json_put_null(struct json *object, const char *key);
void json_put_text(struct json *object, const char *key, const char *text); /* NULL: null */
void json_put_bool(struct json *object, const char *key, bool value);
void json_put_int(struct json *object, const char *key, int64_t value);
void json_put_count(struct json *object, const char *key, uint64_t value);
void json_put_time(struct json *object, const char *key, int64_t unix_ms); /* RFC 3339; 0: null */
void json_put_zoned(struct json *object, const char *key, struct zoned_time time);

/* Space-separated words as an array, in their order. */
void json_put_words(struct json *object, const char *key, const char *words);

/* An empty array, and an object appended to it; json_list_add() takes over `element`. */
void json_put_list(struct json *object, const char *key);
void json_list_add(struct json *object, const char *key, struct json *element);

#endif
