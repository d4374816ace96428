#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "imap/reply_internal.h"
#include "imap/seqset.h"

static bool parse_words(struct imap_parser *parser, struct err *err)
{
	const char *word;

	(void)err;
	while ((word = reply_take_atom(parser)))
		reply_add_word(parser, word);
	return true;
}

/* --- LIST and LSUB --- */

static const struct {
	const char *name;
	uint32_t attributes;
} attributes[] = {
	{"\\Noselect", IMAP_ATTR_NOSELECT},
	{"\\NonExistent", IMAP_ATTR_NONEXISTENT | IMAP_ATTR_NOSELECT},
	{"\\Noinferiors", IMAP_ATTR_NOINFERIORS | IMAP_ATTR_HAS_NO_CHILDREN},
	{"\\Subscribed", IMAP_ATTR_SUBSCRIBED},
	{"\\HasChildren", IMAP_ATTR_HAS_CHILDREN},
	{"\\HasNoChildren", IMAP_ATTR_HAS_NO_CHILDREN},
};

static const char *const special_uses[] = {"\\All", "\\Archive", "\\Drafts", "\\Flagged",
	"\\Important", "\\Junk", "\\Sent", "\\Trash"};

static bool take_attribute(struct imap_parser *parser, const char *name)
{
	struct imap_list_entry *list = &parser->reply.list;

	for (size_t i = 0; i < ARRAY_LEN(attributes); i++)
		if (str_equal_case(name, attributes[i].name))
			list->attributes |= attributes[i].attributes;
	for (size_t i = 0; i < ARRAY_LEN(special_uses) && !list->special_use; i++)
		if (str_equal_case(name, special_uses[i]))
			list->special_use = special_uses[i];
	return (parser->attributes.len == 0 || buf_add_byte(&parser->attributes, ' ')) &&
	       buf_add_str(&parser->attributes, name);
}

static bool take_attributes(struct imap_parser *parser, struct err *err)
{
	buf_reset(&parser->attributes);
	if (!reply_take_kind(parser, SCAN_OPEN))
		return reply_malformed("LIST without attributes", err);
	while (!reply_take_kind(parser, SCAN_CLOSE)) {
		const char *name = reply_take_atom(parser);

		if (!name || !take_attribute(parser, name))
			return reply_malformed("LIST attribute", err);
	}
	parser->reply.list.attribute_text = buf_str(&parser->attributes);
	return true;
}

static bool take_delimiter(struct imap_parser *parser, struct err *err)
{
	bool is_string = reply_peek(parser)->kind == SCAN_STRING;
	const char *text = reply_take_string(parser);

	if (!text || (is_string ? strlen(text) > 1 : !str_equal_case(text, "NIL")))
		return reply_malformed("LIST delimiter", err);
	parser->reply.list.delimiter = '\0';
	if (is_string)
		parser->reply.list.delimiter = *text;
	return true;
}

/* A name is whole and without NUL, or no name. */
static bool take_name(struct imap_parser *parser, const char **ret_name, struct err *err)
{
	const struct reply_token *token = reply_peek(parser);
	const char *name = reply_take_string(parser);

	if (!name || strlen(name) != token->len)
		return reply_malformed("folder name", err);
	if (token->len > IMAP_NAME_BYTES_MAX)
		return err_set(
			err, ERR_PROTOCOL, "folder name longer than %d bytes", IMAP_NAME_BYTES_MAX);
	*ret_name = name;
	return true;
}

static bool parse_list(struct imap_parser *parser, struct err *err)
{
	return take_attributes(parser, err) && take_delimiter(parser, err) &&
	       take_name(parser, &parser->reply.list.name, err);
}

/* --- STATUS --- */

static void set_count32(
	struct imap_counts *counts, enum imap_count which, uint32_t *count, uint64_t number)
{
	if (number > UINT32_MAX)
		return;
	counts->has |= which;
	*count = (uint32_t)number;
}

static void take_count(struct imap_counts *counts, const char *name, uint64_t number)
{
	if (str_equal_case(name, "MESSAGES"))
		set_count32(counts, IMAP_HAS_MESSAGES, &counts->messages, number);
	else if (str_equal_case(name, "UIDNEXT"))
		set_count32(counts, IMAP_HAS_UIDNEXT, &counts->uidnext, number);
	else if (str_equal_case(name, "UIDVALIDITY"))
		set_count32(counts, IMAP_HAS_UIDVALIDITY, &counts->uidvalidity, number);
	else if (str_equal_case(name, "UNSEEN"))
		set_count32(counts, IMAP_HAS_UNSEEN, &counts->unseen, number);
	if (!str_equal_case(name, "HIGHESTMODSEQ"))
		return;
	counts->has |= IMAP_HAS_HIGHESTMODSEQ;
	counts->highestmodseq = number;
}

static bool parse_status_of(struct imap_parser *parser, struct err *err)
{
	if (!take_name(parser, &parser->reply.name, err))
		return false;
	if (!reply_take_kind(parser, SCAN_OPEN))
		return reply_malformed("STATUS without a list", err);
	while (!reply_take_kind(parser, SCAN_CLOSE)) {
		const char *name = reply_take_atom(parser), *value;
		uint64_t number;

		if (!name)
			return reply_malformed("STATUS item without a name", err);
		if (reply_peek(parser)->kind != SCAN_ATOM) {
			reply_skip_value(parser);
			continue;
		}
		value = reply_take_atom(parser);
		if (str_parse_u64(value, &number))
			take_count(&parser->reply.counts, name, number);
	}
	return true;
}

/* --- NAMESPACE (RFC 2342) --- */

/* "(prefix delimiter extensions...)" behind its '('. */
static bool take_namespace(struct imap_parser *parser, bool personal, struct err *err)
{
	struct imap_reply *reply = &parser->reply;
	const char *prefix = reply_take_string(parser), *delimiter;
	bool is_string = reply_peek(parser)->kind == SCAN_STRING;

	delimiter = reply_take_string(parser);
	if (!prefix || !delimiter)
		return reply_malformed("NAMESPACE", err);
	if (!personal) {
		reply_add_word(parser, prefix);
	} else if (!reply->namespace_prefix) {
		reply->namespace_prefix = prefix;
		reply->namespace_delimiter = is_string ? *delimiter : '\0';
	}
	while (!reply_take_kind(parser, SCAN_CLOSE)) {
		if (reply_peek(parser)->kind == SCAN_END)
			return reply_malformed("NAMESPACE", err);
		reply_skip_value(parser);
	}
	return true;
}

static bool parse_namespace(struct imap_parser *parser, struct err *err)
{
	for (int group = 0; group < 3; group++) {
		if (!reply_take_kind(parser, SCAN_OPEN)) {
			reply_skip_value(parser);
			continue;
		}
		while (!reply_take_kind(parser, SCAN_CLOSE))
			if (!reply_take_kind(parser, SCAN_OPEN) ||
				!take_namespace(parser, group == 0, err))
				return reply_malformed("NAMESPACE", err);
	}
	return true;
}

/* --- SEARCH, ESEARCH, VANISHED --- */

static bool parse_search(struct imap_parser *parser, struct err *err)
{
	CLEANUP(freep) struct range *items = NULL;
	size_t count = 0, cap = 0;
	const char *text;
	uint64_t number;

	(void)err;
	while ((text = reply_take_atom(parser))) {
		if (!str_parse_u64(text, &number) || number == 0 || number > UINT32_MAX)
			continue;
		ARRAY_GROW(items, count, cap);
		items[count++] = (struct range){(uint32_t)number, (uint32_t)number};
	}
	if (reply_take_kind(parser, SCAN_OPEN) && reply_take_atom(parser))
		(void)reply_take_number(parser, &parser->reply.modseq);
	seqset_from_ranges(items, count, &parser->set);
	parser->reply.set = &parser->set;
	return true;
}

static bool take_set(struct imap_parser *parser, struct err *err)
{
	const char *text = reply_take_atom(parser);

	if (!text)
		return reply_malformed("set of numbers", err);
	rangeset_clear(&parser->set);
	parser->reply.set = &parser->set;
	return seqset_parse(text, strlen(text), &parser->set, err);
}

static bool parse_esearch(struct imap_parser *parser, struct err *err)
{
	const char *name;

	if (reply_take_kind(parser, SCAN_OPEN)) {
		const char *tag = reply_take_atom(parser) ? reply_take_string(parser) : NULL;

		if (!tag || !reply_take_kind(parser, SCAN_CLOSE))
			return reply_malformed("ESEARCH", err);
		parser->reply.tag = tag;
	}
	while ((name = reply_take_atom(parser))) {
		if (str_equal_case(name, "UID"))
			continue;
		if (str_equal_case(name, "MODSEQ"))
			(void)reply_take_number(parser, &parser->reply.modseq);
		else if (!str_equal_case(name, "ALL"))
			reply_skip_value(parser);
		else if (!take_set(parser, err))
			return false;
	}
	return true;
}

static bool parse_vanished(struct imap_parser *parser, struct err *err)
{
	if (reply_take_kind(parser, SCAN_OPEN)) {
		const char *word = reply_take_atom(parser);

		if (!word || !str_equal_case(word, "EARLIER") ||
			!reply_take_kind(parser, SCAN_CLOSE))
			return reply_malformed("VANISHED", err);
		parser->reply.earlier = true;
	}
	return take_set(parser, err);
}

/* --- the rest --- */

static bool parse_flags(struct imap_parser *parser, struct err *err)
{
	size_t bad = 0;

	return reply_take_flags(parser, &parser->reply.flags, &bad, err);
}

static bool parse_id(struct imap_parser *parser, struct err *err)
{
	const char *word;

	(void)err;
	if (reply_take_kind(parser, SCAN_OPEN))
		while ((word = reply_take_string(parser)))
			reply_add_word(parser, word);
	return true;
}

static const struct {
	const char *word;
	enum imap_reply_kind kind;
	bool (*parse)(struct imap_parser *parser, struct err *err);
} responses[] = {
	{"CAPABILITY", IMAP_CAPABILITY, parse_words},
	{"ENABLED", IMAP_ENABLED, parse_words},
	{"LIST", IMAP_LIST, parse_list},
	{"LSUB", IMAP_LIST, parse_list},
	{"STATUS", IMAP_STATUS_OF, parse_status_of},
	{"NAMESPACE", IMAP_NAMESPACE, parse_namespace},
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

	if (!word)
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
	enum imap_status status;

	reply->kind = IMAP_OTHER;
	if (!word)
		return reply_malformed("'*' and nothing", err);
	if (reply_is_status(word, &status)) {
		reply->kind = IMAP_STATUS;
		return reply_parse_status(parser, word, err);
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

	if (!word || !reply_parse_status(parser, word, err))
		return reply_malformed("neither tagged nor untagged", err);
	if (reply->status == IMAP_BYE || reply->status == IMAP_PREAUTH)
		return reply_malformed("tagged BYE or PREAUTH", err);
	reply->kind = IMAP_TAGGED;
	reply->tag = tag;
	return true;
}

bool reply_parse(struct imap_parser *parser, struct err *err)
{
	const char *first = reply_take_atom(parser);

	rangeset_clear(&parser->set);
	if (!first)
		return reply_malformed("no tag", err);
	if (strcmp(first, "*") == 0)
		return parse_untagged(parser, err);
	if (strcmp(first, "+") != 0)
		return parse_tagged(parser, first, err);
	parser->reply.kind = IMAP_CONTINUE;
	return reply_parse_status(parser, NULL, err);
}
