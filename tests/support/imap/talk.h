/*
 * A session with a scripted server, for one promise.
 *
 *	CLEANUP(talk_end) struct talk talk = {0};
 *
 *	CHECK(talk_begin(&talk, LOGGED_IN("IDLE") "C: a NOOP\n" "S: a OK\n"));
 *	CHECK_TALK(&talk, imap_noop(talk.imap, &talk.err));
 *	CHECK_STR(talk_close(&talk), "");
 */
#ifndef MAILSTOW_TESTS_SUPPORT_IMAP_TALK_H
#define MAILSTOW_TESTS_SUPPORT_IMAP_TALK_H

#include "imap/session.h"
#include "support/check.h"
#include "support/imap/script.h"

#define TALK_USER     "fred"
#define TALK_PASSWORD "s3cret-canary"
#define TALK_PLAIN64  "AGZyZWQAczNjcmV0LWNhbmFyeQ==" /* both, as SASL PLAIN has them */

#define GREETED(caps) "S: * OK [CAPABILITY IMAP4rev1 " caps "] ready\n"

/* The question for the delimiter where NAMESPACE is not offered; it is '.'. */
#define NO_NAMESPACE "C: a LIST \"\" \"\"\nS: * LIST (\\Noselect) \".\" \"\"\nS: a OK\n"

/* Logged in with these capabilities, without NAMESPACE, ID and ENABLE; delimiter '/'. */
#define LOGGED_IN(caps)                                                                            \
	GREETED("SASL-IR AUTH=PLAIN")                                                              \
	"C: a AUTHENTICATE PLAIN " TALK_PLAIN64 "\n"                                               \
	"S: a OK [CAPABILITY IMAP4rev1 " caps "] in\n"                                             \
	"C: a LIST \"\" \"\"\n"                                                                    \
	"S: * LIST (\\Noselect) \"/\" \"\"\n"                                                      \
	"S: a OK\n"

/* The same, then INBOX opened with so many messages. */
#define EXAMINED(caps, exists)                                                                     \
	LOGGED_IN(caps)                                                                            \
	"C: a EXAMINE INBOX...\n"                                                                  \
	"S: * " exists " EXISTS\n"                                                                 \
	"S: * OK [UIDVALIDITY 7]\n"                                                                \
	"S: a OK [READ-ONLY] done\n"

#define CHECK_TALK(talk, expression)                                                               \
	do {                                                                                       \
		if (!(expression))                                                                 \
			check_fail(__FILE__, __LINE__, "%s: %s", #expression, (talk)->err.text);   \
	} while (0)

struct talk {
	struct script *script;
	struct imap *imap;
	struct err err;
};

/* A login over loopback without TLS, in a hurry. */
struct imap_login talk_login(void);

/* Log in. false: talk->err */
bool talk_begin(struct talk *talk, const char *text);
bool talk_begin_as(struct talk *talk, const char *text, const struct imap_login *login);

/* Log in and examine INBOX. */
bool talk_examine(struct talk *talk, const char *text);

/* Close the client's end; what the script has to complain about. */
const char *talk_close(struct talk *talk);
void talk_end(struct talk *talk);

#endif
