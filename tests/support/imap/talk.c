#include "support/imap/talk.h"

static const struct imap_patience hurry = {
	.greeting_ms = 1000,
	.reply_ms = 2000,
	.command_ms = 3000,
	.idle_done_ms = 1000,
	.logout_ms = 500,
};

struct imap_login talk_login(void)
{
	return (struct imap_login){
		.host = "localhost",
		.port = 143,
		.tls = IMAP_TLS_OFF,
		.auth = IMAP_AUTH_AUTO,
		.user = TALK_USER,
		.password = TALK_PASSWORD,
		.patience = &hurry,
	};
}

bool talk_begin_as(struct talk *talk, const char *text, const struct imap_login *login)
{
	if (!talk->script)
		talk->script = script_new(text);
	return imap_connect_over(script_play(talk->script), login, &talk->imap, &talk->err);
}

bool talk_begin(struct talk *talk, const char *text)
{
	struct imap_login login = talk_login();

	return talk_begin_as(talk, text, &login);
}

bool talk_examine(struct talk *talk, const char *text)
{
	CLEANUP(imap_examined_free) struct imap_examined examined = {0};

	return talk_begin(talk, text) &&
	       imap_examine(talk->imap, "INBOX", NULL, NULL, &examined, &talk->err);
}

const char *talk_close(struct talk *talk)
{
	imap_freep(&talk->imap);
	return script_complaint(talk->script);
}

void talk_end(struct talk *talk)
{
	imap_freep(&talk->imap);
	script_freep(&talk->script);
}
