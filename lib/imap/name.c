#include "imap/name.h"

#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"

static const char inbox[] = "INBOX";

enum { ESCAPE_LEN = 3 }; /* "%XX" */

static bool is_control(uint32_t c)
{
	return c < ' ' || c == 0x7f || (c >= 0x80 && c < 0xa0);
}

static char *put_escape(char *out, uint8_t byte)
{
	static const char digits[] = "0123456789ABCDEF";

	*out++ = '%';
	*out++ = digits[byte >> 4];
	*out++ = digits[byte & 15];
	return out;
}

/* One decoded character of a component. */
static char *put_character(char *out, const char *text, size_t len, uint32_t c)
{
	if (c != '/' && c != '%' && !is_control(c)) {
		memcpy(out, text, len);
		return out + len;
	}
	for (size_t i = 0; i < len; i++)
		out = put_escape(out, (uint8_t)text[i]);
	return out;
}

/* Valid UTF-8, without what a path may not hold. */
static char *put_text(char *out, const char *text)
{
	size_t left = strlen(text);

	while (left > 0) {
		uint32_t c = 0;
		size_t len = str_utf8_decode((const uint8_t *)text, left, &c);

		if (len == 0)
			return NULL;
		out = put_character(out, text, len, c);
		text += len;
		left -= len;
	}
	return out;
}

/*
 * What cannot be decoded is kept byte by byte. '&' is what a valid name can only get from "&-", so
 * it is escaped here, and no valid name has the same path.
 */
static char *put_undecoded(char *out, const char *wire)
{
	for (; *wire; wire++) {
		uint8_t byte = (uint8_t)*wire;

		if (byte == '/' || byte == '%' || byte == '&' || is_control(byte) || byte >= 0x80)
			out = put_escape(out, byte);
		else
			*out++ = (char)byte;
	}
	return out;
}

static char *put_component(char *out, const char *wire, bool utf8)
{
	CLEANUP(freep) char *decoded = utf8 ? xstrdup(wire) : utf7_decode(wire);
	char *end = decoded ? put_text(out, decoded) : NULL;

	return end ? end : put_undecoded(out, wire);
}

/* INBOX, alone or as the first component, is one folder in any case. */
static bool starts_with_inbox(const char *name, char delimiter)
{
	size_t len = strlen(inbox);

	return str_starts_case(name, inbox) &&
	       (!name[len] || (delimiter && name[len] == delimiter));
}

char *name_to_path(const char *wire, char delimiter, const char *prefix, bool utf8)
{
	char *path, *out;

	if (prefix && *prefix && !str_equal_case(wire, inbox) && str_starts(wire, prefix) &&
		wire[strlen(prefix)])
		wire += strlen(prefix);
	out = path = xmalloc(strlen(wire) * 2 * ESCAPE_LEN + 1);
	for (bool first = true;; first = false) {
		const char *end = delimiter ? strchr(wire, delimiter) : NULL;
		CLEANUP(freep)
		char *component = end ? xstrndup(wire, (size_t)(end - wire)) : xstrdup(wire);

		if (first && starts_with_inbox(wire, delimiter))
			out = stpcpy(out, inbox);
		else
			out = put_component(out, component, utf8);
		if (!end)
			break;
		*out++ = '/';
		wire = end + 1;
	}
	*out = '\0';
	return path;
}

/* --- back --- */

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* "%XX" undone; NULL when malformed or NUL. */
static char *unescape(const char *component, size_t len)
{
	CLEANUP(freep) char *text = xmalloc(len + 1);
	char *out = text;

	for (size_t i = 0; i < len; i++) {
		int high, low;

		if (component[i] != '%') {
			*out++ = component[i];
			continue;
		}
		high = i + 2 < len ? hex_value(component[i + 1]) : -1;
		low = i + 2 < len ? hex_value(component[i + 2]) : -1;
		if (high < 0 || low < 0 || high * 16 + low == 0)
			return NULL;
		*out++ = (char)(high * 16 + low);
		i += 2;
	}
	*out = '\0';
	return TAKE(text);
}

static void replace(char *text, char delimiter, bool *ret_changed)
{
	char by = delimiter == '_' ? '-' : '_';

	for (; delimiter && *text; text++) {
		if (*text != delimiter)
			continue;
		*text = by;
		*ret_changed = true;
	}
}

/* 8-bit bytes that were kept one by one go back as they came. */
static char *encode_component(
	const char *component, size_t len, char delimiter, bool utf8, bool *ret_changed)
{
	CLEANUP(freep) char *text = unescape(component, len);

	if (!text || !*text)
		return NULL;
	replace(text, delimiter, ret_changed);
	if (utf8 || !str_utf8_valid(text, strlen(text)))
		return TAKE(text);
	return utf7_encode(text);
}

char *name_from_path(
	const char *path, char delimiter, const char *prefix, bool utf8, bool *ret_changed)
{
	bool is_inbox = str_equal_case(path, inbox), changed = false;
	CLEANUP(freep) char *name = xstrdup(prefix && !is_inbox ? prefix : "");

	for (bool first = true;; first = false) {
		size_t len = strcspn(path, "/");
		CLEANUP(freep)
		char *component = encode_component(path, len, delimiter, utf8, &changed);
		char *longer;

		if (!component || (path[len] && !delimiter))
			return NULL;
		longer = first ? str_printf("%s%s", name, component)
			       : str_printf("%s%c%s", name, delimiter, component);
		free(name);
		name = longer;
		if (!path[len])
			break;
		path += len + 1;
	}
	*ret_changed = changed;
	return TAKE(name);
}
