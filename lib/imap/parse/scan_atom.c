#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "imap/parse/scan_internal.h"

enum step scan_in_word(struct scan *scan, struct input *in)
{
	enum step step;

	if (!scan_run_to(in, END | CONTROL))
		return ON;
	if (scan_classes[in->data[in->at]] & CONTROL)
		return scan_fail(in, "control character");
	step = scan_give(scan, in, SCAN_ATOM);
	if (step == TOKEN && scan->words == 0 && in->token->len == 1 && *in->token->data == '*')
		scan->words = WORDS_TOLD_APART;
	else
		scan->words++;
	return step;
}

/* Does a section follow these bytes? */
static bool takes_section(const uint8_t *data, size_t len)
{
	static const char *const names[] = {"BODY", "BODY.PEEK", "BINARY", "BINARY.SIZE"};

	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (len == strlen(names[i]) && strncasecmp((const char *)data, names[i], len) == 0)
			return true;
	return false;
}

/* A bracket inside an atom. */
static enum step bracket(struct scan *scan, struct input *in)
{
	bool opens = in->data[in->at] == '[';
	const uint8_t *data;
	size_t len;

	if (scan->in_code && scan->depth == 0) {
		if (!opens && scan->brackets == 0)
			return scan_give(scan, in, SCAN_ATOM);
		scan->brackets = opens ? scan->brackets + 1 : scan->brackets - 1;
		return scan_take_byte(in);
	}
	if (opens && scan->depth == 1) {
		if (!scan_so_far(scan, in, &data, &len))
			return scan_fail_long(scan, in);
		if (takes_section(data, len))
			scan->state = IN_SECTION;
	}
	return scan_take_byte(in);
}

/* '"' or '{' inside an atom: part of it, except in "~{". */
static enum step opening(struct scan *scan, struct input *in)
{
	const uint8_t *data;
	size_t len;

	if (!scan_so_far(scan, in, &data, &len))
		return scan_fail_long(scan, in);
	if (in->data[in->at] == '{' && len == 1 && *data == '~')
		return scan_begin_literal(scan, in);
	return scan_take_byte(in);
}

/* "x{12}" at the end of a line: the server may send literal bytes next, which this atom does not
 * announce. */
static bool looks_like_literal(const uint8_t *data, size_t len)
{
	size_t at = len;

	if (at == 0 || data[--at] != '}')
		return false;
	if (at > 0 && data[at - 1] == '+')
		at--;
	while (at > 0 && data[at - 1] >= '0' && data[at - 1] <= '9')
		at--;
	return at > 0 && data[at - 1] == '{';
}

static enum step end_atom(struct scan *scan, struct input *in)
{
	uint8_t c = in->data[in->at];
	enum step step = scan_give(scan, in, SCAN_ATOM);

	if (step == TOKEN && (c == '\r' || c == '\n') &&
		looks_like_literal(in->token->data, in->token->len))
		return scan_fail(in, "literal inside an atom");
	return step;
}

enum step scan_in_atom(struct scan *scan, struct input *in)
{
	uint8_t class;

	if (!scan_run_to(in, END | PAREN | BRACKET | OPENING | CONTROL))
		return ON;
	class = scan_classes[in->data[in->at]];
	if (class & BRACKET)
		return bracket(scan, in);
	if (class & OPENING)
		return opening(scan, in);
	if (class & CONTROL)
		return scan_fail(in, "control character");
	return end_atom(scan, in);
}

enum step scan_in_section(struct scan *scan, struct input *in)
{
	while (scan_run_to(in, END | BRACKET | CONTROL)) {
		uint8_t c = in->data[in->at];

		if (c == ']') {
			scan->state = IN_ORIGIN;
			return scan_take_byte(in);
		}
		if (c != ' ' && c != '[')
			return scan_fail(in, "unterminated section");
		in->at++;
	}
	return ON;
}

enum step scan_in_origin(struct scan *scan, struct input *in)
{
	if (!scan_run_to(in, END | PAREN | OPENING | CONTROL))
		return ON;
	return scan_give(scan, in, SCAN_ATOM);
}
