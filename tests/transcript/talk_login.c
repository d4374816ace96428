/* Steps: log in and out, what the session knows afterwards, and what leaked. */
#include <string.h>

#include "support/check.h"
#include "transcript/talk.h"

enum { FILE_NAME_MAX = 512 };

/* Ends a conversation with a silent server soon. */
static const struct imap_patience hurry = {
	.greeting_ms = 1000,
	.reply_ms = 2000,
	.command_ms = 3000,
	.idle_done_ms = 1000,
	.logout_ms = 500,
};

/* For TLS, which is slow on a busy machine; no conversation over TLS waits for this timeout. */
static const struct imap_patience calm = {
	.greeting_ms = 30000,
	.reply_ms = 30000,
	.command_ms = 30000,
	.idle_done_ms = 30000,
	.logout_ms = 500,
};

static struct imap_login login_of(struct talk *talk, struct talk_args *args)
{
	struct imap_login login = {
		.host = "localhost",
		.port = 143,
		.tls = IMAP_TLS_OFF,
		.auth = IMAP_AUTH_AUTO,
		.user = TALK_USER,
		.password = TALK_PASSWORD,
		.cancel = &talk->cancel,
		.patience = &hurry,
	};

	while (talk_args_left(args) && !args->wrong) {
		if (talk_args_take(args, "implicit-tls"))
			login.tls = IMAP_TLS_IMPLICIT;
		else if (talk_args_take(args, "starttls"))
			login.tls = IMAP_TLS_STARTTLS;
		else if (talk_args_take(args, "scram"))
			login.auth = IMAP_AUTH_SCRAM_SHA_256;
		else if (talk_args_take(args, "for"))
			login.act_for = talk_args_word(args);
		else if (talk_args_take(args, "password"))
			login.password = talk_args_word(args);
		else if (talk_args_take(args, "host"))
			login.host = talk_args_word(args);
		else if (talk_args_take(args, "wire-log"))
			login.wire_log = talk->wire_log =
				open_memstream(&talk->wire_text, &talk->wire_len);
		else
			args->wrong = "no such option of a login";
	}
	if (talk->played)
		args->wrong = "a script is played only once";
	return login;
}

bool talk_login(struct talk *talk, struct talk_args *args)
{
	struct imap_login login = login_of(talk, args);

	if (args->wrong)
		return true;
	talk->played = true;
	return imap_connect_over(script_play(talk->script), &login, &talk->imap, &talk->err);
}

/* A server on a loopback port with a certificate of a CA of its own; writes that to ca_file. */
static void start_peer(struct talk *talk, const char *ca_file)
{
	talk->ca = testcert_ca("Test CA");
	talk->cert = testcert_make(
		talk->ca, &(struct testcert_spec){.alt_names = "DNS:localhost,IP:127.0.0.1"});
	testcert_write(talk->ca, ca_file);
	talk->peer = tls_peer_start(&(struct tls_peer_options){
		.cert = talk->cert,
		.late = true,
		.serve = script_serve,
		.context = talk->script,
	});
}

bool talk_connect(struct talk *talk, struct talk_args *args)
{
	bool trusts = !talk_args_take(args, "untrusted");
	struct imap_login login = login_of(talk, args);
	char ca_file[FILE_NAME_MAX];

	if (args->wrong)
		return true;
	login.patience = &calm;
	if (talk->scripted) {
		(void)snprintf(ca_file, sizeof(ca_file), "%s/ca.pem", check_temp_dir());
		start_peer(talk, ca_file);
		login.host = "127.0.0.1";
		login.port = tls_peer_port(talk->peer);
		login.ca_file = trusts ? ca_file : NULL;
		talk->played = true;
	}
	return imap_connect(&login, &talk->imap, &talk->err);
}

bool talk_logout(struct talk *talk, struct talk_args *args)
{
	(void)args;
	imap_logout(&talk->imap);
	if (talk->imap)
		talk_says(talk, "a session");
	return true;
}

bool talk_noop(struct talk *talk, struct talk_args *args)
{
	(void)args;
	return imap_noop(talk->imap, &talk->err);
}

bool talk_cancel(struct talk *talk, struct talk_args *args)
{
	(void)args;
	cancel_now(&talk->cancel);
	return true;
}

bool talk_show_caps(struct talk *talk, struct talk_args *args)
{
	static const char *const names[] = {"SASL-IR", "LITERAL+", "LITERAL-", "ID", "ENABLE",
		"NAMESPACE", "LIST-EXTENDED", "LIST-STATUS", "SPECIAL-USE", "CREATE-SPECIAL-USE",
		"CONDSTORE", "QRESYNC", "UIDPLUS", "ESEARCH", "IDLE", "MULTIAPPEND", "UNSELECT",
		"STARTTLS", "LOGINDISABLED", "NOTIFY", "IMAP4rev2"};
	CLEANUP(freep) char *text = str_printf("caps");
	uint32_t caps = imap_caps(talk->imap);

	(void)args;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		CLEANUP(freep) char *before = text;

		text = str_printf("%s%s%s", before, caps & 1U << i ? " " : "",
			caps & 1U << i ? names[i] : "");
	}
	talk_says(talk, "%s%s", text, caps >> ARRAY_LEN(names) ? " and unknown ones" : "");
	return true;
}

bool talk_show_namespace(struct talk *talk, struct talk_args *args)
{
	char delimiter[] = {imap_delimiter(talk->imap), '\0'};

	(void)args;
	talk_says(talk, "prefix \"%s\" delimiter %s", imap_prefix(talk->imap),
		*delimiter ? delimiter : "unknown");
	return true;
}

bool talk_show_extensions(struct talk *talk, struct talk_args *args)
{
	(void)args;
	talk_says(talk, "qresync %s, condstore %s", imap_qresync_enabled(talk->imap) ? "on" : "off",
		imap_condstore(talk->imap) ? "on" : "off");
	return true;
}

/* --- what leaked; both end the session first --- */

/* Each line without its time. */
bool talk_show_wire_log(struct talk *talk, struct talk_args *args)
{
	talk_close(talk);
	if (!talk->wire_text)
		args->wrong = "nothing was logged";
	for (const char *line = talk->wire_text; line && *line; line += strcspn(line, "\n") + 1)
		talk_says(talk, "%.*s", (int)(strcspn(line, "\n") - strcspn(line, " ") - 1),
			line + strcspn(line, " ") + 1);
	return true;
}

/* Also as SASL has them. */
bool talk_find_secrets(struct talk *talk, struct talk_args *args)
{
	static const char *const secrets[] = {
		TALK_USER, TALK_PASSWORD, "ZnJlZA", "czNjcmV0", "AGZyZWQ", "AUTHENTICATE", "LOGIN"};
	bool in_log = talk_args_take(args, "wire-log"), found = false;
	size_t first = in_log ? 1 : 0, count = in_log ? 5 : ARRAY_LEN(secrets);
	const char *text;

	talk_close(talk);
	if (in_log && !talk->wire_text)
		args->wrong = "nothing was logged";
	text = in_log ? talk->wire_text : script_plain(talk->script);
	for (size_t i = first; text && i < count; i++)
		if (strstr(text, secrets[i])) {
			talk_says(talk, "%s", secrets[i]);
			found = true;
		}
	if (!found)
		talk_says(talk, "none");
	return true;
}
