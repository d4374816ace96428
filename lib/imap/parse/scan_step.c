#include "imap/parse/scan_internal.h"

const uint8_t scan_classes[256] = {
	[0 ... 8] = CONTROL,
	['\n'] = END,
	[11 ... 12] = CONTROL,
	['\r'] = END,
	[14 ... 31] = CONTROL,
	[' '] = END,
	['"'] = OPENING,
	['('] = PAREN,
	[')'] = PAREN,
	['['] = BRACKET,
	['\\'] = ESCAPE,
	[']'] = BRACKET,
	['{'] = OPENING,
	[127] = CONTROL,
};

enum step scan_fail(struct input *in, const char *what)
{
	(void)err_set(in->err, ERR_PROTOCOL, "malformed response: %s", what);
	return FAILED;
}

enum step scan_fail_long(struct scan *scan, struct input *in)
{
	(void)err_set(in->err, ERR_PROTOCOL, "response line longer than %zu bytes", scan->line_max);
	return FAILED;
}

enum step scan_take_byte(struct input *in)
{
	in->at++;
	return ON;
}

enum step scan_begin(struct scan *scan, struct input *in, enum scan_state state)
{
	buf_reset(&scan->piece);
	scan->state = state;
	in->from = in->at;
	return ON;
}

bool scan_keep(struct scan *scan, struct input *in)
{
	bool fits = buf_add(&scan->piece, in->data + in->from, in->at - in->from);

	in->from = in->at;
	return fits;
}

bool scan_so_far(struct scan *scan, struct input *in, const uint8_t **ret_data, size_t *ret_len)
{
	if (scan->piece.len > 0 && !scan_keep(scan, in))
		return false;
	*ret_data = scan->piece.len ? scan->piece.data : in->data + in->from;
	*ret_len = scan->piece.len ? scan->piece.len : in->at - in->from;
	return true;
}

enum step scan_give(struct scan *scan, struct input *in, enum scan_kind kind)
{
	struct scan_token token = {.kind = kind};

	if (!scan_so_far(scan, in, &token.data, &token.len))
		return scan_fail_long(scan, in);
	scan->state = BETWEEN;
	*in->token = token;
	return TOKEN;
}

bool scan_run_to(struct input *in, uint8_t stop)
{
	size_t at = in->at;

	while (at < in->len && !(scan_classes[in->data[at]] & stop))
		at++;
	in->at = at;
	return at < in->len;
}
