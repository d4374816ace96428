#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "imap/parse/reply_internal.h"

/* Memory kept for the next response. */
enum { TOKENS_KEPT = 4096, BYTES_KEPT = 64 * 1024 };

struct imap_parser *imap_parser_new(void)
{
	struct imap_parser *parser = xcalloc(1, sizeof(*parser));

	scan_init(&parser->scan);
	flag_set_init(&parser->flags);
	buf_init(&parser->strings, IMAP_RESPONSE_STRINGS_BYTES_MAX);
	buf_init(&parser->joined, IMAP_LINE_BYTES_MAX);
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
	range_list_free(&parser->ranges);
	buf_free(&parser->strings);
	buf_free(&parser->joined);
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

/* Frees the memory of a large response: thousands of sessions may wait at the same time. */
static void forget_response(struct imap_parser *parser)
{
	if (parser->cap > TOKENS_KEPT) {
		free(TAKE(parser->tokens));
		parser->cap = 0;
	}
	if (parser->words_cap > TOKENS_KEPT) {
		free(TAKE(parser->words));
		parser->words_cap = 0;
	}
	if (parser->strings.cap > BYTES_KEPT)
		buf_free(&parser->strings);
	if (parser->joined.cap > BYTES_KEPT)
		buf_free(&parser->joined);
	if (parser->set.cap > TOKENS_KEPT)
		rangeset_free(&parser->set);
	if (parser->ranges.cap > TOKENS_KEPT)
		range_list_free(&parser->ranges);
}

static void begin_response(struct imap_parser *parser)
{
	forget_response(parser);
	parser->count = parser->read = 0;
	parser->line = REPLY_PLAIN;
	parser->depth = 0;
	parser->body_seen = false;
	parser->ranges.count = 0;
	rangeset_clear(&parser->set);
	buf_reset(&parser->strings);
	parser->reply = (struct imap_reply){
		.tag = "", .code_name = "", .text = "", .flags = "", .set = &parser->set};
}

static void add_token(struct imap_parser *parser, enum scan_kind kind, size_t text_at)
{
	size_t len = parser->strings.len - text_at;

	/* so both fit 32 bits */
	assert(text_at <= parser->strings.len);
	assert(parser->strings.len <= IMAP_RESPONSE_STRINGS_BYTES_MAX);
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

static const char *last_atom(const struct imap_parser *parser)
{
	if (parser->count == 0 || parser->tokens[parser->count - 1].kind != SCAN_ATOM)
		return "";
	return token_text(parser, parser->count - 1);
}

/* Is the next value the message itself? */
static bool is_body_next(const struct imap_parser *parser)
{
	return parser->line == REPLY_FETCH && parser->depth == 1 &&
	       reply_is_body(last_atom(parser));
}

/* --- the kind of response, by its first words --- */

static bool is_untagged(const struct imap_parser *parser)
{
	return strcmp(token_text(parser, 0), "*") == 0;
}

static void note_untagged_word(struct imap_parser *parser, const char *word)
{
	enum imap_status status;

	if (reply_is_status(word, &status))
		scan_expect_text(&parser->scan);
	else if (str_equal_case(word, "SEARCH"))
		parser->line = REPLY_SEARCH;
	else if (str_equal_case(word, "ESEARCH"))
		parser->line = REPLY_ESEARCH;
	else if (str_equal_case(word, "VANISHED"))
		parser->line = REPLY_VANISHED;
	if (parser->line != REPLY_PLAIN)
		scan_allow_long_line(&parser->scan);
}

/* A line without a status here is no tagged response and may hold anything. */
static void note_tagged_word(struct imap_parser *parser, const char *word)
{
	enum imap_status status;

	if (reply_is_tagged_status(word, &status))
		scan_expect_text(&parser->scan);
	else
		scan_expect_raw(&parser->scan);
}

static void note_word(struct imap_parser *parser, size_t number)
{
	const char *word = token_text(parser, number);
	uint64_t message;

	if (number == 0 && strcmp(word, "+") == 0)
		scan_expect_text(&parser->scan);
	else if (number == 1 && is_untagged(parser))
		note_untagged_word(parser, word);
	else if (number == 1)
		note_tagged_word(parser, word);
	else if (number == 2 && is_untagged(parser) &&
		 str_parse_u64(token_text(parser, 1), &message) &&
		 (str_equal_case(word, "FETCH") || str_equal_case(word, "UIDFETCH")))
		parser->line = REPLY_FETCH;
}

/* --- atoms; sets of numbers are parsed as they arrive, not collected --- */

static bool is_set_next(const struct imap_parser *parser)
{
	if (parser->depth > 0)
		return false;
	return parser->line == REPLY_SEARCH || parser->line == REPLY_VANISHED ||
	       (parser->line == REPLY_ESEARCH && str_equal_case(last_atom(parser), "ALL"));
}

/* One number of SEARCH. Ignores words and numbers out of range. */
static bool take_found(struct imap_parser *parser, const struct scan_token *token, struct err *err)
{
	uint64_t number = 0;

	for (size_t i = 0; i < token->len; i++) {
		uint8_t c = token->data[i];

		if (c < '0' || c > '9' || number > UINT32_MAX)
			return true;
		number = number * 10 + (uint64_t)(c - '0');
	}
	if (number == 0 || number > UINT32_MAX ||
		range_list_add(&parser->ranges, (uint32_t)number, (uint32_t)number))
		return true;
	return err_set(err, ERR_PROTOCOL, "set of more than %d ranges", IMAP_RANGES_MAX);
}

static bool take_atom(struct imap_parser *parser, const struct scan_token *token, struct err *err)
{
	if (parser->line == REPLY_SEARCH && is_set_next(parser))
		return take_found(parser, token, err);
	if (is_set_next(parser)) {
		/* an empty atom in place of the set */
		add_token(parser, SCAN_ATOM, parser->strings.len);
		return add_bytes(parser, "", 1, err) &&
		       seqset_collect((const char *)token->data, token->len, &parser->ranges, err);
	}
	if (!add_text_token(parser, token, err))
		return false;
	if (parser->count <= 3)
		note_word(parser, parser->count - 1);
	return true;
}

/* --- strings and bodies --- */

static bool begin_body(struct imap_parser *parser, uint64_t size, struct err *err)
{
	if (parser->body_seen)
		return reply_malformed("FETCH with two bodies", err);
	parser->body_seen = true;
	parser->body_size = size;
	parser->body_given = 0;
	return !parser->has_sink || parser->sink.begin(parser->sink.context, size, err);
}

static bool body_data(struct imap_parser *parser, const uint8_t *data, size_t len, struct err *err)
{
	parser->body_given += len;
	assert(parser->body_given <= parser->body_size);
	return !parser->has_sink || len == 0 ||
	       parser->sink.data(parser->sink.context, data, len, err);
}

/* The sink takes the digest: it has been given exactly the bytes that the server announced. */
static bool end_body(struct imap_parser *parser, struct err *err)
{
	assert(parser->body_given == parser->body_size);
	assert(scan_literal_left(&parser->scan) == 0);
	add_token(parser, SCAN_LITERAL, parser->strings.len);
	return !parser->has_sink || parser->sink.end(parser->sink.context, err);
}

static bool take_string(struct imap_parser *parser, const struct scan_token *token, struct err *err)
{
	if (!is_body_next(parser))
		return add_text_token(parser, token, err);
	return begin_body(parser, token->len, err) &&
	       body_data(parser, token->data, token->len, err) && end_body(parser, err);
}

static bool begin_literal(struct imap_parser *parser, uint64_t size, struct err *err)
{
	if (is_body_next(parser)) {
		parser->literal = LITERAL_BODY;
		return begin_body(parser, size, err);
	}
	parser->literal = size > IMAP_SMALL_LITERAL_MAX ? LITERAL_SKIPPED : LITERAL_KEPT;
	parser->literal_at = parser->strings.len;
	return true;
}

static bool literal_data(
	struct imap_parser *parser, const struct scan_token *token, struct err *err)
{
	if (parser->literal == LITERAL_BODY)
		return body_data(parser, token->data, token->len, err);
	return parser->literal == LITERAL_SKIPPED ||
	       add_bytes(parser, token->data, token->len, err);
}

static bool end_literal(struct imap_parser *parser, struct err *err)
{
	switch (parser->literal) {
	case LITERAL_BODY:
		return end_body(parser, err);
	case LITERAL_SKIPPED:
		add_token(parser, SCAN_LITERAL_END, parser->strings.len);
		return true;
	case LITERAL_KEPT:
		break;
	}
	add_token(parser, SCAN_STRING, parser->literal_at);
	return add_bytes(parser, "", 1, err);
}

/* --- one response --- */

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
	case SCAN_OPEN:
		parser->depth++;
		assert(parser->depth <= IMAP_DEPTH_MAX);
		break;
	case SCAN_CLOSE:
		assert(parser->depth > 0); /* the scanner refuses any other ')' */
		parser->depth--;
		break;
	default:
		break;
	}
	add_token(parser, token->kind, parser->strings.len);
	return true;
}

bool imap_parser_feed(struct imap_parser *parser, const uint8_t *data, size_t len, size_t *ret_used,
	const struct imap_reply **ret_reply, struct err *err)
{
	struct scan_token token = {.kind = SCAN_TEXT};
	size_t used = 0, step;

	if (scan_is_empty(&parser->scan))
		begin_response(parser);
	while (token.kind != SCAN_END && token.kind != SCAN_MORE) {
		if (!scan_next(&parser->scan, data + used, len - used, &step, &token, err))
			return false;
		used += step;
		if (token.kind == SCAN_END || token.kind == SCAN_MORE)
			break;
		if (!take_token(parser, &token, err))
			return false;
	}
	if (token.kind == SCAN_END) {
		if (!reply_parse(parser, err))
			return false;
		seqset_from_ranges(parser->ranges.items, parser->ranges.count, &parser->set);
	}
	*ret_used = used;
	*ret_reply = token.kind == SCAN_END ? &parser->reply : NULL;
	return true;
}
