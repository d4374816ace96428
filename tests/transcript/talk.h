/* One conversation as it is played: the scripted server, the client's session, and the results of
 * the current step. */
#ifndef MAILSTOW_TESTS_TRANSCRIPT_TALK_H
#define MAILSTOW_TESTS_TRANSCRIPT_TALK_H

#include <stdio.h>

#include "base/str.h"
#include "imap/session.h"
#include "support/imap/script.h"
#include "transcript/scram_server.h"
#include "transcript/talk_args.h"

#define TALK_USER     "fred"
#define TALK_PASSWORD "s3cret-canary"

struct talk {
	struct script *script;
	bool scripted; /* the script has steps */
	bool played;
	struct scram_server scram;
	struct tls_peer *peer; /* only after "do: connect" */
	struct testcert *ca;
	struct testcert *cert;
	struct cancel cancel;
	FILE *wire_log; /* NULL: none */
	char *wire_text;
	size_t wire_len;
	struct imap *imap; /* NULL: no session */
	struct err err;
	struct str_list results; /* "expect: ..." of the current step */
};

/* Add a result of the current step. */
void talk_says(struct talk *talk, const char *format, ...) PRINTF_LIKE(2, 3);

/* Control characters and '\' escaped as in a script. The caller frees. */
char *talk_escape(const void *data, size_t len);

/* End the session and wait until the script has ended. */
void talk_close(struct talk *talk);

/* --- the steps, by file: README.md says what each is given and what its results are --- */

/* False: talk->err. */
typedef bool talk_step(struct talk *talk, struct talk_args *args);

/* talk_login.c */
talk_step talk_login, talk_connect, talk_logout, talk_noop, talk_cancel;
talk_step talk_show_caps, talk_show_namespace, talk_show_extensions, talk_show_wire_log;
talk_step talk_find_secrets;

/* talk_folder.c */
talk_step talk_list, talk_examine, talk_select, talk_unselect, talk_news, talk_search;

/* talk_fetch.c; the sink keeps its state in the talk_view, which must outlive the call */
talk_step talk_fetch, talk_count;
enum { TALK_BODY_SHOWN = 100 };
struct talk_view {
	struct talk *talk;
	bool counts; /* only totals are a result */
	bool full;   /* the disk is */
	char shown[TALK_BODY_SHOWN];
	uint64_t announced;
	uint64_t got;
	bool open; /* a body has begun and not ended */
	unsigned bodies;
	uint64_t bytes;
	unsigned fetched;
	unsigned ranges; /* that were not refused */
};
struct imap_fetch_sink talk_sink(struct talk_view *view);
void talk_end_view(struct talk_view *view); /* tells what has not ended */

/* talk_idle.c */
talk_step talk_idle, talk_drain, talk_park, talk_wait, talk_done;

/* talk_append.c */
talk_step talk_append, talk_pending, talk_result, talk_create, talk_subscribe, talk_store;

#endif
