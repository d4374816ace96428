#include "restore/json.h"

#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/clock.h"
#include "base/str.h"

/* A struct json is jansson's object: this file alone knows. */
static json_t *object_of(struct json *line)
{
	return (json_t *)line;
}

static json_t *string_of(const char *text, size_t len)
{
	CLEANUP(freep) char *clean = str_utf8_clean(text, len);

	return json_string_nocheck(clean);
}

struct json *json_line(void)
{
	return (struct json *)json_object();
}

void json_text(struct json *line, const char *key, const char *text)
{
	json_t *value = text ? string_of(text, strlen(text)) : json_null();

	(void)json_object_set_new_nocheck(object_of(line), key, value);
}

void json_int(struct json *line, const char *key, int64_t number)
{
	(void)json_object_set_new_nocheck(object_of(line), key, json_integer(number));
}

void json_flag(struct json *line, const char *key, bool value)
{
	(void)json_object_set_new_nocheck(object_of(line), key, json_boolean(value));
}

void json_time_ms(struct json *line, const char *key, int64_t unix_ms)
{
	char text[ZONED_TIME_TEXT_MAX];

	clock_format_ms(unix_ms, text);
	json_text(line, key, unix_ms ? text : NULL);
}

void json_words(struct json *line, const char *key, const char *words)
{
	json_t *list = json_array();

	while (*words) {
		size_t len = strcspn(words, " ");

		if (len > 0)
			(void)json_array_append_new(list, string_of(words, len));
		words += len;
		words += strspn(words, " ");
	}
	(void)json_object_set_new_nocheck(object_of(line), key, list);
}

void json_print(struct json *line)
{
	(void)json_dumpf(object_of(line), stdout, JSON_COMPACT);
	(void)fputc('\n', stdout);
	json_decref(object_of(line));
}
