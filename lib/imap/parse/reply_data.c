#include <string.h>

#include "base/str.h"
#include "imap/parse/reply_internal.h"

static bool parse_words(struct imap_parser *parser, struct err *err)
{
	const char *word;

	(void)err;
	while ((word = reply_take_atom(parser)))
		reply_add_word(parser, word);
	return true;
}

/* --- SEARCH, ESEARCH, VANISHED: reply.c has parsed their numbers already --- */

static bool parse_search(struct imap_parser *parser, struct err *err)
{
	const char *name;

	(void)err;
	if (reply_take_kind(parser, SCAN_OPEN)) {
		name = reply_take_atom(parser);
		if (name && str_equal_case(name, "MODSEQ"))
			reply_take_modseq(parser, &parser->reply.modseq);
	}
	return true;
}

static void parse_correlator(struct imap_parser *parser)
{
	while (!reply_list_ends(parser)) {
		const char *name = reply_take_atom(parser);
		const char *value = name ? reply_take_string(parser) : NULL;

		if (!value)
			reply_skip_value(parser);
		else if (str_equal_case(name, "TAG"))
			parser->reply.tag = value;
	}
}

static bool parse_esearch(struct imap_parser *parser, struct err *err)
{
	const char *name;

	(void)err;
	if (reply_take_kind(parser, SCAN_OPEN))
		parse_correlator(parser);
	while ((name = reply_take_atom(parser))) {
		if (str_equal_case(name, "UID"))
			parser->reply.uids = true;
		else if (str_equal_case(name, "MODSEQ"))
			reply_take_modseq(parser, &parser->reply.modseq);
		else
			reply_skip_value(parser);
	}
	return true;
}

static bool parse_vanished(struct imap_parser *parser, struct err *err)
{
	if (reply_take_kind(parser, SCAN_OPEN)) {
		const char *word = reply_take_atom(parser);

		parser->reply.earlier = word && str_equal_case(word, "EARLIER");
	}
	if (parser->ranges.count == 0)
		return reply_malformed("VANISHED without a set", err);
	return true;
}

/* --- the rest --- */

static bool parse_flags(struct imap_parser *parser, struct err *err)
{
	size_t bad = 0;

	if (!reply_take_kind(parser, SCAN_OPEN))
		return reply_malformed("FLAGS without a list", err);
	return reply_take_flags(parser, &parser->reply.flags, &bad, err);
}

static bool parse_id(struct imap_parser *parser, struct err *err)
{
	(void)err;
	if (!reply_take_kind(parser, SCAN_OPEN))
		return true;
	while (!reply_list_ends(parser)) {
		bool is_atom = reply_peek(parser)->kind == SCAN_ATOM;
		const char *word = reply_take_string(parser);

		if (word)
			reply_add_word(parser, is_atom && str_equal_case(word, "NIL") ? "" : word);
		else
			reply_skip_value(parser);
	}
	return true;
}

static const struct {
	const char *word;
	enum imap_reply_kind kind;
	bool (*parse)(struct imap_parser *parser, struct err *err);
} responses[] = {
	{"CAPABILITY", IMAP_CAPABILITY, parse_words},
	{"ENABLED", IMAP_ENABLED, parse_words},
	{"LIST", IMAP_LIST, reply_parse_list},
	{"LSUB", IMAP_LIST, reply_parse_list},
	{"STATUS", IMAP_STATUS_OF, reply_parse_status_of},
	{"NAMESPACE", IMAP_NAMESPACE, reply_parse_namespace},
	{"FLAGS", IMAP_FLAGS, parse_flags},
	{"SEARCH", IMAP_SEARCH, parse_search},
	{"ESEARCH", IMAP_ESEARCH, parse_esearch},
	{"VANISHED", IMAP_VANISHED, parse_vanished},
	{"ID", IMAP_ID, parse_id},
};

/* "* n WORD" */
static bool parse_numbered(struct imap_parser *parser, struct err *err)
{
	struct imap_reply *reply = &parser->reply;
	const char *word = reply_take_atom(parser);

	if (!word || reply->number > UINT32_MAX)
		return true;
	if (str_equal_case(word, "FETCH"))
		return reply_parse_fetch(parser, false, err);
	if (str_equal_case(word, "UIDFETCH"))
		return reply_parse_fetch(parser, true, err);
	if (str_equal_case(word, "EXISTS"))
		reply->kind = IMAP_EXISTS;
	else if (str_equal_case(word, "RECENT"))
		reply->kind = IMAP_RECENT;
	else if (str_equal_case(word, "EXPUNGE"))
		reply->kind = IMAP_EXPUNGE;
	return true;
}

static bool parse_untagged(struct imap_parser *parser, struct err *err)
{
	struct imap_reply *reply = &parser->reply;
	const char *word = reply_take_atom(parser);

	if (!word)
		return true;
	if (reply_is_status(word, &reply->status)) {
		reply->kind = IMAP_STATUS;
		return reply_parse_text(parser, err);
	}
	if (str_parse_u64(word, &reply->number))
		return parse_numbered(parser, err);
	for (size_t i = 0; i < ARRAY_LEN(responses); i++) {
		if (!str_equal_case(word, responses[i].word))
			continue;
		reply->kind = responses[i].kind;
		return responses[i].parse(parser, err);
	}
	return true;
}

static bool parse_tagged(struct imap_parser *parser, const char *tag, struct err *err)
{
	struct imap_reply *reply = &parser->reply;
	const char *word = reply_take_atom(parser);

	if (!word || !reply_is_tagged_status(word, &reply->status))
		return true;
	reply->kind = IMAP_TAGGED;
	reply->tag = tag;
	return reply_parse_text(parser, err);
}

bool reply_parse(struct imap_parser *parser, struct err *err)
{
	const char *first = reply_take_atom(parser);

	parser->reply.kind = IMAP_OTHER;
	if (!first)
		return true;
	if (strcmp(first, "*") == 0)
		return parse_untagged(parser, err);
	if (strcmp(first, "+") != 0)
		return parse_tagged(parser, first, err);
	parser->reply.kind = IMAP_CONTINUE;
	return reply_parse_text(parser, err);
}
