#include "base/str.h"
#include "imap/session_internal.h"

static const struct {
	const char *word;
	uint32_t cap;
} capability_words[] = {
	{"SASL-IR", IMAP_CAP_SASL_IR},
	{"LITERAL+", IMAP_CAP_LITERAL_PLUS},
	{"LITERAL-", IMAP_CAP_LITERAL_MINUS},
	{"ID", IMAP_CAP_ID},
	{"ENABLE", IMAP_CAP_ENABLE},
	{"NAMESPACE", IMAP_CAP_NAMESPACE},
	{"LIST-EXTENDED", IMAP_CAP_LIST_EXTENDED},
	{"LIST-STATUS", IMAP_CAP_LIST_STATUS},
	{"SPECIAL-USE", IMAP_CAP_SPECIAL_USE},
	{"CREATE-SPECIAL-USE", IMAP_CAP_CREATE_SPECIAL_USE},
	{"CONDSTORE", IMAP_CAP_CONDSTORE},
	{"QRESYNC", IMAP_CAP_QRESYNC | IMAP_CAP_CONDSTORE},
	{"UIDPLUS", IMAP_CAP_UIDPLUS},
	{"ESEARCH", IMAP_CAP_ESEARCH},
	{"IDLE", IMAP_CAP_IDLE},
	{"MULTIAPPEND", IMAP_CAP_MULTIAPPEND},
	{"UNSELECT", IMAP_CAP_UNSELECT},
	{"STARTTLS", IMAP_CAP_STARTTLS},
	{"LOGINDISABLED", IMAP_CAP_LOGINDISABLED},
	{"NOTIFY", IMAP_CAP_NOTIFY},
	{"IMAP4REV2", IMAP_CAP_IMAP4REV2},
};

static const struct {
	const char *word;
	uint32_t mechanism;
} mechanism_words[] = {
	{"AUTH=PLAIN", MECHANISM_PLAIN},
	{"AUTH=LOGIN", MECHANISM_LOGIN},
	{"AUTH=SCRAM-SHA-256", MECHANISM_SCRAM_SHA_256},
};

/* Of the extensions used here, those that are part of IMAP4rev2 (RFC 9051 appendix E). */
static const uint32_t part_of_rev2 =
	IMAP_CAP_NAMESPACE | IMAP_CAP_UNSELECT | IMAP_CAP_UIDPLUS | IMAP_CAP_ESEARCH |
	IMAP_CAP_IDLE | IMAP_CAP_SASL_IR | IMAP_CAP_LIST_EXTENDED | IMAP_CAP_LIST_STATUS |
	IMAP_CAP_ENABLE | IMAP_CAP_LITERAL_MINUS | IMAP_CAP_SPECIAL_USE;

static void take_word(struct imap *imap, const char *word)
{
	for (size_t i = 0; i < ARRAY_LEN(capability_words); i++)
		if (str_equal_case(word, capability_words[i].word))
			imap->caps |= capability_words[i].cap;
	for (size_t i = 0; i < ARRAY_LEN(mechanism_words); i++)
		if (str_equal_case(word, mechanism_words[i].word))
			imap->mechanisms |= mechanism_words[i].mechanism;
}

void session_take_capabilities(struct imap *imap, const struct imap_reply *reply)
{
	bool rev1 = false;

	if (reply->kind != IMAP_CAPABILITY && reply->code != IMAP_CODE_CAPABILITY)
		return;
	imap->caps = 0;
	imap->mechanisms = 0;
	imap->caps_known = true;
	for (size_t i = 0; i < reply->words_count; i++) {
		take_word(imap, reply->words[i]);
		rev1 |= str_equal_case(reply->words[i], "IMAP4rev1");
	}
	if (!rev1 && imap->caps & IMAP_CAP_IMAP4REV2)
		imap->caps |= part_of_rev2;
}

bool session_hear_capabilities(void *context, const struct imap_reply *reply, struct err *err)
{
	(void)err;
	if (reply->kind == IMAP_CAPABILITY)
		session_take_capabilities(context, reply);
	return true;
}

bool session_ask_capabilities(struct imap *imap, struct err *err)
{
	CLEANUP(command_free) struct imap_command command = {0};
	const struct listener listener = {.heard = session_hear_capabilities, .context = imap};

	if (imap->caps_known)
		return true;
	session_start(imap, &command, "CAPABILITY");
	command_end(&command);
	if (!session_run_ok(imap, &command, &listener, err))
		return false;
	imap->caps_known = true;
	return true;
}
