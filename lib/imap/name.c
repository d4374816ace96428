#include "imap/name.h"

#include <stdint.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"

static const char inbox[] = "INBOX";

enum { INBOX_LEN = sizeof(inbox) - 1, ESCAPE_LEN = 3 /* "%XX" */ };

/* How to read one wire name. */
struct name_rules {
	char delimiter;
	bool utf8;
	bool below;           /* it had the prefix */
	bool all_below_inbox; /* and the prefix begins with INBOX */
};

static bool is_control(uint32_t c)
{
	return c < ' ' || c == 0x7f || (c >= 0x80 && c < 0xa0);
}

/* Is INBOX, in any case, the first component? */
static bool starts_with_inbox(const char *name, char delimiter)
{
	return str_starts_case(name, inbox) &&
	       (!name[INBOX_LEN] || (delimiter && name[INBOX_LEN] == delimiter));
}

/* --- to a path --- */

static char *put_escape(char *out, uint8_t byte)
{
	static const char digits[] = "0123456789ABCDEF";

	*out++ = '%';
	*out++ = digits[byte >> 4];
	*out++ = digits[byte & 15];
	return out;
}

/* Writes valid UTF-8 without controls and moves *out. False: text is something else. */
static bool put_text(char **out, const char *text)
{
	size_t left = strlen(text), len;
	char *at = *out;

	for (; left > 0; text += len, left -= len) {
		uint32_t c = 0;

		len = str_utf8_decode((const uint8_t *)text, left, &c);
		if (len == 0 || is_control(c))
			return false;
		if (c == '/' || c == '%')
			at = put_escape(at, (uint8_t)c);
		else
			at = mempcpy(at, text, len);
	}
	*out = at;
	return true;
}

/* Escapes at least one byte that put_text() never escapes, so that unescape() can tell the two
 * apart. */
static char *put_wire(char *out, const char *wire)
{
	for (; *wire; wire++) {
		uint8_t byte = (uint8_t)*wire;

		if (byte == '/' || byte == '%' || byte == '&' || byte >= 0x80 || is_control(byte))
			out = put_escape(out, byte);
		else
			*out++ = (char)byte;
	}
	return out;
}

static char *put_component(char *out, const char *wire, bool utf8)
{
	CLEANUP(freep) char *decoded = utf8 ? xstrdup(wire) : utf7_decode(wire);

	if (decoded && put_text(&out, decoded))
		return out;
	return put_wire(out, wire);
}

static bool is_below(const char *wire, const char *prefix, char delimiter)
{
	size_t len = prefix ? strlen(prefix) : 0;
	size_t any_case = len > 0 && starts_with_inbox(prefix, delimiter) ? INBOX_LEN : 0;

	return len > 0 && strlen(wire) > len && !str_equal_case(wire, inbox) &&
	       strncasecmp(wire, prefix, any_case) == 0 &&
	       strncmp(wire + any_case, prefix + any_case, len - any_case) == 0;
}

/*
 * The first component. After a prefix, one called INBOX is not the INBOX: if the prefix begins with
 * INBOX, its children are INBOX's; otherwise it is an ordinary folder of that name.
 */
static char *put_first(
	char *out, const char *name, const char *component, const struct name_rules *rules)
{
	if (!starts_with_inbox(name, rules->delimiter))
		return put_component(out, component, rules->utf8);
	if (!rules->below || (rules->all_below_inbox && name[INBOX_LEN] && str_starts(name, inbox)))
		return stpcpy(out, inbox);
	out = put_escape(out, (uint8_t)*name);
	return mempcpy(out, name + 1, INBOX_LEN - 1);
}

char *name_to_path(const char *wire, char delimiter, const char *prefix, bool utf8)
{
	bool below = is_below(wire, prefix, delimiter);
	const struct name_rules rules = {.delimiter = delimiter,
		.utf8 = utf8,
		.below = below,
		.all_below_inbox = below && starts_with_inbox(prefix, delimiter)};
	const char *name = below ? wire + strlen(prefix) : wire;
	char *path = xmalloc(strlen(name) * ESCAPE_LEN + 1), *out = path;

	for (bool first = true;; first = false) {
		const char *end = delimiter ? strchr(name, delimiter) : NULL;
		CLEANUP(freep)
		char *component = end ? xstrndup(name, (size_t)(end - name)) : xstrdup(name);

		out = first ? put_first(out, name, component, &rules)
			    : put_component(out, component, utf8);
		if (!end)
			break;
		*out++ = '/';
		name = end + 1;
	}
	*out = '\0';
	return path;
}

/* --- from a path --- */

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* The byte of "XX". -1: malformed, or NUL. */
static int escaped_byte(const char *digits)
{
	int high = hex_value(digits[0]), low = high < 0 ? -1 : hex_value(digits[1]);
	int byte = low < 0 ? -1 : high * 16 + low;

	return byte == 0 ? -1 : byte;
}

/* Decodes "%XX". NULL: malformed. *ret_is_wire: the component has its form on the wire. */
static char *unescape(const char *component, bool *ret_is_wire)
{
	CLEANUP(freep) char *text = xmalloc(strlen(component) + 1);
	char *out = text;

	*ret_is_wire = false;
	for (; *component; component++) {
		int byte = (uint8_t)*component;

		if (byte == '%') {
			byte = escaped_byte(component + 1);
			if (byte < 0)
				return NULL;
			*ret_is_wire |= byte != '/' && byte != '%';
			component += ESCAPE_LEN - 1;
		}
		*out++ = (char)byte;
	}
	*out = '\0';
	return TAKE(text);
}

static void replace_delimiter(char *text, char delimiter, bool *ret_changed)
{
	char by = delimiter == '_' ? '-' : '_';

	for (; delimiter && *text; text++) {
		if (*text != delimiter)
			continue;
		*text = by;
		*ret_changed = true;
	}
}

static char *encode_component(const char *component, char delimiter, bool utf8, bool *ret_changed)
{
	bool is_wire;
	CLEANUP(freep) char *text = unescape(component, &is_wire);

	if (!text || !*text)
		return NULL;
	if (!is_wire && !str_utf8_valid(text, strlen(text)))
		return NULL;
	replace_delimiter(text, delimiter, ret_changed);
	return is_wire || utf8 ? TAKE(text) : utf7_encode(text);
}

/* Does the wire name of this path begin with the prefix? */
static bool takes_prefix(const char *path, char delimiter, const char *prefix)
{
	if (!starts_with_inbox(path, '/'))
		return true;
	return path[INBOX_LEN] && starts_with_inbox(prefix, delimiter);
}

char *name_from_path(
	const char *path, char delimiter, const char *prefix, bool utf8, bool *ret_changed)
{
	CLEANUP(buf_free) struct buf name = BUF_INIT(SIZE_MAX / 4);
	bool is_inbox = starts_with_inbox(path, '/'), changed = false, good = true;

	if (takes_prefix(path, delimiter, prefix ? prefix : ""))
		good = buf_add_str(&name, prefix ? prefix : "");
	for (bool first = true; good; first = false) {
		size_t len = strcspn(path, "/");
		CLEANUP(freep) char *component = xstrndup(path, len);
		CLEANUP(freep)
		char *encoded = first && is_inbox
					? xstrdup(inbox)
					: encode_component(component, delimiter, utf8, &changed);

		good = encoded && buf_add_str(&name, encoded);
		path += len;
		if (!good || !*path)
			break;
		good = delimiter && buf_add_byte(&name, (uint8_t)delimiter);
		path++;
	}
	if (!good)
		return NULL;
	*ret_changed = changed;
	return buf_take_str(&name);
}
