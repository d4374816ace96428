#include <assert.h>
#include <string.h>

#include "imap/limits.h"
#include "imap/parse/scan_internal.h"

/* --- strings and text --- */

enum step scan_in_quoted(struct scan *scan, struct input *in)
{
	while (scan_run_to(in, END | OPENING | ESCAPE | CONTROL)) {
		uint8_t c = in->data[in->at];
		enum step step;

		switch (c) {
		case '"':
			step = scan_give(scan, in, SCAN_STRING);
			in->at++;
			return step;
		case '\\':
			if (!scan_keep(scan, in))
				return scan_fail_long(scan, in);
			scan->state = IN_ESCAPE;
			return scan_take_byte(in);
		case '\0':
		case '\r':
		case '\n':
			return scan_fail(in, "unterminated string");
		default:
			in->at++;
		}
	}
	return ON;
}

enum step scan_in_escape(struct scan *scan, struct input *in)
{
	uint8_t c = in->data[in->at];

	if (c == '\0' || c == '\r' || c == '\n')
		return scan_fail(in, "unterminated string");
	scan->state = IN_QUOTED;
	in->from = in->at;
	return scan_take_byte(in);
}

enum step scan_in_text(struct scan *scan, struct input *in)
{
	const uint8_t *start = in->data + in->at;
	const uint8_t *end = memchr(start, '\n', in->len - in->at);
	size_t len = end ? (size_t)(end - start) : in->len - in->at;
	enum step step;

	if (memchr(start, '\0', len))
		return scan_fail(in, "NUL in a text");
	in->at += len;
	if (!end)
		return ON;
	step = scan_give(scan, in, SCAN_TEXT);
	while (step == TOKEN && in->token->len > 0 && in->token->data[in->token->len - 1] == '\r')
		in->token->len--;
	return step;
}

/* --- literals --- */

enum step scan_begin_literal(struct scan *scan, struct input *in)
{
	if (++scan->literals > IMAP_RESPONSE_LITERALS_MAX)
		return scan_fail(in, "too many literals");
	scan->literal_size = 0;
	scan->has_digits = false;
	scan->state = IN_SIZE;
	return scan_take_byte(in);
}

enum step scan_in_size(struct scan *scan, struct input *in)
{
	uint8_t c = in->data[in->at];

	if (c >= '0' && c <= '9') {
		if (__builtin_mul_overflow(scan->literal_size, (uint64_t)10, &scan->literal_size) ||
			__builtin_add_overflow(
				scan->literal_size, (uint64_t)(c - '0'), &scan->literal_size))
			return scan_fail(in, "literal larger than 2^64-1 bytes");
		scan->has_digits = true;
	} else if (scan->has_digits && (c == '+' || c == '}')) {
		scan->state = c == '+' ? AFTER_PLUS : AFTER_SIZE;
	} else {
		return scan_fail(in, "literal without a size");
	}
	return scan_take_byte(in);
}

enum step scan_after_plus(struct scan *scan, struct input *in)
{
	if (in->data[in->at] != '}')
		return scan_fail(in, "literal without a size");
	scan->state = AFTER_SIZE;
	return scan_take_byte(in);
}

enum step scan_after_size(struct scan *scan, struct input *in)
{
	if (in->data[in->at] == '\r')
		return scan_take_byte(in);
	if (in->data[in->at] != '\n')
		return scan_fail(in, "literal size not at the end of a line");
	in->at++;
	scan->literal_left = scan->literal_size;
	scan->state = scan->literal_left > 0 ? IN_LITERAL : LITERAL_DONE;
	*in->token = (struct scan_token){.kind = SCAN_LITERAL, .size = scan->literal_size};
	return TOKEN;
}

enum step scan_in_literal(struct scan *scan, struct input *in)
{
	size_t len = in->len - in->at;

	assert(len > 0 && scan->literal_left > 0);
	if (len > scan->literal_left)
		len = (size_t)scan->literal_left;
	*in->token = (struct scan_token){
		.kind = SCAN_LITERAL_DATA, .data = in->data + in->at, .len = len};
	in->at += len;
	scan->literal_left -= len;
	if (scan->literal_left == 0)
		scan->state = LITERAL_DONE;
	return TOKEN;
}

enum step scan_literal_done(struct scan *scan, struct input *in)
{
	assert(scan->literal_left == 0);
	scan->state = BETWEEN;
	*in->token = (struct scan_token){.kind = SCAN_LITERAL_END};
	return TOKEN;
}
