#include "config/load/lines.h"

#include <stdint.h>
#include <string.h>

#include "base/alloc.h"

static const char byte_order_mark[] = "\xef\xbb\xbf";

enum { BYTE_ORDER_MARK_BYTES = 3 };

static bool has_control(const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (((uint8_t)line[i] < ' ' && line[i] != '\t') || line[i] == 0x7f)
			return true;
	return false;
}

static bool check_line(
	const struct lines *lines, struct problems *problems, const char *line, size_t len)
{
	struct config_place place = lines->place;

	if (len > lines->line_bytes_max)
		problem_add(problems, place, "line", "longer than the limit of %zu bytes",
			lines->line_bytes_max);
	else if (memchr(line, '\0', len))
		problem_add(problems, place, "line", "contains a NUL byte; expected UTF-8 text");
	else if (!str_utf8_valid(line, len))
		problem_add(problems, place, "line", "not UTF-8; expected UTF-8 text");
	else if (has_control(line, len))
		problem_add(problems, place, "line",
			"contains a control character; expected UTF-8 text");
	else
		return true;
	return false;
}

char *lines_next(struct lines *lines, struct problems *problems)
{
	if (lines->place.line == 0 && lines->left >= BYTE_ORDER_MARK_BYTES &&
		memcmp(lines->text, byte_order_mark, BYTE_ORDER_MARK_BYTES) == 0) {
		lines->text += BYTE_ORDER_MARK_BYTES;
		lines->left -= BYTE_ORDER_MARK_BYTES;
	}
	while (lines->left > 0) {
		const char *line = lines->text;
		const char *end = memchr(line, '\n', lines->left);
		size_t len = end ? (size_t)(end - line) : lines->left;
		size_t step = len + (end ? 1 : 0);

		lines->text += step;
		lines->left -= step;
		lines->place.line++;
		if (len > 0 && line[len - 1] == '\r')
			len--;
		if (check_line(lines, problems, line, len))
			return xstrndup(line, len);
	}
	return NULL;
}
