#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "support/imap/talk.h"

static enum err_kind kind_of_refusal(const char *reply)
{
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(freep)
	char *text = str_printf(
		"%sC: a LOGIN " TALK_USER " " TALK_PASSWORD "\nS: %s\n", GREETED("IDLE"), reply);

	CHECK(!talk_begin(&talk, text));
	CHECK_STR(talk_close(&talk), "");
	CHECK(!strstr(talk.err.text, TALK_PASSWORD));
	return talk.err.kind;
}

static void login_command_where_nothing_else_is_offered(void)
{
	static const char *const script[] = {
		"S: * OK ready\n",
		"C: a CAPABILITY\n",
		"S: * CAPABILITY IMAP4rev1 \n",
		"S: a OK done\n",
		("C: a LOGIN " TALK_USER " " TALK_PASSWORD "\n"),
		"S: a OK in\n",
		"C: a CAPABILITY\n",
		"S: * CAPABILITY IMAP4rev1 UIDPLUS LITERAL+\n",
		"S: a OK done\n",
		NO_NAMESPACE,
	};
	CLEANUP(talk_end) struct talk talk = {0};

	CHECK_TALK(&talk, talk_begin(&talk, SCRIPT(script)));
	CHECK_INT(imap_caps(talk.imap), IMAP_CAP_UIDPLUS | IMAP_CAP_LITERAL_PLUS);
	CHECK_INT(imap_delimiter(talk.imap), '.');
	CHECK_STR(imap_prefix(talk.imap), "");
	CHECK_STR(talk_close(&talk), "");
}

static void plain_with_initial_response(void)
{
	static const char *const script[] = {
		GREETED("SASL-IR AUTH=PLAIN AUTH=LOGIN"),
		("C: a AUTHENTICATE PLAIN " TALK_PLAIN64 "\n"),
		"S: a OK [CAPABILITY IMAP4rev1 IDLE] in\n",
		NO_NAMESPACE,
	};
	CLEANUP(talk_end) struct talk talk = {0};

	CHECK_TALK(&talk, talk_begin(&talk, SCRIPT(script)));
	CHECK_INT(imap_caps(talk.imap), IMAP_CAP_IDLE);
	CHECK_STR(talk_close(&talk), "");
}

static void plain_without_initial_response(void)
{
	static const char *const script[] = {
		GREETED("AUTH=PLAIN"),
		"C: a AUTHENTICATE PLAIN\n",
		"S: + \n",
		("c: " TALK_PLAIN64 "\n"),
		"S: * CAPABILITY IMAP4rev1 IDLE\n",
		"S: a OK in\n",
		NO_NAMESPACE,
	};
	CLEANUP(talk_end) struct talk talk = {0};

	CHECK_TALK(&talk, talk_begin(&talk, SCRIPT(script)));
	CHECK_INT(imap_caps(talk.imap), IMAP_CAP_IDLE);
	CHECK_STR(talk_close(&talk), "");
}

static void plain_can_act_for_another(void)
{
	static const char *const script[] = {
		GREETED("SASL-IR AUTH=PLAIN"),
		"C: a AUTHENTICATE PLAIN YW5uAGZyZWQAczNjcmV0LWNhbmFyeQ==\n",
		"S: a OK [CAPABILITY IMAP4rev1] in\n",
		NO_NAMESPACE,
	};
	CLEANUP(talk_end) struct talk talk = {0};
	struct imap_login login = talk_login();

	login.act_for = "ann";
	CHECK_TALK(&talk, talk_begin_as(&talk, SCRIPT(script), &login));
	CHECK_STR(talk_close(&talk), "");
}

static void acting_for_another_is_never_left_out(void)
{
	CLEANUP(talk_end) struct talk talk = {0};
	struct imap_login login = talk_login();

	login.act_for = "ann";
	CHECK(!talk_begin_as(&talk, GREETED("AUTH=LOGIN"), &login));
	CHECK_INT(talk.err.kind, ERR_AUTH);
	CHECK_STR(talk_close(&talk), "");
}

static void login_mechanism(void)
{
	static const char *const script[] = {
		GREETED("SASL-IR AUTH=LOGIN LOGINDISABLED"),
		"C: a AUTHENTICATE LOGIN\n",
		"S: + VXNlcm5hbWU6\n",
		"c: ZnJlZA==\n",
		"S: + UGFzc3dvcmQ6\n",
		"c: czNjcmV0LWNhbmFyeQ==\n",
		"S: a OK [CAPABILITY IMAP4rev1] in\n",
		NO_NAMESPACE,
	};
	CLEANUP(talk_end) struct talk talk = {0};

	CHECK_TALK(&talk, talk_begin(&talk, SCRIPT(script)));
	CHECK_STR(talk_close(&talk), "");
}

static void password_that_no_quoted_string_may_hold(void)
{
	static const char *const script[] = {
		GREETED(""),
		"C: a LOGIN fred {5}\n",
		"S: + go\n",
		"B: p\\xc3\\xa4ss\\r\\n\n",
		"S: a OK [CAPABILITY IMAP4rev1] in\n",
		NO_NAMESPACE,
	};
	CLEANUP(talk_end) struct talk talk = {0};
	struct imap_login login = talk_login();

	login.password = "p\xc3\xa4ss";
	CHECK_TALK(&talk, talk_begin_as(&talk, SCRIPT(script), &login));
	CHECK_STR(talk_close(&talk), "");
}

static void login_is_not_tried_where_it_is_disabled(void)
{
	CLEANUP(talk_end) struct talk talk = {0};

	CHECK(!talk_begin(&talk, GREETED("LOGINDISABLED AUTH=GSSAPI")));
	CHECK_INT(talk.err.kind, ERR_AUTH);
	CHECK_STR(talk_close(&talk), "");
}

static void wanted_mechanism_is_not_replaced_by_another(void)
{
	CLEANUP(talk_end) struct talk talk = {0};
	struct imap_login login = talk_login();

	login.auth = IMAP_AUTH_SCRAM_SHA_256;
	CHECK(!talk_begin_as(&talk, GREETED("AUTH=PLAIN"), &login));
	CHECK_INT(talk.err.kind, ERR_AUTH);
	CHECK_STR(talk_close(&talk), "");
}

static void refusals_say_what_to_do(void)
{
	CHECK_INT(kind_of_refusal("a NO [AUTHENTICATIONFAILED] Authentication failed."), ERR_AUTH);
	CHECK_INT(kind_of_refusal("a NO [AUTHENTICATIONFAILED] Try again later"), ERR_AUTH);
	CHECK_INT(kind_of_refusal("a NO"), ERR_AUTH);
	CHECK_INT(kind_of_refusal("a NO Login failed"), ERR_AUTH);
	CHECK_INT(kind_of_refusal("a BAD Missing argument"), ERR_AUTH);
	CHECK_INT(kind_of_refusal("a NO [UNAVAILABLE] Maximum number of connections"), ERR_RETRY);
	CHECK_INT(kind_of_refusal("a NO [ALERT] Too many simultaneous connections. (Failure)"),
		ERR_RETRY);
	CHECK_INT(kind_of_refusal("a NO [REFERRAL IMAP://fred@evil.example/] go there"), ERR_AUTH);
	CHECK_INT(kind_of_refusal("* BYE Too many connections"), ERR_RETRY);
}

static void server_that_is_not_connected_behind_is_tried_later(void)
{
	static const char *const script[] = {
		GREETED("SASL-IR AUTH=PLAIN"),
		"C: a AUTHENTICATE PLAIN ...\n",
		"S: a OK in\n",
		"C: a CAPABILITY\n",
		"S: a BAD User is authenticated but not connected.\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};

	CHECK(!talk_begin(&talk, SCRIPT(script)));
	CHECK_INT(talk.err.kind, ERR_RETRY);
	CHECK(strstr(talk.err.text, "server says: User is authenticated"));
	CHECK_STR(talk_close(&talk), "");
}

static void id_enable_and_namespace_take_one_round_trip(void)
{
	static const char *const script[] = {
		GREETED("SASL-IR AUTH=PLAIN"),
		"C: a AUTHENTICATE PLAIN ...\n",
		"S: a OK [CAPABILITY IMAP4rev1 ID ENABLE CONDSTORE QRESYNC NAMESPACE] in\n",
		"C: a ID (\"name\" \"mailstow\" \"version\" \"...\")\n",
		"C: b ENABLE QRESYNC\n",
		"C: c NAMESPACE\n",
		"S: * ID NIL\n",
		"S: a OK\n",
		"S: * ENABLED QRESYNC\n",
		"S: b OK\n",
		"S: * NAMESPACE ((\"INBOX.\" \".\")) NIL ((\"shared.\" \".\"))\n",
		"S: c OK\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};

	CHECK_TALK(&talk, talk_begin(&talk, SCRIPT(script)));
	CHECK(imap_qresync_enabled(talk.imap) && imap_condstore(talk.imap));
	CHECK_STR(imap_prefix(talk.imap), "INBOX.");
	CHECK_INT(imap_delimiter(talk.imap), '.');
	CHECK_STR(talk_close(&talk), "");
}

/* iCloud */
static void enable_without_enabled_counts(void)
{
	static const char *const script[] = {
		GREETED("SASL-IR AUTH=PLAIN"),
		"C: a AUTHENTICATE PLAIN ...\n",
		"S: a OK [CAPABILITY IMAP4rev1 ENABLE CONDSTORE QRESYNC] in\n",
		"C: b ENABLE QRESYNC\n",
		"C: c LIST \"\" \"\"\n",
		"S: b OK\n",
		"S: c OK\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};

	CHECK_TALK(&talk, talk_begin(&talk, SCRIPT(script)));
	CHECK(imap_qresync_enabled(talk.imap));
	CHECK_STR(talk_close(&talk), "");
}

/* Courier says NO to ID */
static void refused_extras_do_no_harm(void)
{
	static const char *const script[] = {
		GREETED("SASL-IR AUTH=PLAIN"),
		"C: a AUTHENTICATE PLAIN ...\n",
		"S: a OK [CAPABILITY IMAP4rev1 ID ENABLE QRESYNC NAMESPACE] in\n",
		"C: a ID ...\n",
		"C: b ENABLE QRESYNC\n",
		"C: c NAMESPACE\n",
		"S: a NO\n",
		"S: b BAD what\n",
		"S: c BAD what\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};

	CHECK_TALK(&talk, talk_begin(&talk, SCRIPT(script)));
	CHECK(!imap_qresync_enabled(talk.imap));
	CHECK_STR(imap_prefix(talk.imap), "");
	CHECK_STR(talk_close(&talk), "");
}

static void enabled_without_qresync_is_no_qresync(void)
{
	static const char *const script[] = {
		GREETED("SASL-IR AUTH=PLAIN"),
		"C: a AUTHENTICATE PLAIN ...\n",
		"S: a OK [CAPABILITY IMAP4rev1 ENABLE QRESYNC] in\n",
		"C: b ENABLE QRESYNC\n",
		"C: c LIST \"\" \"\"\n",
		"S: * ENABLED CONDSTORE\n",
		"S: b OK\n",
		"S: c OK\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};

	CHECK_TALK(&talk, talk_begin(&talk, SCRIPT(script)));
	CHECK(!imap_qresync_enabled(talk.imap) && imap_condstore(talk.imap));
	CHECK_STR(talk_close(&talk), "");
}

static void rev2_alone_brings_its_extensions(void)
{
	static const char *const script[] = {
		"S: * OK [CAPABILITY IMAP4rev2 AUTH=PLAIN] ready\n",
		"C: a AUTHENTICATE PLAIN ...\n",
		"S: a OK [CAPABILITY IMAP4rev2] in\n",
		"C: a NAMESPACE\n",
		"S: * NAMESPACE ((\"\" \"/\")) NIL NIL\n",
		"S: a OK\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};

	CHECK_TALK(&talk, talk_begin(&talk, SCRIPT(script)));
	CHECK(imap_caps(talk.imap) & IMAP_CAP_LIST_STATUS);
	CHECK(imap_caps(talk.imap) & IMAP_CAP_ESEARCH);
	CHECK_STR(talk_close(&talk), "");
}

static void logout_is_polite_and_short(void)
{
	static const char *const script[] = {
		LOGGED_IN("IDLE"),
		"C: a LOGOUT\n",
		"S: * BYE bye\n",
		"S: a OK\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};

	CHECK_TALK(&talk, talk_begin(&talk, SCRIPT(script)));
	imap_logout(&talk.imap);
	CHECK(!talk.imap);
	CHECK_STR(talk_close(&talk), "");
}

static void wire_log_shows_no_secret(void)
{
	static const char *const script[] = {
		GREETED(""),
		("C: a LOGIN " TALK_USER " " TALK_PASSWORD "\n"),
		"S: a OK [CAPABILITY IMAP4rev1] in\n",
		NO_NAMESPACE,
	};
	static const char *const secrets[] = {TALK_PASSWORD, TALK_PLAIN64, "czNjcmV0LWNhbmFyeQ"};
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(freep) char *text = NULL;
	struct imap_login login = talk_login();
	size_t len;

	login.wire_log = open_memstream(&text, &len);
	CHECK_TALK(&talk, talk_begin_as(&talk, SCRIPT(script), &login));
	CHECK_STR(talk_close(&talk), "");
	(void)fclose(login.wire_log);
	CHECK(strstr(text, " LOGIN "));
	for (size_t i = 0; i < ARRAY_LEN(secrets); i++)
		CHECK(!strstr(text, secrets[i]));
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(login_command_where_nothing_else_is_offered),
		PROMISE(plain_with_initial_response),
		PROMISE(plain_without_initial_response),
		PROMISE(plain_can_act_for_another),
		PROMISE(acting_for_another_is_never_left_out),
		PROMISE(login_mechanism),
		PROMISE(password_that_no_quoted_string_may_hold),
		PROMISE(login_is_not_tried_where_it_is_disabled),
		PROMISE(wanted_mechanism_is_not_replaced_by_another),
		PROMISE(refusals_say_what_to_do),
		PROMISE(server_that_is_not_connected_behind_is_tried_later),
		PROMISE(id_enable_and_namespace_take_one_round_trip),
		PROMISE(enable_without_enabled_counts),
		PROMISE(refused_extras_do_no_harm),
		PROMISE(enabled_without_qresync_is_no_qresync),
		PROMISE(rev2_alone_brings_its_extensions),
		PROMISE(logout_is_polite_and_short),
		PROMISE(wire_log_shows_no_secret),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
