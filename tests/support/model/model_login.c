/* Capabilities, login and what else comes before a folder. */
#include "support/model/model_internal.h"

#include "base/crypto.h"

static const struct {
	uint32_t cap;
	const char *text;
	bool after_login;
} capability_texts[] = {
	{MODEL_CAP_SASL_IR, "SASL-IR", false},
	{MODEL_CAP_LITERAL_PLUS, "LITERAL+", false},
	{MODEL_CAP_LITERAL_MINUS, "LITERAL-", false},
	{MODEL_CAP_ID, "ID", false},
	{MODEL_CAP_ENABLE, "ENABLE", false},
	{MODEL_CAP_LOGINDISABLED, "LOGINDISABLED", false},
	{MODEL_CAP_NAMESPACE, "NAMESPACE", true},
	{MODEL_CAP_LIST_EXTENDED, "LIST-EXTENDED", true},
	{MODEL_CAP_LIST_STATUS, "LIST-STATUS", true},
	{MODEL_CAP_SPECIAL_USE, "SPECIAL-USE", true},
	{MODEL_CAP_CREATE_SPECIAL_USE, "CREATE-SPECIAL-USE", true},
	{MODEL_CAP_CONDSTORE, "CONDSTORE", true},
	{MODEL_CAP_QRESYNC, "QRESYNC", true},
	{MODEL_CAP_UIDPLUS, "UIDPLUS", true},
	{MODEL_CAP_ESEARCH, "ESEARCH", true},
	{MODEL_CAP_IDLE, "IDLE", true},
	{MODEL_CAP_MULTIAPPEND, "MULTIAPPEND", true},
	{MODEL_CAP_UNSELECT, "UNSELECT", true},
	{MODEL_CAP_CHILDREN, "CHILDREN", true},
};

void out_capabilities(struct session *session)
{
	bool in = session->account;

	out_printf(session, "CAPABILITY IMAP4rev1");
	if (!in && !offers(session, MODEL_CAP_NO_AUTH_PLAIN))
		out_printf(session, " AUTH=PLAIN");
	for (size_t i = 0; i < ARRAY_LEN(capability_texts); i++)
		if (offers(session, capability_texts[i].cap) &&
			(in || !capability_texts[i].after_login))
			out_printf(session, " %s", capability_texts[i].text);
}

void cmd_capability(struct session *session, struct words *words)
{
	(void)words;
	out_printf(session, "* ");
	out_capabilities(session);
	out_printf(session, "\r\n");
	reply(session, "OK done");
}

void cmd_id(struct session *session, struct words *words)
{
	(void)words;
	if (!offers(session, MODEL_CAP_ID)) {
		reply(session, "BAD ID is not offered");
		return;
	}
	untagged(session, "ID (\"name\" \"model\" \"version\" \"1\")");
	reply(session, "OK done");
}

/* RFC 7162 section 3.1: CONDSTORE and QRESYNC are enabled for good. */
void cmd_enable(struct session *session, struct words *words)
{
	CLEANUP(str_list_free) struct str_list enabled = {0};
	char word[MODEL_WORD_MAX];

	if (!offers(session, MODEL_CAP_ENABLE)) {
		reply(session, "BAD ENABLE is not offered");
		return;
	}
	if (session->folder_id)
		violation(session, "ENABLE while a folder is selected");
	while (words_space(words) && words_word(words, word)) {
		bool condstore = strcmp(word, "CONDSTORE") == 0;
		bool known = (condstore && offers(session, MODEL_CAP_CONDSTORE)) ||
			     (strcmp(word, "QRESYNC") == 0 && offers(session, MODEL_CAP_QRESYNC));

		if (known && !str_list_has(&enabled, word))
			str_list_add(&enabled, word);
		if (!known)
			continue;
		session->condstore = true;
		session->qresync = session->qresync || !condstore;
	}
	if (!quirk(session, MODEL_QUIRK_SILENT_ENABLE)) {
		out_printf(session, "* ENABLED");
		for (size_t i = 0; i < enabled.count; i++)
			out_printf(session, " %s", enabled.items[i]);
		out_printf(session, "\r\n");
	}
	reply(session, "OK done");
}

static void login(struct session *session, const char *user, const char *password)
{
	struct model_account *account = box_account(session->model, user);

	if (!account || strcmp(account->password, password) != 0) {
		reply(session, "NO [AUTHENTICATIONFAILED] user or password is wrong");
		return;
	}
	session->account = account;
	session->model->stats.logins++;
	if (quirk(session, MODEL_QUIRK_NO_CAPABILITY_CODES)) {
		reply(session, "OK logged in");
		return;
	}
	out_printf(session, "%s OK [", session->tag);
	out_capabilities(session);
	out_printf(session, "] logged in\r\n");
}

void cmd_login(struct session *session, struct words *words)
{
	CLEANUP(buf_free) struct buf user = BUF_INIT(MODEL_NAME_MAX);
	CLEANUP(buf_free) struct buf password = BUF_INIT(MODEL_NAME_MAX);

	if (offers(session, MODEL_CAP_LOGINDISABLED)) {
		violation(session, "LOGIN in spite of LOGINDISABLED");
		reply(session, "NO [PRIVACYREQUIRED] LOGIN is disabled");
		return;
	}
	if (!words_space(words) || !words_astring(words, &user) || !words_space(words) ||
		!words_astring(words, &password) || !words_end(words)) {
		reply(session, "BAD LOGIN user password");
		return;
	}
	login(session, buf_str(&user), buf_str(&password));
}

/* RFC 4616: authzid NUL authcid NUL password. */
static void authenticate_plain(struct session *session, const char *text, size_t len)
{
	CLEANUP(freep) uint8_t *data = NULL;
	CLEANUP(freep) char *copy = NULL;
	size_t data_len = 0, at[2] = {0, 0}, found = 0;

	if (!base64_decode(text, len, &data, &data_len)) {
		reply(session, "BAD not base64");
		return;
	}
	copy = xmalloc(data_len + 1);
	memcpy(copy, data, data_len);
	copy[data_len] = '\0';
	for (size_t i = 0; i < data_len; i++)
		if (copy[i] == '\0' && found < 2)
			at[found++] = i + 1;
	if (found != 2) {
		reply(session, "BAD not a PLAIN message");
		return;
	}
	login(session, copy + at[0], copy + at[1]);
}

void cmd_authenticate(struct session *session, struct words *words)
{
	CLEANUP(buf_free) struct buf line = BUF_INIT(MODEL_NAME_MAX);
	char mechanism[MODEL_WORD_MAX];

	if (offers(session, MODEL_CAP_NO_AUTH_PLAIN) || !words_space(words) ||
		!words_word(words, mechanism) || strcmp(mechanism, "PLAIN") != 0) {
		reply(session, "NO unknown mechanism");
		return;
	}
	if (words_space(words)) {
		if (!offers(session, MODEL_CAP_SASL_IR)) {
			violation(session, "an initial response without SASL-IR");
			reply(session, "BAD SASL-IR is not offered");
			return;
		}
		authenticate_plain(
			session, (const char *)words->at, (size_t)(words->end - words->at));
		return;
	}
	out_printf(session, "+ \r\n");
	if (!session_read_line_unlocked(session, &line))
		return;
	if (strcmp(buf_str(&line), "*") == 0)
		reply(session, "BAD cancelled");
	else
		authenticate_plain(session, buf_str(&line), line.len);
}
