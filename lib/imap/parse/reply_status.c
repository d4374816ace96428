#include <string.h>

#include "base/str.h"
#include "imap/parse/reply_internal.h"

static const struct {
	const char *name;
	enum imap_code code;
} codes[] = {
	{"ALERT", IMAP_CODE_ALERT},
	{"CAPABILITY", IMAP_CODE_CAPABILITY},
	{"UIDVALIDITY", IMAP_CODE_UIDVALIDITY},
	{"UIDNEXT", IMAP_CODE_UIDNEXT},
	{"HIGHESTMODSEQ", IMAP_CODE_HIGHESTMODSEQ},
	{"NOMODSEQ", IMAP_CODE_NOMODSEQ},
	{"PERMANENTFLAGS", IMAP_CODE_PERMANENTFLAGS},
	{"READ-ONLY", IMAP_CODE_READ_ONLY},
	{"READ-WRITE", IMAP_CODE_READ_WRITE},
	{"CLOSED", IMAP_CODE_CLOSED},
	{"APPENDUID", IMAP_CODE_APPENDUID},
	{"TRYCREATE", IMAP_CODE_TRYCREATE},
	{"AUTHENTICATIONFAILED", IMAP_CODE_AUTHENTICATIONFAILED},
	{"AUTHORIZATIONFAILED", IMAP_CODE_AUTHORIZATIONFAILED},
	{"UNAVAILABLE", IMAP_CODE_UNAVAILABLE},
	{"LIMIT", IMAP_CODE_LIMIT},
	{"INUSE", IMAP_CODE_INUSE},
	{"OVERQUOTA", IMAP_CODE_OVERQUOTA},
	{"ALREADYEXISTS", IMAP_CODE_ALREADYEXISTS},
	{"NONEXISTENT", IMAP_CODE_NONEXISTENT},
	{"CANNOT", IMAP_CODE_CANNOT},
	{"TOOBIG", IMAP_CODE_TOOBIG},
	{"REFERRAL", IMAP_CODE_REFERRAL},
};

bool reply_is_status(const char *word, enum imap_status *ret_status)
{
	static const struct {
		const char *word;
		enum imap_status status;
	} words[] = {
		{"OK", IMAP_OK},
		{"NO", IMAP_NO},
		{"BAD", IMAP_BAD},
		{"BYE", IMAP_BYE},
		{"PREAUTH", IMAP_PREAUTH},
	};

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		if (!str_equal_case(word, words[i].word))
			continue;
		*ret_status = words[i].status;
		return true;
	}
	return false;
}

bool reply_is_tagged_status(const char *word, enum imap_status *ret_status)
{
	return reply_is_status(word, ret_status) && *ret_status <= IMAP_BAD;
}

/* The name in upper case, in place. */
static void set_code(struct imap_parser *parser, const char *name)
{
	char *upper = (char *)parser->strings.data + (name - (const char *)parser->strings.data);

	for (; *upper; upper++)
		if (*upper >= 'a' && *upper <= 'z')
			*upper = (char)(*upper - 'a' + 'A');
	parser->reply.code_name = name;
	parser->reply.code = IMAP_CODE_OTHER;
	for (size_t i = 0; i < ARRAY_LEN(codes); i++)
		if (strcmp(name, codes[i].name) == 0)
			parser->reply.code = codes[i].code;
}

static void ignore_code(struct imap_parser *parser)
{
	parser->reply.code = IMAP_CODE_OTHER;
	parser->reply.number = 0;
}

static void parse_appenduid(struct imap_parser *parser)
{
	struct imap_reply *reply = &parser->reply;
	const char *uids;

	if (reply_take_number(parser, &reply->number) && reply->number > 0 &&
		reply->number <= UINT32_MAX) {
		uids = reply_take_atom(parser);
		if (uids && seqset_collect(uids, strlen(uids), &parser->ranges, NULL))
			return;
	}
	parser->ranges.count = 0;
	ignore_code(parser);
}

/* A code with a malformed argument counts as IMAP_CODE_OTHER. */
static bool parse_arguments(struct imap_parser *parser, struct err *err)
{
	struct imap_reply *reply = &parser->reply;
	const char *word;
	size_t bad = 0;

	switch (reply->code) {
	case IMAP_CODE_CAPABILITY:
		while ((word = reply_take_atom(parser)))
			reply_add_word(parser, word);
		return true;
	case IMAP_CODE_UIDVALIDITY:
	case IMAP_CODE_UIDNEXT:
		if (!reply_take_number(parser, &reply->number) || reply->number == 0 ||
			reply->number > UINT32_MAX)
			ignore_code(parser);
		return true;
	case IMAP_CODE_HIGHESTMODSEQ:
		if (!reply_take_modseq(parser, &reply->number))
			ignore_code(parser);
		return true;
	case IMAP_CODE_APPENDUID:
		parse_appenduid(parser);
		return true;
	case IMAP_CODE_PERMANENTFLAGS:
		if (!reply_take_kind(parser, SCAN_OPEN)) {
			ignore_code(parser);
			return true;
		}
		return reply_take_flags(parser, &reply->flags, &bad, err);
	default:
		return true;
	}
}

static bool parse_code(struct imap_parser *parser, struct err *err)
{
	const char *name;

	if (!reply_take_kind(parser, SCAN_CODE_OPEN))
		return true;
	name = reply_take_atom(parser);
	if (name) {
		set_code(parser, name);
		if (!parse_arguments(parser, err))
			return false;
	}
	while (reply_peek(parser)->kind != SCAN_TEXT && reply_peek(parser)->kind != SCAN_END)
		(void)reply_next(parser);
	return true;
}

bool reply_parse_text(struct imap_parser *parser, struct err *err)
{
	if (!parse_code(parser, err))
		return false;
	if (reply_peek(parser)->kind == SCAN_TEXT)
		parser->reply.text = reply_text(parser, reply_next(parser));
	return true;
}
