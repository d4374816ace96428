/* What a hostile server or somebody on the way may do before we are logged in. */
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "support/imap/talk.h"

#define HELLO    "S: * OK [CAPABILITY IMAP4rev1 STARTTLS] ready\n"
#define STARTTLS HELLO "C: a STARTTLS\n"
#define BEGIN    STARTTLS "J: a OK begin\n"

enum { PATIENCE_MS = 10 * 1000, FILE_NAME_MAX = 512 };

static void check_no_credential(const char *plain)
{
	static const char *const secrets[] = {
		TALK_USER, TALK_PASSWORD, "ZnJlZA", "czNjcmV0", "AGZyZWQ", "AUTHENTICATE", "LOGIN"};

	for (size_t i = 0; i < ARRAY_LEN(secrets); i++)
		CHECK(!strstr(plain, secrets[i]));
}

/* The login fails like this, soon, and says nothing secret. */
static void check_login(enum imap_tls tls, const char *text, enum err_kind kind)
{
	CLEANUP(talk_end) struct talk talk = {0};
	struct imap_login login = talk_login();
	int64_t from_ms = clock_mono_ms();

	login.tls = tls;
	CHECK(!talk_begin_as(&talk, text, &login));
	if (talk.err.kind != kind)
		check_fail(__FILE__, __LINE__, "%s is %s: %s", text, err_kind_name(talk.err.kind),
			talk.err.text);
	(void)talk_close(&talk);
	check_no_credential(script_plain(talk.script));
	CHECK(clock_mono_ms() - from_ms < PATIENCE_MS);
}

/* --- STARTTLS: injection --- */

static void capabilities_behind_starttls_are_an_attack(void)
{
	check_login(
		IMAP_TLS_STARTTLS, BEGIN "S: * CAPABILITY IMAP4rev1 AUTH=PLAIN\n", ERR_SECURITY);
}

static void tagged_line_behind_starttls_is_an_attack(void)
{
	check_login(IMAP_TLS_STARTTLS, BEGIN "S: a OK [CAPABILITY IMAP4rev1] done\n", ERR_SECURITY);
}

static void alert_behind_starttls_is_an_attack(void)
{
	check_login(IMAP_TLS_STARTTLS, BEGIN "S: * OK [ALERT] call this number\n", ERR_SECURITY);
}

static void goodbye_behind_starttls_is_an_attack(void)
{
	check_login(IMAP_TLS_STARTTLS, BEGIN "S: * BYE see you\n", ERR_SECURITY);
}

static void half_a_line_behind_starttls_is_an_attack(void)
{
	check_login(IMAP_TLS_STARTTLS, BEGIN "R: *\n", ERR_SECURITY);
}

/* --- STARTTLS: downgrade --- */

static void refused_starttls_ends_it(void)
{
	check_login(IMAP_TLS_STARTTLS, STARTTLS "S: a NO not today\n", ERR_SECURITY);
}

static void bad_starttls_ends_it(void)
{
	check_login(IMAP_TLS_STARTTLS, STARTTLS "S: a BAD unknown command\n", ERR_SECURITY);
}

static void go_ahead_in_place_of_starttls_ends_it(void)
{
	check_login(IMAP_TLS_STARTTLS, STARTTLS "S: + continue\n", ERR_SECURITY);
}

static void referral_in_place_of_starttls_ends_it(void)
{
	check_login(IMAP_TLS_STARTTLS,
		STARTTLS "S: a NO [REFERRAL IMAP://fred@evil.example/] there\n", ERR_SECURITY);
}

static void goodbye_in_place_of_starttls_ends_it(void)
{
	check_login(IMAP_TLS_STARTTLS, STARTTLS "S: * BYE no\n", ERR_RETRY);
}

static void starttls_that_goes_on_in_plain_text_ends_it(void)
{
	check_login(IMAP_TLS_STARTTLS, STARTTLS "S: a OK begin\nW: 50\nS: * OK no TLS really\n",
		ERR_SECURITY);
}

static void answer_for_a_tag_that_was_not_sent_ends_it(void)
{
	check_login(IMAP_TLS_STARTTLS, "J: * OK ready\nS: a0001 OK begin TLS\nC: a STARTTLS\n",
		ERR_PROTOCOL);
}

static void words_from_before_tls_are_marked(void)
{
	CLEANUP(talk_end) struct talk talk = {0};
	struct imap_login login = talk_login();

	login.tls = IMAP_TLS_STARTTLS;
	CHECK(!talk_begin_as(&talk, STARTTLS "S: a NO call \033[1mthis number\n", &login));
	CHECK_STR(talk.err.text,
		"not yet encrypted: STARTTLS: server will not encrypt, server says: "
		"call \\x1b[1mthis number");
}

/* --- PREAUTH --- */

static void preauth_is_refused_before_tls(void)
{
	check_login(IMAP_TLS_STARTTLS, "S: * PREAUTH [CAPABILITY IMAP4rev1] hello\n", ERR_SECURITY);
}

static void preauth_is_refused_at_all(void)
{
	check_login(IMAP_TLS_OFF, "S: * PREAUTH [CAPABILITY IMAP4rev1] hello\n", ERR_SECURITY);
	check_login(IMAP_TLS_STARTTLS, STARTTLS "S: * PREAUTH hello\n", ERR_SECURITY);
}

/* --- greetings --- */

static void greeting_that_is_none_ends_it(void)
{
	static const char *const greetings[] = {
		"S: HTTP/1.1 400 Bad Request\n",
		"S: 220 mail.example.org ESMTP\n",
		"S: +OK POP3 ready\n",
		"S: \n",
		"S: *\n",
		"S: a OK ready\n",
		"S: * CAPABILITY IMAP4rev1\n",
		"S: * 5 EXISTS\n",
		"S: + go\n",
		"R: \\x16\\x03\\x01\\x02\\x00\\x01\\r\\n\n",
		"R: * OK \\0\\r\\n\n",
		"Z: 3000000\n",
	};

	for (size_t i = 0; i < ARRAY_LEN(greetings); i++) {
		check_login(IMAP_TLS_STARTTLS, greetings[i], ERR_PROTOCOL);
		check_login(IMAP_TLS_OFF, greetings[i], ERR_PROTOCOL);
	}
}

static void greeting_that_refuses_is_tried_later(void)
{
	check_login(IMAP_TLS_OFF, "S: * BYE Too many connections\n", ERR_RETRY);
	check_login(IMAP_TLS_OFF, "S: * BYE [REFERRAL IMAP://evil.example/] there\n", ERR_RETRY);
	check_login(IMAP_TLS_OFF, "X:\n", ERR_RETRY);
	check_login(IMAP_TLS_OFF, "R: * O\nX:\n", ERR_RETRY);
}

static void greeting_that_never_comes_is_not_waited_for(void)
{
	check_login(IMAP_TLS_OFF, "W: 3000\n", ERR_RETRY);
}

static void greeting_that_trickles_is_not_waited_for(void)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT(4096);
	bool fits = true;

	for (int i = 0; i < 30; i++)
		fits = fits && buf_add_str(&text, "R: *\nW: 200\n");
	CHECK(fits);
	check_login(IMAP_TLS_OFF, buf_str(&text), ERR_RETRY);
}

/* --- no encryption --- */

static void credentials_need_encryption_or_loopback(void)
{
	CLEANUP(talk_end) struct talk plain = {0};
	CLEANUP(talk_end) struct talk far = {0};
	struct imap_login login = talk_login();

	login.tls = IMAP_TLS_IMPLICIT;
	CHECK(!talk_begin_as(&plain, GREETED("AUTH=PLAIN"), &login));
	CHECK_INT(plain.err.kind, ERR_SECURITY);
	CHECK_STR(talk_close(&plain), "");
	login.tls = IMAP_TLS_OFF;
	login.host = "imap.example.org";
	CHECK(!talk_begin_as(&far, GREETED("AUTH=PLAIN"), &login));
	CHECK_INT(far.err.kind, ERR_SECURITY);
	CHECK_STR(talk_close(&far), "");
	CHECK(!imap_connect(&login, &far.imap, &far.err));
	CHECK_INT(far.err.kind, ERR_SECURITY);
}

/* --- TLS for real --- */

struct secure {
	struct testcert *ca;
	struct testcert *cert;
	struct script *script;
	struct tls_peer *peer;
	char ca_file[FILE_NAME_MAX];
};

static void secure_begin(struct secure *secure, const char *text)
{
	secure->ca = testcert_ca("Test CA");
	secure->cert = testcert_make(
		secure->ca, &(struct testcert_spec){.alt_names = "DNS:localhost,IP:127.0.0.1"});
	(void)snprintf(secure->ca_file, sizeof(secure->ca_file), "%s/ca.pem", check_temp_dir());
	testcert_write(secure->ca, secure->ca_file);
	secure->script = script_new(text);
	secure->peer = tls_peer_start(&(struct tls_peer_options){
		.cert = secure->cert,
		.late = true,
		.serve = script_serve,
		.context = secure->script,
	});
}

static void secure_end(struct secure *secure)
{
	tls_peer_freep(&secure->peer);
	script_freep(&secure->script);
	testcert_freep(&secure->cert);
	testcert_freep(&secure->ca);
}

static struct imap_login secure_login(const struct secure *secure)
{
	struct imap_login login = talk_login();

	login.host = "127.0.0.1";
	login.port = tls_peer_port(secure->peer);
	login.tls = IMAP_TLS_STARTTLS;
	login.ca_file = secure->ca_file;
	return login;
}

static void what_was_said_before_tls_is_forgotten(void)
{
	static const char *const script[] = {
		"S: * OK [CAPABILITY IMAP4rev1 LOGINDISABLED AUTH=SCRAM-SHA-256 LITERAL+] ready\n",
		"C: a STARTTLS\n",
		"S: * CAPABILITY IMAP4rev1 AUTH=SCRAM-SHA-256 QRESYNC\n",
		"S: * LIST () \"/\" evil\n",
		"S: * LSUB () \"/\" evil\n",
		"S: * STATUS evil (MESSAGES 1)\n",
		"S: * SEARCH 1 2 3\n",
		"S: * FLAGS (evil)\n",
		"S: * 666 EXISTS\n",
		"S: * 1 RECENT\n",
		"S: * 1 EXPUNGE\n",
		"S: * 1 FETCH (UID 1 BODY[] \"evil\")\n",
		"S: * OK [ALERT] evil\n",
		"S: a OK begin\n",
		"T:\n",
		"C: b CAPABILITY\n",
		"S: * CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN\n",
		"S: b OK\n",
		("C: b AUTHENTICATE PLAIN " TALK_PLAIN64 "\n"),
		"S: b OK [CAPABILITY IMAP4rev1 IDLE] in\n",
		"C: b LIST \"\" \"\"\n",
		"S: b OK\n",
	};
	CLEANUP(secure_end) struct secure secure = {0};
	CLEANUP(imap_freep) struct imap *imap = NULL;
	struct imap_login login;
	struct err err = ERR_INIT;

	secure_begin(&secure, SCRIPT(script));
	login = secure_login(&secure);
	CHECK_OK(imap_connect(&login, &imap, &err));
	CHECK_INT(imap_caps(imap), IMAP_CAP_IDLE);
	CHECK(!imap_take_news(imap));
	imap_freep(&imap);
	tls_peer_freep(&secure.peer);
	CHECK_STR(script_complaint(secure.script), "");
	check_no_credential(script_plain(secure.script));
}

static void certificate_is_checked_after_starttls_too(void)
{
	CLEANUP(secure_end) struct secure secure = {0};
	CLEANUP(imap_freep) struct imap *imap = NULL;
	struct imap_login login;
	struct err err = ERR_INIT;

	secure_begin(&secure, STARTTLS "S: a OK begin\nT:\n");
	login = secure_login(&secure);
	login.ca_file = NULL;
	CHECK(!imap_connect(&login, &imap, &err));
	CHECK_INT(err.kind, ERR_SECURITY);
	tls_peer_freep(&secure.peer);
	check_no_credential(script_plain(secure.script));
}

static void wire_log_begins_behind_starttls_and_shows_no_secret(void)
{
	static const char *const script[] = {
		STARTTLS,
		"S: a OK begin\n",
		"T:\n",
		"C: b CAPABILITY\n",
		"S: * CAPABILITY IMAP4rev1 AUTH=LOGIN\n",
		"S: b OK\n",
		"C: b AUTHENTICATE LOGIN\n",
		"S: + \n",
		"c: ZnJlZA==\n",
		"S: + \n",
		"c: czNjcmV0LWNhbmFyeQ==\n",
		"S: b NO [AUTHENTICATIONFAILED] no\n",
	};
	CLEANUP(secure_end) struct secure secure = {0};
	CLEANUP(imap_freep) struct imap *imap = NULL;
	CLEANUP(freep) char *text = NULL;
	struct imap_login login;
	struct err err = ERR_INIT;
	size_t len;

	secure_begin(&secure, SCRIPT(script));
	login = secure_login(&secure);
	login.wire_log = open_memstream(&text, &len);
	CHECK(!imap_connect(&login, &imap, &err));
	CHECK_INT(err.kind, ERR_AUTH);
	(void)fclose(login.wire_log);
	tls_peer_freep(&secure.peer);
	CHECK_STR(script_complaint(secure.script), "");
	CHECK(strstr(text, "AUTHENTICATE LOGIN"));
	CHECK(!strstr(text, "czNjcmV0") && !strstr(text, "ZnJlZA"));
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(capabilities_behind_starttls_are_an_attack),
		PROMISE(tagged_line_behind_starttls_is_an_attack),
		PROMISE(alert_behind_starttls_is_an_attack),
		PROMISE(goodbye_behind_starttls_is_an_attack),
		PROMISE(half_a_line_behind_starttls_is_an_attack),
		PROMISE(refused_starttls_ends_it),
		PROMISE(bad_starttls_ends_it),
		PROMISE(go_ahead_in_place_of_starttls_ends_it),
		PROMISE(referral_in_place_of_starttls_ends_it),
		PROMISE(goodbye_in_place_of_starttls_ends_it),
		PROMISE(starttls_that_goes_on_in_plain_text_ends_it),
		PROMISE(answer_for_a_tag_that_was_not_sent_ends_it),
		PROMISE(words_from_before_tls_are_marked),
		PROMISE(preauth_is_refused_before_tls),
		PROMISE(preauth_is_refused_at_all),
		PROMISE(greeting_that_is_none_ends_it),
		PROMISE(greeting_that_refuses_is_tried_later),
		PROMISE(greeting_that_never_comes_is_not_waited_for),
		PROMISE(greeting_that_trickles_is_not_waited_for),
		PROMISE(credentials_need_encryption_or_loopback),
		PROMISE(what_was_said_before_tls_is_forgotten),
		PROMISE(certificate_is_checked_after_starttls_too),
		PROMISE(wire_log_begins_behind_starttls_and_shows_no_secret),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
