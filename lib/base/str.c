#include "base/str.h"

#include <assert.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"

static const char replacement[] = "\xef\xbf\xbd"; /* U+FFFD */
static const char ellipsis[] = "\xe2\x80\xa6";    /* U+2026 */

char *str_printf(const char *format, ...)
{
	char *text = NULL;
	va_list args;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		abort();
	va_end(args);
	return text;
}

bool str_starts(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

char str_lower_char(char c)
{
	return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool str_starts_case(const char *text, const char *prefix)
{
	for (; *prefix; text++, prefix++)
		if (str_lower_char(*text) != str_lower_char(*prefix))
			return false;
	return true;
}

bool str_equal_case(const char *a, const char *b)
{
	return strlen(a) == strlen(b) && str_starts_case(a, b);
}

static size_t utf8_length(uint8_t first)
{
	if (first < 0x80)
		return 1;
	if (first >= 0xc2 && first <= 0xdf)
		return 2;
	if (first >= 0xe0 && first <= 0xef)
		return 3;
	if (first >= 0xf0 && first <= 0xf4)
		return 4;
	return 0;
}

size_t str_utf8_decode(const uint8_t *data, size_t len, uint32_t *ret_code_point)
{
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	static const uint8_t first_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
	size_t want = len ? utf8_length(data[0]) : 0;
	uint32_t code;

	if (want == 0 || want > len)
		return 0;
	code = data[0] & first_bits[want];
	for (size_t i = 1; i < want; i++) {
		if ((data[i] & 0xc0) != 0x80)
			return 0;
		code = (code << 6) | (data[i] & 0x3f);
	}
	if (code < least[want] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
		return 0;
	*ret_code_point = code;
	return want;
}

size_t str_utf8_encode(uint32_t code, uint8_t *out)
{
	assert(code <= 0x10ffff);
	if (code < 0x80) {
		out[0] = (uint8_t)code;
		return 1;
	}
	if (code < 0x800) {
		out[0] = (uint8_t)(0xc0 | (code >> 6));
		out[1] = (uint8_t)(0x80 | (code & 0x3f));
		return 2;
	}
	if (code < 0x10000) {
		out[0] = (uint8_t)(0xe0 | (code >> 12));
		out[1] = (uint8_t)(0x80 | ((code >> 6) & 0x3f));
		out[2] = (uint8_t)(0x80 | (code & 0x3f));
		return 3;
	}
	out[0] = (uint8_t)(0xf0 | (code >> 18));
	out[1] = (uint8_t)(0x80 | ((code >> 12) & 0x3f));
	out[2] = (uint8_t)(0x80 | ((code >> 6) & 0x3f));
	out[3] = (uint8_t)(0x80 | (code & 0x3f));
	return 4;
}

static bool unsafe_on_terminal(uint32_t code)
{
	if (code < 0x20 || (code >= 0x7f && code <= 0x9f))
		return true;
	return code == 0x061c || (code >= 0x200e && code <= 0x200f) ||
	       (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) ||
	       code == 0xfeff || code == 0xfffe || code == 0xffff;
}

/* Writes one character of data in printable form; returns how many bytes of data it took. */
static size_t show_one(const uint8_t *data, size_t len, char out[16])
{
	uint32_t code = 0;
	size_t used = str_utf8_decode(data, len, &code);

	if (used == 0) {
		memcpy(out, replacement, sizeof(replacement));
		return 1;
	}
	if (!unsafe_on_terminal(code)) {
		memcpy(out, data, used);
		out[used] = '\0';
	} else if (code < 0x100) {
		(void)snprintf(out, 16, "\\x%02x", (unsigned)code);
	} else {
		(void)snprintf(out, 16, "\\u{%x}", (unsigned)code);
	}
	return used;
}

char *str_printable(const void *data, size_t len, size_t max_bytes)
{
	struct buf out = BUF_INIT(max_bytes + sizeof(ellipsis));
	const uint8_t *bytes = data;
	size_t at = 0;

	while (at < len) {
		char shown[16];
		size_t used = show_one(bytes + at, len - at, shown);

		if (out.len + strlen(shown) > max_bytes) {
			bool fits = buf_add_str(&out, ellipsis);
			assert(fits);
			break;
		}
		if (!buf_add_str(&out, shown))
			break;
		at += used;
	}
	return buf_take_str(&out);
}

bool str_utf8_valid(const void *data, size_t len)
{
	const uint8_t *bytes = data;
	uint32_t code;

	while (len > 0) {
		size_t used = str_utf8_decode(bytes, len, &code);

		if (used == 0)
			return false;
		bytes += used;
		len -= used;
	}
	return true;
}

char *str_utf8_clean(const void *data, size_t len)
{
	const uint8_t *bytes = data;
	struct buf out = BUF_INIT(len * 3 + 1);
	size_t at = 0;

	while (at < len) {
		uint32_t code = 0;
		size_t used = str_utf8_decode(bytes + at, len - at, &code);
		bool good = used > 0 && code != 0;
		bool fits = good ? buf_add(&out, bytes + at, used) : buf_add_str(&out, replacement);

		assert(fits);
		at += used ? used : 1;
	}
	return buf_take_str(&out);
}

bool str_parse_u64(const char *text, uint64_t *ret_value)
{
	uint64_t value = 0;

	if (*text == '\0')
		return false;
	for (; *text; text++) {
		if (*text < '0' || *text > '9')
			return false;
		if (__builtin_mul_overflow(value, (uint64_t)10, &value) ||
			__builtin_add_overflow(value, (uint64_t)(*text - '0'), &value))
			return false;
	}
	*ret_value = value;
	return true;
}

size_t str_edits(const char *a, const char *b)
{
	size_t row[STR_EDITS_BYTES_MAX + 1];
	size_t b_len = strlen(b);

	if (b_len > STR_EDITS_BYTES_MAX || strlen(a) > STR_EDITS_BYTES_MAX)
		return SIZE_MAX;
	for (size_t k = 0; k <= b_len; k++)
		row[k] = k;
	for (size_t i = 0; a[i]; i++) {
		size_t diagonal = row[0];

		row[0] = i + 1;
		for (size_t k = 1; k <= b_len; k++) {
			size_t changed = diagonal + (a[i] != b[k - 1]);
			size_t shorter = (row[k] < row[k - 1] ? row[k] : row[k - 1]) + 1;

			diagonal = row[k];
			row[k] = changed < shorter ? changed : shorter;
		}
	}
	return row[b_len];
}

void str_format_size(uint64_t size_bytes, char out[STR_SIZE_MAX])
{
	static const char *const units[] = {"B", "kB", "MB", "GB", "TB", "PB", "EB"};
	double value = (double)size_bytes;
	size_t unit = 0;

	while (value >= 999.5 && unit + 1 < ARRAY_LEN(units)) {
		value /= 1000;
		unit++;
	}
	if (unit == 0)
		(void)snprintf(out, STR_SIZE_MAX, "%u B", (unsigned)size_bytes);
	else
		(void)snprintf(out, STR_SIZE_MAX, value < 9.95 ? "%.1f %s" : "%.0f %s", value,
			units[unit]);
}

void str_format_count(uint64_t count, const char *noun, char out[STR_COUNT_MAX])
{
	(void)snprintf(out, STR_COUNT_MAX, "%" PRIu64 " %s%s", count, noun, count == 1 ? "" : "s");
}

void str_list_take(struct str_list *list, char *text)
{
	ARRAY_GROW(list->items, list->count, list->cap);
	list->items[list->count++] = text;
}

void str_list_add(struct str_list *list, const char *text)
{
	str_list_take(list, xstrdup(text));
}

void str_list_free(struct str_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct str_list){0};
}

bool str_list_has(const struct str_list *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i], text) == 0)
			return true;
	return false;
}

static size_t char_length(const char *text)
{
	size_t len = utf8_length((uint8_t)*text);

	return len && strnlen(text, len) == len ? len : 1;
}

/* Linear with one remembered star: on a mismatch the last star takes one character more. */
bool str_glob(const char *pattern, const char *text)
{
	const char *star = NULL;
	const char *retry = NULL;

	while (*text) {
		if (*pattern == '*') {
			star = pattern++;
			retry = text;
		} else if (*pattern == '?') {
			pattern++;
			text += char_length(text);
		} else if (*pattern == *text) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star + 1;
			text = ++retry;
		} else {
			return false;
		}
	}
	while (*pattern == '*')
		pattern++;
	return *pattern == '\0';
}
