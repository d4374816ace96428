#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/crypto.h"
#include "base/str.h"
#include "support/talk.h"

#define NO_NAMESPACE "C: a LIST \"\" \"\"\nS: * LIST (\\Noselect) \".\" \"\"\nS: a OK\n"

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
	CLEANUP(talk_end) struct talk talk = {0};

	CHECK_TALK(&talk, talk_begin(&talk, "S: * OK ready\n"
					    "C: a CAPABILITY\n"
					    "S: * CAPABILITY IMAP4rev1 \n"
					    "S: a OK done\n"
					    "C: a LOGIN " TALK_USER " " TALK_PASSWORD "\n"
					    "S: a OK in\n"
					    "C: a CAPABILITY\n"
					    "S: * CAPABILITY IMAP4rev1 UIDPLUS LITERAL+\n"
					    "S: a OK done\n" NO_NAMESPACE));
	CHECK_INT(imap_caps(talk.imap), IMAP_CAP_UIDPLUS | IMAP_CAP_LITERAL_PLUS);
	CHECK_INT(imap_delimiter(talk.imap), '.');
	CHECK_STR(imap_prefix(talk.imap), "");
	CHECK_STR(talk_close(&talk), "");
}

static void plain_with_initial_response(void)
{
	CLEANUP(talk_end) struct talk talk = {0};

	CHECK_TALK(&talk,
		talk_begin(&talk,
			GREETED("SASL-IR AUTH=PLAIN AUTH=LOGIN") "C: a AUTHENTICATE PLAIN " TALK_PLAIN64
								 "\n"
								 "S: a OK [CAPABILITY IMAP4rev1 IDLE] in\n" NO_NAMESPACE));
	CHECK_INT(imap_caps(talk.imap), IMAP_CAP_IDLE);
	CHECK_STR(talk_close(&talk), "");
}

static void plain_without_initial_response(void)
{
	CLEANUP(talk_end) struct talk talk = {0};

	CHECK_TALK(&talk, talk_begin(&talk, GREETED("AUTH=PLAIN") "C: a AUTHENTICATE PLAIN\n"
								  "S: + \n"
								  "c: " TALK_PLAIN64 "\n"
								  "S: * CAPABILITY IMAP4rev1 IDLE\n"
								  "S: a OK in\n" NO_NAMESPACE));
	CHECK_INT(imap_caps(talk.imap), IMAP_CAP_IDLE);
	CHECK_STR(talk_close(&talk), "");
}

static void plain_can_act_for_another(void)
{
	CLEANUP(talk_end) struct talk talk = {0};
	struct imap_login login = talk_login();

	login.act_for = "ann";
	CHECK_TALK(&talk,
		talk_begin_as(&talk,
			GREETED("SASL-IR AUTH=PLAIN") "C: a AUTHENTICATE PLAIN YW5uAGZyZWQAczNjcmV0LWNhbmFyeQ==\n"
						      "S: a OK [CAPABILITY IMAP4rev1] in\n" NO_NAMESPACE,
			&login));
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
	CLEANUP(talk_end) struct talk talk = {0};

	CHECK_TALK(&talk,
		talk_begin(&talk,
			GREETED("SASL-IR AUTH=LOGIN LOGINDISABLED") "C: a AUTHENTICATE LOGIN\n"
								    "S: + VXNlcm5hbWU6\n"
								    "c: ZnJlZA==\n"
								    "S: + UGFzc3dvcmQ6\n"
								    "c: czNjcmV0LWNhbmFyeQ==\n"
								    "S: a OK [CAPABILITY IMAP4rev1] in\n" NO_NAMESPACE));
	CHECK_STR(talk_close(&talk), "");
}

static void password_that_no_quoted_string_may_hold(void)
{
	CLEANUP(talk_end) struct talk talk = {0};
	struct imap_login login = talk_login();

	login.password = "p\xc3\xa4ss";
	CHECK_TALK(&talk, talk_begin_as(&talk,
				  GREETED("") "C: a LOGIN fred {5}\n"
					      "S: + go\n"
					      "B: p\\xc3\\xa4ss\\r\\n\n"
					      "S: a OK [CAPABILITY IMAP4rev1] in\n" NO_NAMESPACE,
				  &login));
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
	CLEANUP(talk_end) struct talk talk = {0};

	CHECK(!talk_begin(&talk,
		GREETED("SASL-IR AUTH=PLAIN") "C: a AUTHENTICATE PLAIN ...\n"
					      "S: a OK in\n"
					      "C: a CAPABILITY\n"
					      "S: a BAD User is authenticated but not connected.\n"));
	CHECK_INT(talk.err.kind, ERR_RETRY);
	CHECK(strstr(talk.err.text, "server says: User is authenticated"));
	CHECK_STR(talk_close(&talk), "");
}

static void id_enable_and_namespace_take_one_round_trip(void)
{
	CLEANUP(talk_end) struct talk talk = {0};

	CHECK_TALK(&talk,
		talk_begin(&talk,
			GREETED("SASL-IR AUTH=PLAIN") "C: a AUTHENTICATE PLAIN ...\n"
						      "S: a OK [CAPABILITY IMAP4rev1 ID ENABLE CONDSTORE QRESYNC NAMESPACE] in\n"
						      "C: a ID (\"name\" \"mailstow\" \"version\" \"...\")\n"
						      "C: b ENABLE QRESYNC\n"
						      "C: c NAMESPACE\n"
						      "S: * ID NIL\n"
						      "S: a OK\n"
						      "S: * ENABLED QRESYNC\n"
						      "S: b OK\n"
						      "S: * NAMESPACE ((\"INBOX.\" \".\")) NIL ((\"#shared.\" \".\")(\"shared.\" \".\"))\n"
						      "S: c OK\n"));
	CHECK(imap_qresync_enabled(talk.imap) && imap_condstore(talk.imap));
	CHECK_STR(imap_prefix(talk.imap), "INBOX.");
	CHECK_INT(imap_delimiter(talk.imap), '.');
	CHECK_STR(talk_close(&talk), "");
}

/* iCloud */
static void enable_without_enabled_counts(void)
{
	CLEANUP(talk_end) struct talk talk = {0};

	CHECK_TALK(&talk,
		talk_begin(&talk,
			GREETED("SASL-IR AUTH=PLAIN") "C: a AUTHENTICATE PLAIN ...\n"
						      "S: a OK [CAPABILITY IMAP4rev1 ENABLE CONDSTORE QRESYNC] in\n"
						      "C: b ENABLE QRESYNC\n"
						      "C: c LIST \"\" \"\"\n"
						      "S: b OK\n"
						      "S: c OK\n"));
	CHECK(imap_qresync_enabled(talk.imap));
	CHECK_STR(talk_close(&talk), "");
}

/* Courier says NO to ID */
static void refused_extras_do_no_harm(void)
{
	CLEANUP(talk_end) struct talk talk = {0};

	CHECK_TALK(&talk,
		talk_begin(&talk,
			GREETED("SASL-IR AUTH=PLAIN") "C: a AUTHENTICATE PLAIN ...\n"
						      "S: a OK [CAPABILITY IMAP4rev1 ID ENABLE QRESYNC NAMESPACE] in\n"
						      "C: a ID ...\n"
						      "C: b ENABLE QRESYNC\n"
						      "C: c NAMESPACE\n"
						      "S: a NO\n"
						      "S: b BAD what\n"
						      "S: c BAD what\n"));
	CHECK(!imap_qresync_enabled(talk.imap));
	CHECK_STR(imap_prefix(talk.imap), "");
	CHECK_STR(talk_close(&talk), "");
}

static void enabled_without_qresync_is_no_qresync(void)
{
	CLEANUP(talk_end) struct talk talk = {0};

	CHECK_TALK(&talk,
		talk_begin(&talk,
			GREETED("SASL-IR AUTH=PLAIN") "C: a AUTHENTICATE PLAIN ...\n"
						      "S: a OK [CAPABILITY IMAP4rev1 ENABLE QRESYNC] in\n"
						      "C: b ENABLE QRESYNC\n"
						      "C: c LIST \"\" \"\"\n"
						      "S: * ENABLED CONDSTORE\n"
						      "S: b OK\n"
						      "S: c OK\n"));
	CHECK(!imap_qresync_enabled(talk.imap) && imap_condstore(talk.imap));
	CHECK_STR(talk_close(&talk), "");
}

static void rev2_alone_brings_its_extensions(void)
{
	CLEANUP(talk_end) struct talk talk = {0};

	CHECK_TALK(&talk, talk_begin(&talk, "S: * OK [CAPABILITY IMAP4rev2 AUTH=PLAIN] ready\n"
					    "C: a AUTHENTICATE PLAIN ...\n"
					    "S: a OK [CAPABILITY IMAP4rev2] in\n"
					    "C: a NAMESPACE\n"
					    "S: * NAMESPACE ((\"\" \"/\")) NIL NIL\n"
					    "S: a OK\n"));
	CHECK(imap_caps(talk.imap) & IMAP_CAP_LIST_STATUS);
	CHECK(imap_caps(talk.imap) & IMAP_CAP_ESEARCH);
	CHECK_STR(talk_close(&talk), "");
}

static void logout_is_polite_and_short(void)
{
	CLEANUP(talk_end) struct talk talk = {0};

	CHECK_TALK(&talk, talk_begin(&talk, LOGGED_IN("IDLE") "C: a LOGOUT\n"
							      "S: * BYE bye\n"
							      "S: a OK\n"));
	imap_logout(&talk.imap);
	CHECK(!talk.imap);
	CHECK_STR(talk_close(&talk), "");
}

static void wire_log_shows_no_secret(void)
{
	static const char *const secrets[] = {TALK_PASSWORD, TALK_PLAIN64, "czNjcmV0LWNhbmFyeQ"};
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(freep) char *text = NULL;
	struct imap_login login = talk_login();
	size_t len;

	login.wire_log = open_memstream(&text, &len);
	CHECK_TALK(&talk, talk_begin_as(&talk,
				  GREETED("") "C: a LOGIN " TALK_USER " " TALK_PASSWORD "\n"
					      "S: a OK [CAPABILITY IMAP4rev1] in\n" NO_NAMESPACE,
				  &login));
	CHECK_STR(talk_close(&talk), "");
	(void)fclose(login.wire_log);
	CHECK(strstr(text, " LOGIN "));
	for (size_t i = 0; i < ARRAY_LEN(secrets); i++)
		CHECK(!strstr(text, secrets[i]));
}

/* --- SCRAM: the server's side (RFC 5802) --- */

struct scram_server {
	char *first_bare; /* of the client */
	char *first;      /* ours */
	const char *iterations;
	bool lies;
};

static char *decoded(const char *base64)
{
	CLEANUP(freep) uint8_t *data = NULL;
	size_t len;

	if (!base64_decode(base64, strlen(base64), &data, &len))
		return NULL;
	return xstrndup((const char *)data, len);
}

static char *challenge(const char *text)
{
	CLEANUP(freep) char *base64 = base64_encode(text, strlen(text));

	return str_printf("+ %s", base64);
}

static char *scram_server_first(struct scram_server *server, const char *line)
{
	const char *blank = strrchr(line, ' ');
	CLEANUP(freep) char *message = decoded(blank ? blank + 1 : line);

	if (!message || !str_starts(message, "n,,"))
		return NULL;
	server->first_bare = str_printf("%s", message + strlen("n,,"));
	server->first = str_printf("r=%s+server,s=c2FsdA==,i=%s",
		strstr(server->first_bare, "r=") + strlen("r="), server->iterations);
	return challenge(server->first);
}

static char *scram_server_final(struct scram_server *server, const char *line)
{
	CLEANUP(freep) char *message = decoded(line);
	CLEANUP(freep) char *auth = NULL, *base64 = NULL, *final = NULL;
	uint8_t salted[SHA256_BYTES], key[SHA256_BYTES], signature[SHA256_BYTES];

	if (!message || !strstr(message, ",p="))
		return NULL;
	*strstr(message, ",p=") = '\0';
	auth = str_printf("%s,%s,%s", server->first_bare, server->first, message);
	pbkdf2_sha256(TALK_PASSWORD, strlen(TALK_PASSWORD), "salt", 4, 4096, salted);
	hmac_sha256(salted, sizeof(salted), "Server Key", 10, key);
	hmac_sha256(key, sizeof(key), auth, strlen(auth), signature);
	signature[0] ^= server->lies;
	base64 = base64_encode(signature, sizeof(signature));
	final = str_printf("v=%s", base64);
	return challenge(final);
}

static char *scram_serve(void *context, const char *word, const char *line)
{
	return strcmp(word, "first") == 0 ? scram_server_first(context, line)
					  : scram_server_final(context, line);
}

static void scram_free_server(struct scram_server *server)
{
	free(server->first_bare);
	free(server->first);
}

static void scram_begin(struct talk *talk, struct scram_server *server, const char *text)
{
	talk->script = script_new(text);
	script_set_hook(talk->script, scram_serve, server);
}

static void scram_is_preferred_and_proved(void)
{
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(scram_free_server) struct scram_server server = {.iterations = "4096"};

	scram_begin(&talk, &server,
		GREETED("SASL-IR AUTH=PLAIN AUTH=SCRAM-SHA-256 AUTH=SCRAM-SHA-256-PLUS") "C: a AUTHENTICATE SCRAM-SHA-256 ...\n"
											 "H: first\n"
											 "c: ...\n"
											 "H: final\n"
											 "c: \n"
											 "S: a OK [CAPABILITY IMAP4rev1] in\n" NO_NAMESPACE);
	CHECK_TALK(&talk, talk_begin(&talk, NULL));
	CHECK_STR(talk_close(&talk), "");
}

static void scram_refuses_a_server_that_lies(void)
{
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(scram_free_server)
	struct scram_server server = {.iterations = "4096", .lies = true};

	scram_begin(&talk, &server,
		GREETED("SASL-IR AUTH=PLAIN AUTH=SCRAM-SHA-256") "C: a AUTHENTICATE SCRAM-SHA-256 ...\n"
								 "H: first\n"
								 "c: ...\n"
								 "H: final\n");
	CHECK(!talk_begin(&talk, NULL));
	CHECK_INT(talk.err.kind, ERR_SECURITY);
	CHECK_STR(talk_close(&talk), "");
}

static void scram_without_the_servers_proof_is_refused(void)
{
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(scram_free_server) struct scram_server server = {.iterations = "4096"};

	scram_begin(&talk, &server,
		GREETED("AUTH=SCRAM-SHA-256") "C: a AUTHENTICATE SCRAM-SHA-256\n"
					      "S: + \n"
					      "c: ...\n"
					      "H: first\n"
					      "c: ...\n"
					      "S: a OK in\n");
	CHECK(!talk_begin(&talk, NULL));
	CHECK_INT(talk.err.kind, ERR_SECURITY);
}

static void scram_iterations_are_bounded(void)
{
	static const char *const counts[] = {"1", "2147483648", "4294967296"};

	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		CLEANUP(talk_end) struct talk talk = {0};
		CLEANUP(scram_free_server) struct scram_server server = {.iterations = counts[i]};

		scram_begin(&talk, &server,
			GREETED("SASL-IR AUTH=SCRAM-SHA-256 AUTH=PLAIN") "C: a AUTHENTICATE SCRAM-SHA-256 ...\n"
									 "H: first\n");
		CHECK(!talk_begin(&talk, NULL));
		CHECK_INT(talk.err.kind, ERR_SECURITY);
		CHECK_STR(talk_close(&talk), "");
	}
}

static void refused_scram_is_not_followed_by_plain(void)
{
	CLEANUP(talk_end) struct talk talk = {0};

	CHECK(!talk_begin(&talk,
		GREETED("SASL-IR AUTH=PLAIN AUTH=SCRAM-SHA-256") "C: a AUTHENTICATE SCRAM-SHA-256 ...\n"
								 "S: a NO no such mechanism\n"));
	CHECK_INT(talk.err.kind, ERR_AUTH);
	CHECK_STR(talk_close(&talk), "");
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
		PROMISE(scram_is_preferred_and_proved),
		PROMISE(scram_refuses_a_server_that_lies),
		PROMISE(scram_without_the_servers_proof_is_refused),
		PROMISE(scram_iterations_are_bounded),
		PROMISE(refused_scram_is_not_followed_by_plain),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
