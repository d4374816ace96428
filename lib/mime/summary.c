#include "mime/summary.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"
#include "mime/words.h"

enum { FIELD_RAW_MAX = 8 * SUMMARY_FIELD_BYTES_MAX };

static const struct {
	const char *name;
	size_t offset;
	bool decode;
} fields[] = {
	{"from", offsetof(struct mime_summary, from), true},
	{"subject", offsetof(struct mime_summary, subject), true},
	{"date", offsetof(struct mime_summary, date), false},
	{"message-id", offsetof(struct mime_summary, message_id), false},
};

static char **field_of(struct mime_summary *summary, size_t index)
{
	return (char **)((char *)summary + fields[index].offset);
}

/* Length of the line at data, its end included. */
static size_t line_length(const uint8_t *data, size_t len)
{
	const uint8_t *end = memchr(data, '\n', len);

	return end ? (size_t)(end - data) + 1 : len;
}

static bool is_empty_line(const uint8_t *line, size_t len)
{
	return (len == 1 && line[0] == '\n') || (len == 2 && line[0] == '\r' && line[1] == '\n');
}

/* Length of a field with its continuation lines. */
static size_t field_length(const uint8_t *data, size_t len)
{
	size_t used = line_length(data, len);

	while (used < len && (data[used] == ' ' || data[used] == '\t'))
		used += line_length(data + used, len - used);
	return used;
}

/* Index of this field in `fields`, and where its value begins. -1: not one of them. */
static int known_field(const uint8_t *data, size_t len, size_t *ret_value)
{
	const uint8_t *colon = memchr(data, ':', len < 64 ? len : 64);
	size_t name_len = colon ? (size_t)(colon - data) : 0;

	while (name_len > 0 && (data[name_len - 1] == ' ' || data[name_len - 1] == '\t'))
		name_len--;
	for (size_t i = 0; i < ARRAY_LEN(fields); i++) {
		if (name_len == strlen(fields[i].name) &&
			str_starts_case((const char *)data, fields[i].name)) {
			*ret_value = (size_t)(colon - data) + 1;
			return (int)i;
		}
	}
	return -1;
}

/* Joins the lines: a run of blanks and line ends becomes one blank. Drops other controls, trims. */
static char *unfold(const uint8_t *value, size_t len)
{
	CLEANUP(buf_free) struct buf out = BUF_INIT(FIELD_RAW_MAX);
	bool blank = false;

	for (size_t i = 0; i < len; i++) {
		uint8_t c = value[i];

		if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
			blank = true;
			continue;
		}
		if (c < 0x20 || c == 0x7f)
			continue;
		if (blank && out.len > 0 && !buf_add_byte(&out, ' '))
			break;
		blank = false;
		if (!buf_add_byte(&out, c))
			break;
	}
	return buf_take_str(&out);
}

/* At most SUMMARY_FIELD_BYTES_MAX bytes of valid UTF-8, cut between characters. */
static char *fit(const char *text)
{
	CLEANUP(freep) char *clean = str_utf8_clean(text, strlen(text));
	size_t len = strlen(clean);

	if (len > SUMMARY_FIELD_BYTES_MAX) {
		len = SUMMARY_FIELD_BYTES_MAX;
		while (len > 0 && ((uint8_t)clean[len] & 0xc0) == 0x80)
			len--;
	}
	return xstrndup(clean, len);
}

static char *value_text(const uint8_t *value, size_t len, bool decode)
{
	CLEANUP(freep) char *plain = unfold(value, len);
	CLEANUP(freep) char *decoded = decode ? words_decode(plain) : NULL;

	return fit(decoded ? decoded : plain);
}

void mime_summarise(const uint8_t *data, size_t len, struct mime_summary *ret_summary)
{
	size_t at = 0;
	size_t look = len < SUMMARY_HEADER_BYTES_MAX ? len : SUMMARY_HEADER_BYTES_MAX;

	*ret_summary = (struct mime_summary){0};
	while (at < look) {
		size_t used = field_length(data + at, look - at);
		size_t value = 0;
		int field;

		if (is_empty_line(data + at, line_length(data + at, look - at))) {
			at += line_length(data + at, look - at);
			break;
		}
		field = known_field(data + at, used, &value);
		if (field >= 0 && !*field_of(ret_summary, (size_t)field))
			*field_of(ret_summary, (size_t)field) =
				value_text(data + at + value, used - value, fields[field].decode);
		at += used;
	}
	ret_summary->header_len = at == look ? len : at;
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		if (!*field_of(ret_summary, i))
			*field_of(ret_summary, i) = xstrdup("");
}

void mime_summary_free(struct mime_summary *summary)
{
	for (size_t i = 0; i < ARRAY_LEN(fields); i++)
		free(*field_of(summary, i));
	*summary = (struct mime_summary){0};
}
