#include "restore/ui/json.h"

#include <assert.h>
#include <jansson.h>
#include <string.h>

#include "base/str.h"

/* A struct json is a json_t under another name. */
static json_t *jansson_of(struct json *object)
{
	return (json_t *)object;
}

struct json *json_begin(void)
{
	json_t *object = json_object();

	assert(object);
	return (struct json *)object;
}

void json_print(struct json *object)
{
	char *line = json_dumps(jansson_of(object), JSON_COMPACT);

	assert(line);
	(void)puts(line);
	free(line);
	json_decref(jansson_of(object));
}

static void put_value(struct json *object, const char *key, json_t *value)
{
	int failed;

	assert(value);
	failed = json_object_set_new(jansson_of(object), key, value);
	assert(!failed);
}

static json_t *text_value(const char *text, size_t len)
{
	CLEANUP(freep) char *clean = str_utf8_clean(text, len);

	return json_string(clean);
}

void json_put_null(struct json *object, const char *key)
{
	put_value(object, key, json_null());
}

void json_put_text(struct json *object, const char *key, const char *text)
{
	put_value(object, key, text ? text_value(text, strlen(text)) : json_null());
}

void json_put_bool(struct json *object, const char *key, bool value)
{
	put_value(object, key, json_boolean(value));
}

void json_put_int(struct json *object, const char *key, int64_t value)
{
	put_value(object, key, json_integer(value));
}

void json_put_count(struct json *object, const char *key, uint64_t value)
{
	put_value(object, key, json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value));
}

void json_put_time(struct json *object, const char *key, int64_t unix_ms)
{
	char text[ZONED_TIME_TEXT_MAX];

	if (unix_ms == 0) {
		json_put_null(object, key);
		return;
	}
	clock_format_ms(unix_ms, text);
	json_put_text(object, key, text);
}

void json_put_zoned(struct json *object, const char *key, struct zoned_time time)
{
	char text[ZONED_TIME_TEXT_MAX];

	zoned_time_format_rfc3339(time, text);
	json_put_text(object, key, text);
}

void json_put_words(struct json *object, const char *key, const char *words)
{
	json_t *array = json_array();

	while (*words) {
		size_t len = strcspn(words, " ");
		int failed = len ? json_array_append_new(array, text_value(words, len)) : 0;

		assert(!failed);
		words += len;
		words += strspn(words, " ");
	}
	put_value(object, key, array);
}

void json_put_list(struct json *object, const char *key)
{
	put_value(object, key, json_array());
}

void json_list_add(struct json *object, const char *key, struct json *element)
{
	int failed = json_array_append_new(
		json_object_get(jansson_of(object), key), jansson_of(element));

	assert(!failed);
}
