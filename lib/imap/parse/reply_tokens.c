#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "imap/parse/reply_internal.h"

static const struct reply_token end_token = {.kind = SCAN_END};

bool reply_malformed(const char *what, struct err *err)
{
	return err_set(err, ERR_PROTOCOL, "malformed response: %s", what);
}

const struct reply_token *reply_peek(const struct imap_parser *parser)
{
	return parser->read < parser->count ? &parser->tokens[parser->read] : &end_token;
}

const struct reply_token *reply_next(struct imap_parser *parser)
{
	const struct reply_token *token = reply_peek(parser);

	parser->read += token != &end_token;
	return token;
}

const char *reply_text(const struct imap_parser *parser, const struct reply_token *token)
{
	assert(token->at <= parser->strings.len);
	return parser->strings.data ? (const char *)parser->strings.data + token->at : "";
}

char *reply_text_to_change(struct imap_parser *parser, const struct reply_token *token)
{
	return (char *)parser->strings.data + token->at;
}

bool reply_take_kind(struct imap_parser *parser, enum scan_kind kind)
{
	if (reply_peek(parser)->kind != kind)
		return false;
	(void)reply_next(parser);
	return true;
}

const char *reply_take_atom(struct imap_parser *parser)
{
	if (reply_peek(parser)->kind != SCAN_ATOM)
		return NULL;
	return reply_text(parser, reply_next(parser));
}

const char *reply_take_string(struct imap_parser *parser)
{
	enum scan_kind kind = reply_peek(parser)->kind;

	if (kind != SCAN_ATOM && kind != SCAN_STRING)
		return NULL;
	return reply_text(parser, reply_next(parser));
}

void reply_skip_value(struct imap_parser *parser)
{
	size_t depth = 0;

	do {
		enum scan_kind kind = reply_peek(parser)->kind;

		if (kind == SCAN_END || (kind == SCAN_CLOSE && depth == 0))
			return;
		(void)reply_next(parser);
		depth += kind == SCAN_OPEN;
		depth -= kind == SCAN_CLOSE;
	} while (depth > 0);
}

bool reply_list_ends(struct imap_parser *parser)
{
	return reply_peek(parser)->kind == SCAN_END || reply_take_kind(parser, SCAN_CLOSE);
}

bool reply_take_number(struct imap_parser *parser, uint64_t *ret_number)
{
	const char *text = reply_take_string(parser);

	if (!text)
		reply_skip_value(parser);
	return text && str_parse_u64(text, ret_number);
}

bool reply_take_modseq(struct imap_parser *parser, uint64_t *ret_modseq)
{
	bool in_list = reply_take_kind(parser, SCAN_OPEN);
	uint64_t modseq;
	bool good = reply_take_number(parser, &modseq) && modseq <= REPLY_MODSEQ_MAX;

	while (in_list && !reply_list_ends(parser))
		reply_skip_value(parser);
	if (good)
		*ret_modseq = modseq;
	return good;
}

void reply_add_word(struct imap_parser *parser, const char *word)
{
	struct imap_reply *reply = &parser->reply;

	ARRAY_GROW(parser->words, reply->words_count, parser->words_cap);
	parser->words[reply->words_count++] = word;
	reply->words = parser->words;
}

static bool take_flag(struct imap_parser *parser, size_t *ret_bad)
{
	const struct reply_token *token = reply_peek(parser);
	const char *text = reply_take_string(parser);

	if (text)
		return flag_set_add(&parser->flags, text, token->len, ret_bad);
	reply_skip_value(parser);
	(*ret_bad)++;
	return true;
}

bool reply_take_flags(
	struct imap_parser *parser, const char **ret_flags, size_t *ret_bad, struct err *err)
{
	flag_set_reset(&parser->flags);
	parser->flags.wildcard = parser->reply.code == IMAP_CODE_PERMANENTFLAGS;
	while (!reply_list_ends(parser))
		if (!take_flag(parser, ret_bad))
			return err_set(err, ERR_PROTOCOL, "more than %d flags, or %d bytes of them",
				IMAP_FLAGS_MAX, IMAP_FLAGS_BYTES_MAX);
	free(parser->flags_text);
	parser->flags_text = flag_set_canonical(&parser->flags);
	*ret_flags = parser->flags_text;
	return true;
}
