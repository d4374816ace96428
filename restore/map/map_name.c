#include "restore/map/map_name.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"

/* --- without the delimiter --- */

/* Length of the target's delimiter at this point of a component, 0: it is not there. */
static size_t delimiter_length(const char *text, char delimiter)
{
	if (delimiter == '/')
		return str_starts(text, "%2F") ? 3 : 0;
	return delimiter && *text == delimiter ? 1 : 0;
}

static bool holds_delimiter(const char *component, size_t len, char delimiter)
{
	for (size_t i = 0; i < len; i++)
		if (delimiter_length(component + i, delimiter))
			return true;
	return false;
}

static char *escape_delimiter(char *out, const char *component, size_t len, char delimiter)
{
	for (size_t i = 0; i < len;) {
		size_t found = delimiter_length(component + i, delimiter);

		if (found || component[i] == '=') {
			out += snprintf(out, 4, "=%02X", found ? delimiter : '=');
			i += found ? found : 1;
		} else {
			*out++ = component[i++];
		}
	}
	return out;
}

char *map_name_without_delimiter(const char *path, char delimiter)
{
	char *encoded, *out;
	bool changed = false;

	encoded = out = xmalloc(strlen(path) * 3 + 2);
	for (;;) {
		size_t len = strcspn(path, "/");

		if (holds_delimiter(path, len, delimiter)) {
			out = escape_delimiter(out, path, len, delimiter);
			changed = true;
		} else {
			out = mempcpy(out, path, len);
		}
		if (!path[len])
			break;
		*out++ = '/';
		path += len + 1;
	}
	*out = '\0';
	if (!changed)
		free(encoded);
	return changed ? encoded : NULL;
}

/* --- plain --- */

/* Characters every known server accepts in a folder name. */
static bool is_plain(char c)
{
	char lower = str_lower_char(c);

	return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') || (c & 0x80) ||
	       (c && strchr(" -_.,+@()[]&'", c));
}

static char *escape_unplain(char *out, const char *component, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		if (is_plain(component[i]))
			*out++ = component[i];
		else if (component[i] == '%') /* %XX encodes a byte */
			*out++ = '=';
		else
			out += snprintf(out, 4, "=%02X", (unsigned)component[i]);
	}
	return out;
}

static bool is_all_plain(const char *component, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!is_plain(component[i]) && component[i] != '=')
			return false;
	return true;
}

char *map_name_plain(const char *path)
{
	char *plain = xmalloc(strlen(path) * 3 + 1), *out = plain;
	bool changed = false;

	for (;; path++) {
		size_t len = strcspn(path, "/");

		if (is_all_plain(path, len)) {
			out = mempcpy(out, path, len);
		} else {
			out = escape_unplain(out, path, len);
			changed = true;
		}
		path += len;
		if (!*path)
			break;
		*out++ = '/';
	}
	*out = '\0';
	if (!changed)
		free(plain);
	return changed ? plain : NULL;
}
