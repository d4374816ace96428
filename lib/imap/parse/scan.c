#include <assert.h>
#include <string.h>

#include "imap/limits.h"
#include "imap/parse/scan_internal.h"

enum { PIECE_KEPT_MAX = 64 * 1024 }; /* memory kept for the next response */

static void begin_line(struct scan *scan)
{
	scan->state = BETWEEN;
	scan->expect = EXPECT_TOKENS;
	scan->words = 0;
	scan->brackets = 0;
	scan->in_code = false;
	scan->literals = 0;
	scan->line_bytes = 0;
	scan->line_max = IMAP_LINE_BYTES_MAX;
	if (scan->piece.cap > PIECE_KEPT_MAX)
		buf_free(&scan->piece);
	scan->piece.max = IMAP_LINE_BYTES_MAX;
}

void scan_init(struct scan *scan)
{
	*scan = (struct scan){0};
	buf_init(&scan->piece, IMAP_LINE_BYTES_MAX);
	begin_line(scan);
}

void scan_free(struct scan *scan)
{
	buf_free(&scan->piece);
}

void scan_expect_text(struct scan *scan)
{
	assert(scan->state == BETWEEN && !scan->in_code);
	scan->expect = EXPECT_CODE_OR_TEXT;
}

void scan_expect_raw(struct scan *scan)
{
	assert(scan->state == BETWEEN && !scan->in_code);
	scan->expect = EXPECT_TEXT;
}

void scan_allow_long_line(struct scan *scan)
{
	scan->line_max = IMAP_SET_LINE_BYTES_MAX;
	scan->piece.max = IMAP_SET_LINE_BYTES_MAX;
}

uint64_t scan_literal_left(const struct scan *scan)
{
	return scan->literal_left;
}

bool scan_is_empty(const struct scan *scan)
{
	return scan->line_bytes == 0;
}

/* --- between tokens --- */

/* A token that is one byte of the input. */
static enum step give_mark(struct input *in, enum scan_kind kind)
{
	in->at++;
	*in->token = (struct scan_token){.kind = kind};
	return TOKEN;
}

static enum step end_line(struct scan *scan, struct input *in)
{
	if (scan->depth > 0)
		return scan_fail(in, "line ends within parentheses");
	return give_mark(in, SCAN_END);
}

static enum step after_cr(struct scan *scan, struct input *in)
{
	if (in->data[in->at] == '\r')
		return scan_take_byte(in);
	if (in->data[in->at] != '\n')
		return scan_fail(in, "CR without LF");
	return end_line(scan, in);
}

static enum step begin_text(struct scan *scan, struct input *in)
{
	if (scan->expect == EXPECT_CODE_OR_TEXT && in->data[in->at] == '[') {
		scan->in_code = true;
		scan->expect = EXPECT_TOKENS;
		return give_mark(in, SCAN_CODE_OPEN);
	}
	return scan_begin(scan, in, IN_TEXT);
}

/* One of the first words of a line. */
static enum step begin_word(struct scan *scan, struct input *in)
{
	if (scan->words == 0 && in->data[in->at] == '\0')
		return scan_take_byte(in);
	(void)scan_begin(scan, in, IN_WORD);
	if (scan->words == 0 && in->data[in->at] == '+') {
		scan->words = WORDS_TOLD_APART;
		in->at++;
		return scan_give(scan, in, SCAN_ATOM);
	}
	return ON;
}

static enum step begin_token(struct scan *scan, struct input *in)
{
	switch (in->data[in->at]) {
	case '(':
		if (++scan->depth > IMAP_DEPTH_MAX)
			return scan_fail(in, "parentheses nested too deep");
		return give_mark(in, SCAN_OPEN);
	case ')':
		if (scan->depth == 0)
			return scan_fail(in, "closing parenthesis without an opening one");
		scan->depth--;
		return give_mark(in, SCAN_CLOSE);
	case '{':
		return scan_begin_literal(scan, in);
	case '"':
		in->at++;
		return scan_begin(scan, in, IN_QUOTED);
	case ']':
		if (!scan->in_code || scan->depth > 0 || scan->brackets > 0)
			break;
		scan->in_code = false;
		scan->expect = EXPECT_TEXT;
		return give_mark(in, SCAN_CODE_CLOSE);
	default:
		break;
	}
	return scan_begin(scan, in, IN_ATOM);
}

static enum step between(struct scan *scan, struct input *in)
{
	switch (in->data[in->at]) {
	case ' ':
		return scan_take_byte(in);
	case '\r':
		scan->state = AFTER_CR;
		return scan_take_byte(in);
	case '\n':
		return end_line(scan, in);
	default:
		break;
	}
	if (scan->expect != EXPECT_TOKENS)
		return begin_text(scan, in);
	if (scan->words < WORDS_TOLD_APART)
		return begin_word(scan, in);
	return begin_token(scan, in);
}

/* --- the machine --- */

static enum step advance(struct scan *scan, struct input *in)
{
	static enum step (*const steps[])(struct scan *, struct input *) = {
		[BETWEEN] = between,
		[IN_WORD] = scan_in_word,
		[IN_ATOM] = scan_in_atom,
		[IN_SECTION] = scan_in_section,
		[IN_ORIGIN] = scan_in_origin,
		[IN_QUOTED] = scan_in_quoted,
		[IN_ESCAPE] = scan_in_escape,
		[IN_SIZE] = scan_in_size,
		[AFTER_PLUS] = scan_after_plus,
		[AFTER_SIZE] = scan_after_size,
		[IN_LITERAL] = scan_in_literal,
		[LITERAL_DONE] = scan_literal_done,
		[IN_TEXT] = scan_in_text,
		[AFTER_CR] = after_cr,
	};

	return steps[scan->state](scan, in);
}

/* Does the current token continue in the next input? */
static bool is_collecting(const struct scan *scan)
{
	switch ((enum scan_state)scan->state) {
	case IN_WORD:
	case IN_ATOM:
	case IN_SECTION:
	case IN_ORIGIN:
	case IN_QUOTED:
	case IN_TEXT:
		return true;
	default:
		return false;
	}
}

/* Counts the line's bytes without those of literals. */
static bool count_line(struct scan *scan, struct input *in)
{
	if (in->token->kind == SCAN_LITERAL_DATA)
		return true;
	scan->line_bytes += in->at;
	if (scan->line_bytes > scan->line_max)
		return scan_fail_long(scan, in) != FAILED;
	assert(scan->depth <= IMAP_DEPTH_MAX && scan->literals <= IMAP_RESPONSE_LITERALS_MAX);
	if (in->token->kind == SCAN_END)
		begin_line(scan);
	return true;
}

bool scan_next(struct scan *scan, const uint8_t *data, size_t len, size_t *ret_used,
	struct scan_token *ret_token, struct err *err)
{
	struct scan_token token = {.kind = SCAN_MORE};
	struct input in = {.data = data, .len = len, .token = &token, .err = err};
	enum step step = ON;

	while (step == ON && (in.at < len || scan->state == LITERAL_DONE))
		step = advance(scan, &in);
	if (step == FAILED)
		return false;
	if (step == ON && is_collecting(scan) && !scan_keep(scan, &in))
		return scan_fail_long(scan, &in) != FAILED;
	if (!count_line(scan, &in))
		return false;
	assert(in.at <= len && (token.kind != SCAN_MORE || in.at == len));
	*ret_used = in.at;
	*ret_token = token;
	return true;
}
