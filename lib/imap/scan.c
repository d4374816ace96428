#include "imap/scan.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "imap/limits.h"

enum state {
	BETWEEN,       /* before a token */
	IN_ATOM,       /* */
	IN_SECTION,    /* of "BODY[...]", where blanks and parentheses are part of the atom */
	IN_QUOTED,     /* */
	IN_ESCAPE,     /* after a backslash in it */
	IN_SIZE,       /* of "{n}" */
	AFTER_SIZE,    /* where the line has to end */
	IN_LITERAL,    /* its bytes */
	AFTER_LITERAL, /* its end is still to be told */
	IN_TEXT,       /* the human text */
	AFTER_CR,      /* which LF has to follow */
};

enum step { TOOK, TOKEN, FAILED }; /* a run of bytes, a whole token, an error */

struct input {
	const uint8_t *data;
	size_t len;
	size_t used;
	struct scan_token *token;
	struct err *err;
};

void scan_init(struct scan *scan)
{
	*scan = (struct scan){.state = BETWEEN};
	buf_init(&scan->piece, IMAP_LINE_BYTES_MAX);
}

void scan_free(struct scan *scan)
{
	buf_free(&scan->piece);
}

void scan_expect_text(struct scan *scan)
{
	assert(scan->state == BETWEEN && !scan->in_code);
	scan->text_expected = true;
}

uint64_t scan_literal_left(const struct scan *scan)
{
	return scan->literal_left;
}

bool scan_is_empty(const struct scan *scan)
{
	return scan->line_bytes == 0;
}

/* --- small steps --- */

static enum step fail(struct input *input, const char *what)
{
	(void)err_set(input->err, ERR_PROTOCOL, "malformed response: %s", what);
	return FAILED;
}

static enum step take(struct input *input, size_t len)
{
	input->used += len;
	return TOOK;
}

/* A token that is one byte of punctuation. */
static enum step punctuation(struct input *input, enum scan_kind kind)
{
	input->used++;
	*input->token = (struct scan_token){.kind = kind};
	return TOKEN;
}

/* The collected piece as a token; `taken` more bytes belong to it. */
static enum step piece(struct scan *scan, struct input *input, enum scan_kind kind, size_t taken)
{
	input->used += taken;
	scan->state = BETWEEN;
	*input->token = (struct scan_token){
		.kind = kind,
		.data = (const uint8_t *)buf_str(&scan->piece),
		.len = scan->piece.len,
	};
	return TOKEN;
}

static enum step collect(struct scan *scan, struct input *input, size_t len)
{
	if (!buf_add(&scan->piece, input->data + input->used, len))
		return fail(input, "line too long");
	return take(input, len);
}

static void begin_piece(struct scan *scan, enum state state)
{
	buf_reset(&scan->piece);
	scan->state = state;
}

static size_t left(const struct input *input)
{
	return input->len - input->used;
}

static const uint8_t *at(const struct input *input)
{
	return input->data + input->used;
}

/* --- the end of a line --- */

static enum step end_line(struct scan *scan, struct input *input)
{
	if (scan->depth != 0)
		return fail(input, "line ends within parentheses");
	scan->state = BETWEEN;
	scan->text_expected = scan->in_code = false;
	scan->line_bytes = 0;
	scan->literals = 0;
	return punctuation(input, SCAN_END);
}

static enum step after_cr(struct scan *scan, struct input *input)
{
	return *at(input) == '\n' ? end_line(scan, input) : fail(input, "CR without LF");
}

/* --- between tokens --- */

static enum step open_list(struct scan *scan, struct input *input)
{
	if (++scan->depth > IMAP_DEPTH_MAX)
		return fail(input, "more than 64 nested parentheses");
	return punctuation(input, SCAN_OPEN);
}

static enum step close_list(struct scan *scan, struct input *input)
{
	if (scan->depth-- == 0)
		return fail(input, "parenthesis closed that was not open");
	return punctuation(input, SCAN_CLOSE);
}

static enum step open_code(struct scan *scan, struct input *input)
{
	scan->in_code = true;
	scan->text_expected = false;
	return punctuation(input, SCAN_CODE_OPEN);
}

static enum step close_code(struct scan *scan, struct input *input)
{
	scan->in_code = false;
	scan->text_expected = true;
	scan->code_done = true;
	return punctuation(input, SCAN_CODE_CLOSE);
}

static enum step begin_quoted(struct scan *scan, struct input *input)
{
	begin_piece(scan, IN_QUOTED);
	return take(input, 1);
}

static enum step begin_literal(struct scan *scan, struct input *input)
{
	if (++scan->literals > IMAP_RESPONSE_LITERALS_MAX)
		return fail(input, "more than 1000 literals");
	begin_piece(scan, IN_SIZE);
	return take(input, 1);
}

static enum step between(struct scan *scan, struct input *input)
{
	uint8_t c = *at(input);

	if (c == ' ')
		return take(input, 1);
	if (scan->text_expected && c == '[' && !scan->code_done)
		return open_code(scan, input);
	if (scan->text_expected) {
		scan->text_expected = scan->code_done = false;
		begin_piece(scan, IN_TEXT);
		return TOOK;
	}
	switch (c) {
	case '\r':
		scan->state = AFTER_CR;
		return take(input, 1);
	case '\n':
		return end_line(scan, input);
	case '(':
		return open_list(scan, input);
	case ')':
		return close_list(scan, input);
	case '"':
		return begin_quoted(scan, input);
	case '{':
		return begin_literal(scan, input);
	case ']':
		if (scan->in_code && scan->depth == 0)
			return close_code(scan, input);
		break;
	default:
		break;
	}
	begin_piece(scan, IN_ATOM);
	return TOOK;
}

/* --- atoms --- */

static bool ends_atom(const struct scan *scan, uint8_t c)
{
	return c == ' ' || c == '(' || c == ')' || c == '"' || c == '{' || c == '\r' || c == '\n' ||
	       c == '[' || (c == ']' && scan->in_code && scan->depth == 0);
}

/* Does a section in brackets follow this atom? */
static bool takes_section(const struct scan *scan)
{
	static const char *const names[] = {"BODY", "BODY.PEEK", "BINARY", "BINARY.SIZE"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcasecmp(buf_str(&scan->piece), names[i]) == 0)
			return true;
	return false;
}

static enum step in_atom(struct scan *scan, struct input *input)
{
	size_t run = 0;
	uint8_t c;

	while (run < left(input) && !ends_atom(scan, at(input)[run])) {
		c = at(input)[run];
		if ((c < ' ' && c != '\t') || c == 0x7f)
			return fail(input, "control character");
		run++;
	}
	if (run > 0)
		return collect(scan, input, run);
	c = *at(input);
	if (c == '[') {
		scan->state = takes_section(scan) ? IN_SECTION : IN_ATOM;
		return collect(scan, input, 1);
	}
	if (c == '{' && strcmp(buf_str(&scan->piece), "~") == 0)
		return begin_literal(scan, input);
	if (scan->piece.len == 0)
		return fail(input, "unexpected character");
	return piece(scan, input, SCAN_ATOM, 0);
}

static enum step in_section(struct scan *scan, struct input *input)
{
	uint8_t c = *at(input);

	if (c < ' ')
		return fail(input, "section that does not end");
	if (c == ']')
		scan->state = IN_ATOM;
	return collect(scan, input, 1);
}

/* --- strings --- */

static enum step in_quoted(struct scan *scan, struct input *input)
{
	size_t run = 0;

	while (run < left(input) && !memchr("\"\\\r\n", at(input)[run], 5))
		run++;
	if (run > 0)
		return collect(scan, input, run);
	switch (*at(input)) {
	case '"':
		return piece(scan, input, SCAN_STRING, 1);
	case '\\':
		scan->state = IN_ESCAPE;
		return take(input, 1);
	default:
		return fail(input, "string that does not end");
	}
}

static enum step in_escape(struct scan *scan, struct input *input)
{
	if (memchr("\r\n", *at(input), 3))
		return fail(input, "string that does not end");
	scan->state = IN_QUOTED;
	return collect(scan, input, 1);
}

static enum step in_text(struct scan *scan, struct input *input)
{
	size_t run = 0;

	while (run < left(input) && !memchr("\r\n", at(input)[run], 3))
		run++;
	if (run > 0)
		return collect(scan, input, run);
	if (*at(input) == '\0')
		return fail(input, "NUL");
	return piece(scan, input, SCAN_TEXT, 0);
}

/* --- literals --- */

/* Digits, then '+' or '-' of the non-synchronising form. */
static bool parse_size(const char *text, uint64_t *ret_size)
{
	uint64_t size = 0;

	if (*text < '0' || *text > '9')
		return false;
	for (; *text >= '0' && *text <= '9'; text++) {
		unsigned digit = (unsigned)(*text - '0');

		if (size > (UINT64_MAX - digit) / 10)
			return false;
		size = size * 10 + digit;
	}
	text += *text == '+' || *text == '-';
	*ret_size = size;
	return !*text;
}

static enum step in_size(struct scan *scan, struct input *input)
{
	enum { SIZE_TEXT_MAX = 64 };
	uint8_t c = *at(input);

	if (c == '}') {
		scan->state = AFTER_SIZE;
		return take(input, 1);
	}
	if (c < ' ' || scan->piece.len == SIZE_TEXT_MAX)
		return fail(input, "literal without a size");
	return collect(scan, input, 1);
}

static enum step after_size(struct scan *scan, struct input *input)
{
	uint64_t size;

	if (*at(input) == '\r')
		return take(input, 1);
	if (*at(input) != '\n' || !parse_size(buf_str(&scan->piece), &size))
		return fail(input, "literal without a size");
	input->used++;
	scan->literal_left = size;
	scan->state = size > 0 ? IN_LITERAL : AFTER_LITERAL;
	*input->token = (struct scan_token){.kind = SCAN_LITERAL, .size = size};
	return TOKEN;
}

static enum step in_literal(struct scan *scan, struct input *input)
{
	size_t len = left(input);

	if (len > scan->literal_left)
		len = (size_t)scan->literal_left;
	*input->token =
		(struct scan_token){.kind = SCAN_LITERAL_DATA, .data = at(input), .len = len};
	input->used += len;
	scan->literal_left -= len;
	if (scan->literal_left == 0)
		scan->state = AFTER_LITERAL;
	return TOKEN;
}

static enum step after_literal(struct scan *scan, struct input *input)
{
	scan->state = BETWEEN;
	*input->token = (struct scan_token){.kind = SCAN_LITERAL_END};
	return TOKEN;
}

/* --- the machine --- */

static enum step step(struct scan *scan, struct input *input)
{
	switch ((enum state)scan->state) {
	case BETWEEN:
		return between(scan, input);
	case IN_ATOM:
		return in_atom(scan, input);
	case IN_SECTION:
		return in_section(scan, input);
	case IN_QUOTED:
		return in_quoted(scan, input);
	case IN_ESCAPE:
		return in_escape(scan, input);
	case IN_SIZE:
		return in_size(scan, input);
	case AFTER_SIZE:
		return after_size(scan, input);
	case IN_LITERAL:
		return in_literal(scan, input);
	case AFTER_LITERAL:
		return after_literal(scan, input);
	case IN_TEXT:
		return in_text(scan, input);
	case AFTER_CR:
		return after_cr(scan, input);
	}
	assert(!"a state of the scanner");
	return FAILED;
}

bool scan_next(struct scan *scan, const uint8_t *data, size_t len, size_t *ret_used,
	struct scan_token *ret_token, struct err *err)
{
	struct input input = {.data = data, .len = len, .token = ret_token, .err = err};

	*ret_token = (struct scan_token){.kind = SCAN_MORE};
	while (input.used < len || scan->state == AFTER_LITERAL) {
		size_t from = input.used;
		bool in_line = scan->state != IN_LITERAL;
		enum step result = step(scan, &input);

		if (result == FAILED)
			return false;
		if (in_line && ret_token->kind != SCAN_END)
			scan->line_bytes += input.used - from;
		if (scan->line_bytes > IMAP_LINE_BYTES_MAX)
			return err_set(err, ERR_PROTOCOL, "response line longer than %d bytes",
				IMAP_LINE_BYTES_MAX);
		if (result == TOKEN)
			break;
	}
	*ret_used = input.used;
	return true;
}
