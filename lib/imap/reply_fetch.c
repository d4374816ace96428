#include <string.h>

#include "base/str.h"
#include "imap/reply_internal.h"

static void take_uid(struct imap_parser *parser, struct imap_fetch_reply *fetch)
{
	uint64_t uid;

	if (!reply_take_number(parser, &uid) || uid == 0 || uid > UINT32_MAX)
		return;
	fetch->uid = (uint32_t)uid;
	fetch->has |= IMAP_FETCHED_UID;
}

static void take_date(struct imap_parser *parser, struct imap_fetch_reply *fetch)
{
	fetch->date_text = reply_take_string(parser);
	if (fetch->date_text &&
		zoned_time_parse_imap(fetch->date_text, strlen(fetch->date_text), &fetch->date))
		fetch->has |= IMAP_FETCHED_DATE;
}

static void take_size(struct imap_parser *parser, struct imap_fetch_reply *fetch)
{
	if (reply_take_number(parser, &fetch->size))
		fetch->has |= IMAP_FETCHED_SIZE;
}

static void take_modseq(struct imap_parser *parser, struct imap_fetch_reply *fetch)
{
	bool in_list = reply_take_kind(parser, SCAN_OPEN);

	if (reply_take_number(parser, &fetch->modseq))
		fetch->has |= IMAP_FETCHED_MODSEQ;
	if (in_list)
		(void)reply_take_kind(parser, SCAN_CLOSE);
}

static void take_body(struct imap_parser *parser, struct imap_fetch_reply *fetch)
{
	const char *text;

	if (reply_take_kind(parser, SCAN_LITERAL)) {
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

static void take_header(struct imap_parser *parser, struct imap_fetch_reply *fetch)
{
	if (reply_peek(parser)->kind == SCAN_STRING) {
		fetch->header = reply_take_string(parser);
		fetch->has |= IMAP_FETCHED_HEADER;
	} else {
		reply_skip_value(parser);
	}
}

static bool take_item(struct imap_parser *parser, const char *name, struct err *err)
{
	struct imap_fetch_reply *fetch = &parser->reply.fetch;

	if (str_equal_case(name, "FLAGS")) {
		fetch->has |= IMAP_FETCHED_FLAGS;
		return reply_take_flags(parser, &fetch->flags, &fetch->bad_flags, err);
	}
	if (str_equal_case(name, "UID"))
		take_uid(parser, fetch);
	else if (str_equal_case(name, "INTERNALDATE"))
		take_date(parser, fetch);
	else if (str_equal_case(name, "RFC822.SIZE"))
		take_size(parser, fetch);
	else if (str_equal_case(name, "MODSEQ"))
		take_modseq(parser, fetch);
	else if (str_equal_case(name, "BODY[]"))
		take_body(parser, fetch);
	else if (str_starts_case(name, "BODY[HEADER"))
		take_header(parser, fetch);
	else
		reply_skip_value(parser);
	return true;
}

bool reply_parse_fetch(struct imap_parser *parser, bool by_uid, struct err *err)
{
	struct imap_reply *reply = &parser->reply;
	struct imap_fetch_reply *fetch = &reply->fetch;

	reply->kind = IMAP_FETCH;
	fetch->number = reply->number <= UINT32_MAX ? (uint32_t)reply->number : 0;
	if (by_uid && fetch->number > 0) {
		fetch->uid = fetch->number;
		fetch->has |= IMAP_FETCHED_UID;
	}
	if (!reply_take_kind(parser, SCAN_OPEN))
		return reply_malformed("FETCH without a list", err);
	while (!reply_take_kind(parser, SCAN_CLOSE)) {
		const char *name = reply_take_atom(parser);

		if (!name)
			return reply_malformed("FETCH item without a name", err);
		if (!take_item(parser, name, err))
			return false;
	}
	return true;
}
