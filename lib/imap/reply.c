#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "imap/reply_internal.h"
#include "imap/seqset.h"

enum { TOKENS_KEPT = 4096 };

struct imap_parser *imap_parser_new(void)
{
	struct imap_parser *parser = xcalloc(1, sizeof(*parser));

	scan_init(&parser->scan);
	flag_set_init(&parser->flags);
	buf_init(&parser->strings, IMAP_RESPONSE_STRINGS_BYTES_MAX);
	buf_init(&parser->attributes, IMAP_LINE_BYTES_MAX);
	return parser;
}

void imap_parser_freep(struct imap_parser **parser_at)
{
	struct imap_parser *parser = TAKE(*parser_at);

	if (!parser)
		return;
	scan_free(&parser->scan);
	flag_set_free(&parser->flags);
	rangeset_free(&parser->set);
	buf_free(&parser->strings);
	buf_free(&parser->attributes);
	free(parser->flags_text);
	free(parser->words);
	free(parser->tokens);
	free(parser);
}

void imap_parser_set_sink(struct imap_parser *parser, const struct imap_body_sink *sink)
{
	parser->has_sink = sink != NULL;
	if (sink)
		parser->sink = *sink;
}

uint64_t imap_parser_literal_left(const struct imap_parser *parser)
{
	return scan_literal_left(&parser->scan);
}

bool imap_parser_is_empty(const struct imap_parser *parser)
{
	return scan_is_empty(&parser->scan);
}

/* --- collecting --- */

static void begin_response(struct imap_parser *parser)
{
	if (parser->cap > TOKENS_KEPT) {
		free(TAKE(parser->tokens));
		parser->cap = 0;
	}
	parser->count = parser->read = 0;
	parser->body_seen = false;
	parser->reply = (struct imap_reply){.tag = "", .code_name = "", .text = ""};
	buf_reset(&parser->strings);
}

static void add_token(struct imap_parser *parser, enum scan_kind kind, size_t text_at)
{
	size_t len = parser->strings.len - text_at;

	ARRAY_GROW(parser->tokens, parser->count, parser->cap);
	parser->tokens[parser->count++] =
		(struct reply_token){kind, (uint32_t)text_at, (uint32_t)len};
}

static bool add_bytes(struct imap_parser *parser, const void *data, size_t len, struct err *err)
{
	if (!buf_add(&parser->strings, data, len))
		return err_set(err, ERR_PROTOCOL, "response with more than %d bytes of strings",
			IMAP_RESPONSE_STRINGS_BYTES_MAX);
	return true;
}

static bool add_text_token(
	struct imap_parser *parser, const struct scan_token *token, struct err *err)
{
	size_t text_at = parser->strings.len;

	if (!add_bytes(parser, token->data, token->len, err))
		return false;
	add_token(parser, token->kind, text_at);
	return add_bytes(parser, "", 1, err);
}

static const char *token_text(const struct imap_parser *parser, size_t i)
{
	return i < parser->count ? reply_text(parser, &parser->tokens[i]) : "";
}

/* "* n FETCH" or UIDFETCH */
static bool is_fetch(const struct imap_parser *parser)
{
	return parser->count > 3 && strcmp(token_text(parser, 0), "*") == 0 &&
	       (str_equal_case(token_text(parser, 2), "FETCH") ||
		       str_equal_case(token_text(parser, 2), "UIDFETCH"));
}

/* Is what comes now the value of this FETCH item? */
static bool follows(const struct imap_parser *parser, const char *item)
{
	return is_fetch(parser) && parser->tokens[parser->count - 1].kind == SCAN_ATOM &&
	       str_equal_case(token_text(parser, parser->count - 1), item);
}

/* A literal that is a string of this response, and not one that is skipped. */
static bool is_string_wanted(const struct imap_parser *parser)
{
	static const char *const kinds[] = {
		"LIST", "LSUB", "STATUS", "NAMESPACE", "ID", "ESEARCH", "SEARCH"};
	const char *last = parser->count > 0 ? token_text(parser, parser->count - 1) : "";

	if (is_fetch(parser))
		return str_starts_case(last, "BODY[HEADER") || str_equal_case(last, "INTERNALDATE");
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (str_equal_case(token_text(parser, 1), kinds[i]))
			return true;
	return false;
}

/* --- bodies and literals --- */

static bool begin_body(struct imap_parser *parser, uint64_t size, struct err *err)
{
	if (parser->body_seen)
		return reply_malformed("FETCH with two bodies", err);
	parser->in_body = parser->body_seen = true;
	parser->body_size = size;
	return !parser->has_sink || parser->sink.begin(parser->sink.context, size, err);
}

static bool body_data(struct imap_parser *parser, const uint8_t *data, size_t len, struct err *err)
{
	return !parser->has_sink || len == 0 ||
	       parser->sink.data(parser->sink.context, data, len, err);
}

static bool end_body(struct imap_parser *parser, struct err *err)
{
	parser->in_body = false;
	add_token(parser, SCAN_LITERAL, parser->strings.len);
	return !parser->has_sink || parser->sink.end(parser->sink.context, err);
}

static bool begin_literal(struct imap_parser *parser, uint64_t size, struct err *err)
{
	parser->collecting = false;
	parser->literal_size = size;
	if (follows(parser, "BODY[]"))
		return begin_body(parser, size, err);
	parser->collecting = is_string_wanted(parser);
	if (parser->collecting && size > IMAP_SMALL_LITERAL_MAX)
		return err_set(err, ERR_PROTOCOL, "string literal of more than %d bytes",
			IMAP_SMALL_LITERAL_MAX);
	return true;
}

static bool literal_data(
	struct imap_parser *parser, const struct scan_token *token, struct err *err)
{
	if (parser->in_body)
		return body_data(parser, token->data, token->len, err);
	return !parser->collecting || add_bytes(parser, token->data, token->len, err);
}

static bool end_literal(struct imap_parser *parser, struct err *err)
{
	size_t text_at;

	if (parser->in_body)
		return end_body(parser, err);
	text_at = parser->strings.len;
	if (parser->collecting)
		text_at -= (size_t)parser->literal_size;
	add_token(parser, SCAN_STRING, text_at);
	return add_bytes(parser, "", 1, err);
}

static bool take_string(struct imap_parser *parser, const struct scan_token *token, struct err *err)
{
	if (!follows(parser, "BODY[]"))
		return add_text_token(parser, token, err);
	return begin_body(parser, token->len, err) &&
	       body_data(parser, token->data, token->len, err) && end_body(parser, err);
}

static bool take_atom(struct imap_parser *parser, const struct scan_token *token, struct err *err)
{
	enum imap_status status;

	if (!add_text_token(parser, token, err))
		return false;
	if ((parser->count == 1 && strcmp(token_text(parser, 0), "+") == 0) ||
		(parser->count == 2 && reply_is_status(token_text(parser, 1), &status)))
		scan_expect_text(&parser->scan);
	return true;
}

static bool take_token(struct imap_parser *parser, const struct scan_token *token, struct err *err)
{
	switch (token->kind) {
	case SCAN_ATOM:
		return take_atom(parser, token, err);
	case SCAN_TEXT:
		return add_text_token(parser, token, err);
	case SCAN_STRING:
		return take_string(parser, token, err);
	case SCAN_LITERAL:
		return begin_literal(parser, token->size, err);
	case SCAN_LITERAL_DATA:
		return literal_data(parser, token, err);
	case SCAN_LITERAL_END:
		return end_literal(parser, err);
	default:
		add_token(parser, token->kind, parser->strings.len);
		return true;
	}
}

bool imap_parser_feed(struct imap_parser *parser, const uint8_t *data, size_t len, size_t *ret_used,
	const struct imap_reply **ret_reply, struct err *err)
{
	size_t used = 0;

	*ret_reply = NULL;
	for (;;) {
		struct scan_token token;
		size_t step;

		if (scan_is_empty(&parser->scan))
			begin_response(parser);
		if (!scan_next(&parser->scan, data + used, len - used, &step, &token, err))
			return false;
		used += step;
		if (token.kind == SCAN_MORE)
			break;
		if (token.kind != SCAN_END) {
			if (!take_token(parser, &token, err))
				return false;
			continue;
		}
		if (!reply_parse(parser, err))
			return false;
		*ret_reply = &parser->reply;
		break;
	}
	*ret_used = used;
	return true;
}
