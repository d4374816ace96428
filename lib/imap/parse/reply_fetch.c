#include <assert.h>
#include <string.h>

#include "base/str.h"
#include "imap/parse/reply_internal.h"

static void take_uid(struct imap_parser *parser, struct imap_fetch_reply *fetch)
{
	uint64_t uid;

	if (!reply_take_number(parser, &uid) || uid == 0 || uid > UINT32_MAX) {
		fetch->bad_items++;
		return;
	}
	fetch->uid = (uint32_t)uid;
	fetch->has |= IMAP_FETCHED_UID;
}

static void take_date(struct imap_parser *parser, struct imap_fetch_reply *fetch)
{
	const char *text = reply_take_string(parser);

	if (!text)
		reply_skip_value(parser);
	fetch->date_text = text;
	if (text && zoned_time_parse_imap(text, strlen(text), &fetch->date))
		fetch->has |= IMAP_FETCHED_DATE;
	else
		fetch->bad_items++;
}

static void take_size(struct imap_parser *parser, struct imap_fetch_reply *fetch)
{
	if (reply_take_number(parser, &fetch->size))
		fetch->has |= IMAP_FETCHED_SIZE;
	else
		fetch->bad_items++;
}

static void take_modseq(struct imap_parser *parser, struct imap_fetch_reply *fetch)
{
	if (reply_take_modseq(parser, &fetch->modseq))
		fetch->has |= IMAP_FETCHED_MODSEQ;
	else
		fetch->bad_items++;
}

static void take_body(struct imap_parser *parser, struct imap_fetch_reply *fetch)
{
	const char *text;

	if (reply_take_kind(parser, SCAN_LITERAL)) {
		assert(parser->body_seen && parser->body_given == parser->body_size);
		fetch->has |= IMAP_FETCHED_BODY;
		fetch->body_size = parser->body_size;
		return;
	}
	text = reply_take_atom(parser);
	if (text && str_equal_case(text, "NIL"))
		fetch->has |= IMAP_FETCHED_NIL_BODY;
	else if (!text)
		reply_skip_value(parser);
}

/* NULs, which no header may hold and which would end the text, become blanks. */
static void take_header(struct imap_parser *parser, struct imap_fetch_reply *fetch)
{
	const struct reply_token *token = reply_peek(parser);
	char *text, *nul;

	reply_skip_value(parser);
	if (token->kind != SCAN_STRING)
		return;
	text = reply_text_to_change(parser, token);
	for (nul = text; (nul = memchr(nul, '\0', token->len - (size_t)(nul - text)));)
		*nul = ' ';
	fetch->header = text;
	fetch->has |= IMAP_FETCHED_HEADER;
}

/* FLAGS without a list count as absent. */
static bool take_flags(struct imap_parser *parser, struct imap_fetch_reply *fetch, struct err *err)
{
	if (!reply_take_kind(parser, SCAN_OPEN)) {
		reply_skip_value(parser);
		fetch->bad_items++;
		return true;
	}
	fetch->has |= IMAP_FETCHED_FLAGS;
	return reply_take_flags(parser, &fetch->flags, &fetch->bad_flags, err);
}

static bool take_item(struct imap_parser *parser, const char *name, struct err *err)
{
	struct imap_fetch_reply *fetch = &parser->reply.fetch;

	if (str_equal_case(name, "FLAGS"))
		return take_flags(parser, fetch, err);
	if (str_equal_case(name, "UID"))
		take_uid(parser, fetch);
	else if (str_equal_case(name, "INTERNALDATE"))
		take_date(parser, fetch);
	else if (str_equal_case(name, "RFC822.SIZE"))
		take_size(parser, fetch);
	else if (str_equal_case(name, "MODSEQ"))
		take_modseq(parser, fetch);
	else if (reply_is_body(name))
		take_body(parser, fetch);
	else if (str_starts_case(name, "BODY[HEADER"))
		take_header(parser, fetch);
	else
		reply_skip_value(parser);
	return true;
}

/* A whole message, also if asked for from byte 0. */
bool reply_is_body(const char *name)
{
	return str_equal_case(name, "BODY[]") || str_equal_case(name, "BODY[]<0>");
}

bool reply_parse_fetch(struct imap_parser *parser, bool by_uid, struct err *err)
{
	struct imap_reply *reply = &parser->reply;
	struct imap_fetch_reply *fetch = &reply->fetch;

	reply->kind = IMAP_FETCH;
	fetch->number = (uint32_t)reply->number;
	fetch->flags = "";
	if (by_uid && fetch->number > 0) {
		fetch->uid = fetch->number;
		fetch->has |= IMAP_FETCHED_UID;
	}
	if (!reply_take_kind(parser, SCAN_OPEN))
		return reply_malformed("FETCH without a list", err);
	while (!reply_list_ends(parser)) {
		const char *name = reply_take_atom(parser);

		if (!name)
			reply_skip_value(parser);
		else if (!take_item(parser, name, err))
			return false;
	}
	return true;
}
