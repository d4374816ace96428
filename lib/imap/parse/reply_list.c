#include <string.h>

#include "base/str.h"
#include "imap/parse/reply_internal.h"

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
	return (parser->joined.len == 0 || buf_add_byte(&parser->joined, ' ')) &&
	       buf_add_str(&parser->joined, name);
}

static bool take_attributes(struct imap_parser *parser, struct err *err)
{
	buf_reset(&parser->joined);
	if (!reply_take_kind(parser, SCAN_OPEN))
		return reply_malformed("LIST without attributes", err);
	while (!reply_list_ends(parser)) {
		const char *name = reply_take_atom(parser);

		if (!name || !take_attribute(parser, name))
			return reply_malformed("LIST attribute", err);
	}
	parser->reply.list.attribute_text = buf_str(&parser->joined);
	return true;
}

/* One printable character, "" or NIL. */
static bool take_delimiter(struct imap_parser *parser, char *ret_delimiter)
{
	bool is_atom = reply_peek(parser)->kind == SCAN_ATOM;
	const char *text = reply_take_string(parser);

	if (!text)
		return false;
	*ret_delimiter = '\0';
	if (is_atom && str_equal_case(text, "NIL"))
		return true;
	*ret_delimiter = *text;
	return *text == '\0' || (*text > ' ' && *text <= '~' && text[1] == '\0');
}

/* A name sent without the quotes it needs arrives as several atoms. Joins them with blanks, in
 * place, as each ends where the next begins. */
static void join_atoms(struct imap_parser *parser, char *name, size_t *len)
{
	while (reply_peek(parser)->kind == SCAN_ATOM) {
		const struct reply_token *token = reply_next(parser);

		name[(*len)++] = ' ';
		memmove(name + *len, reply_text(parser, token), token->len + 1);
		*len += token->len;
	}
}

static bool take_name(struct imap_parser *parser, const char **ret_name, struct err *err)
{
	struct reply_token token = *reply_peek(parser);
	const char *name = reply_take_string(parser);
	size_t len = token.len;

	if (!name || strlen(name) != len)
		return reply_malformed("folder name", err);
	if (token.kind == SCAN_ATOM)
		join_atoms(parser, reply_text_to_change(parser, &token), &len);
	if (len > IMAP_NAME_BYTES_MAX)
		return err_set(
			err, ERR_PROTOCOL, "folder name longer than %d bytes", IMAP_NAME_BYTES_MAX);
	*ret_name = name;
	return true;
}

bool reply_parse_list(struct imap_parser *parser, struct err *err)
{
	if (!take_attributes(parser, err))
		return false;
	if (!take_delimiter(parser, &parser->reply.list.delimiter))
		return reply_malformed("LIST delimiter", err);
	return take_name(parser, &parser->reply.list.name, err);
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
	if (str_equal_case(name, "MESSAGES")) {
		set_count32(counts, IMAP_HAS_MESSAGES, &counts->messages, number);
	} else if (str_equal_case(name, "UIDNEXT")) {
		set_count32(counts, IMAP_HAS_UIDNEXT, &counts->uidnext, number);
	} else if (str_equal_case(name, "UIDVALIDITY")) {
		set_count32(counts, IMAP_HAS_UIDVALIDITY, &counts->uidvalidity, number);
	} else if (str_equal_case(name, "UNSEEN")) {
		set_count32(counts, IMAP_HAS_UNSEEN, &counts->unseen, number);
	} else if (str_equal_case(name, "HIGHESTMODSEQ") && number <= REPLY_MODSEQ_MAX) {
		counts->has |= IMAP_HAS_HIGHESTMODSEQ;
		counts->highestmodseq = number;
	}
}

/* Skips unknown items and values that are not numbers. */
bool reply_parse_status_of(struct imap_parser *parser, struct err *err)
{
	if (!take_name(parser, &parser->reply.name, err))
		return false;
	if (!reply_take_kind(parser, SCAN_OPEN))
		return true;
	while (!reply_list_ends(parser)) {
		const char *name = reply_take_atom(parser);
		uint64_t number;

		if (!name)
			reply_skip_value(parser);
		else if (reply_take_number(parser, &number))
			take_count(&parser->reply.counts, name, number);
	}
	return true;
}

/* --- NAMESPACE (RFC 2342) --- */

/* "(prefix delimiter extensions...)", after its '('. */
static bool take_namespace(struct imap_parser *parser, bool personal, struct err *err)
{
	struct imap_reply *reply = &parser->reply;
	const char *prefix = reply_take_string(parser);
	char delimiter;

	if (!prefix || !take_delimiter(parser, &delimiter))
		return reply_malformed("NAMESPACE", err);
	if (!personal) {
		reply_add_word(parser, prefix);
	} else if (!reply->namespace_prefix) {
		reply->namespace_prefix = prefix;
		reply->namespace_delimiter = delimiter;
	}
	while (!reply_list_ends(parser))
		reply_skip_value(parser);
	return true;
}

/* Three groups: personal, other users', shared. Each is NIL or a list of namespaces. */
bool reply_parse_namespace(struct imap_parser *parser, struct err *err)
{
	for (int group = 0; group < 3; group++) {
		if (!reply_take_kind(parser, SCAN_OPEN)) {
			reply_skip_value(parser);
			continue;
		}
		while (!reply_list_ends(parser))
			if (!reply_take_kind(parser, SCAN_OPEN) ||
				!take_namespace(parser, group == 0, err))
				return reply_malformed("NAMESPACE", err);
	}
	return true;
}
