#include "restore/ui/text.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>
#include <wctype.h>

#include "base/str.h"

static const char ellipsis[] = "\xe2\x80\xa6"; /* U+2026, one column */

/* Bytes (1 if invalid) and columns of the character at text. */
static size_t next_character(const char *text, size_t *ret_columns)
{
	uint32_t code = 0;
	size_t len = str_utf8_decode((const uint8_t *)text, strnlen(text, 4), &code);
	int columns = len ? wcwidth((wchar_t)code) : 1;

	*ret_columns = columns < 0 ? 1 : (size_t)columns;
	return len ? len : 1;
}

size_t text_width(const char *text)
{
	size_t width = 0;

	while (*text) {
		size_t columns;

		text += next_character(text, &columns);
		width += columns;
	}
	return width;
}

/* Bytes of text that fit into `columns`. *ret_used: the columns they take. */
static size_t fitting(const char *text, size_t columns, size_t *ret_used)
{
	size_t len = 0, used = 0;

	while (text[len]) {
		size_t more;
		size_t step = next_character(text + len, &more);

		if (used + more > columns)
			break;
		used += more;
		len += step;
	}
	*ret_used = used;
	return len;
}

static void put_blanks(FILE *out, size_t count)
{
	(void)fprintf(out, "%*s", (int)count, "");
}

void text_put(FILE *out, const char *text, size_t columns, enum text_side side)
{
	size_t used;
	size_t len = fitting(text, columns, &used);
	bool cut = text[len] != '\0';

	if (cut && columns > 0) {
		len = fitting(text, columns - 1, &used);
		used++;
	}
	if (side == TEXT_RIGHT)
		put_blanks(out, columns - used);
	(void)fprintf(out, "%.*s%s", (int)len, text, cut && columns > 0 ? ellipsis : "");
	if (side == TEXT_LEFT)
		put_blanks(out, columns - used);
}

size_t text_terminal_columns(void)
{
	struct winsize size = {0};

	if (!isatty(STDOUT_FILENO))
		return 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) < 0 || size.ws_col == 0)
		return 80;
	return size.ws_col;
}

/* Whether text begins with part. Case folding maps one character to one. */
static bool begins_with(const char *text, const char *part)
{
	while (*part) {
		uint32_t a = 0, b = 0;
		size_t a_len = str_utf8_decode((const uint8_t *)text, strnlen(text, 4), &a);
		size_t b_len = str_utf8_decode((const uint8_t *)part, strnlen(part, 4), &b);

		if (a_len == 0 || b_len == 0) {
			if (*text != *part)
				return false;
			a_len = b_len = 1;
		} else if (towlower((wint_t)a) != towlower((wint_t)b)) {
			return false;
		}
		text += a_len;
		part += b_len;
	}
	return true;
}

bool text_contains(const char *text, const char *part)
{
	do {
		if (begins_with(text, part))
			return true;
	} while (*text++);
	return false;
}
