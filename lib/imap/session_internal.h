/*
 * What the files of a session share: the connection with its commands in flight, and the reply
 * loop. Only the .c files of this folder include this.
 *
 * The loop: session_send() puts a command into the output buffer and into the table of those in
 * flight; session_step() flushes, reads one reply and tells the listener of it. A tagged reply is
 * accepted only for a tag in the table, and only when the command was written completely (or,
 * waiting for '+', when it refuses).
 */
#ifndef MAILSTOW_IMAP_SESSION_INTERNAL_H
#define MAILSTOW_IMAP_SESSION_INTERNAL_H

#include "base/str.h"
#include "imap/command_internal.h"
#include "imap/limits.h"
#include "imap/session.h"
#include "net/stream.h"

enum {
	SESSION_IN_FLIGHT_MAX = IMAP_APPEND_IN_FLIGHT + IMAP_STATUS_IN_FLIGHT + 4,
	SESSION_WORDS_MAX = 200, /* bytes of a server's words in an error */
};

/* Who is told of replies while commands run; members may be NULL. False ends the session. */
struct listener {
	bool (*heard)(void *context, const struct imap_reply *untagged, struct err *err);
	bool (*answered)(
		void *context, uint64_t serial, const struct imap_reply *tagged, struct err *err);
	void *context;
};

/* A command in flight. */
struct sent {
	char tag[COMMAND_TAG_MAX];
	const char *name;
	uint64_t serial; /* ascending, never 0 */
	bool whole;      /* written completely */
};

/* An APPEND that was sent and whose result was not yet taken. */
struct appended {
	uint64_t serial;
	uint64_t size_bytes;
	bool done;
	struct imap_append_result result;
};

enum mechanism {
	MECHANISM_PLAIN = 1 << 0,
	MECHANISM_LOGIN = 1 << 1,
	MECHANISM_SCRAM_SHA_256 = 1 << 2,
};

struct imap {
	struct stream *stream;
	struct imap_parser *parser;
	struct imap_patience patience;
	const struct cancel *cancel;

	uint8_t *input; /* IMAP_INPUT_BYTES, NULL while parked */
	size_t input_at;
	size_t input_len;
	struct buf output;

	struct sent *sent; /* in the order they were sent; at most SESSION_IN_FLIGHT_MAX */
	size_t sent_count;
	size_t sent_cap;
	uint64_t serial;
	struct listener listener;
	struct imap_body_sink sink; /* the caller's, behind the one that counts */

	int silence_ms;            /* patience with the reply that is due */
	int64_t waited_ms;         /* spent reading since the last tagged reply */
	uint64_t received_bytes;   /* since then */
	uint64_t chatter_bytes;    /* since then, without bodies that went to the sink */
	uint64_t chatter_replies;  /* untagged ones since then */
	uint64_t expected_replies; /* what the commands in flight asked for */

	bool secrets_allowed; /* the stream is secure, or is loopback with IMAP_TLS_OFF */
	bool leaving;         /* LOGOUT was sent: BYE is no error */
	bool idling;

	uint32_t caps;
	uint32_t mechanisms;
	bool caps_known;
	bool qresync;
	bool condstore;
	char *prefix;
	char delimiter;
	struct str_list other_prefixes; /* of other users' and shared namespaces */

	bool selected;
	uint32_t exists;
	bool news;
	bool fetching; /* FETCH replies were asked for: the listener tells news from answers */

	struct appended *appended; /* ring of IMAP_APPEND_IN_FLIGHT, NULL before the first */
	size_t appended_at;        /* the oldest */
	size_t appended_count;
};

/* --- session.c, exchange.c: the connection and the reply loop --- */

struct imap *session_new(struct stream *stream, const struct imap_login *login);

/* The patience with a reply begins now. */
void session_begin_wait(struct imap *imap);

/* After the switch to TLS nothing that was said before counts. */
void session_forget(struct imap *imap);

enum command_literals session_literals(const struct imap *imap);

/* Start a command that fits this server's literals. */
void session_start(const struct imap *imap, struct imap_command *command, const char *name);

/*
 * Send (into the output buffer; up to the wire where the server must be waited for or secrets
 * pass). A NO or BAD in place of '+' comes as the tagged reply: *ret_refused then holds it, and the
 * command is no longer in flight. ret_refused NULL: such a refusal is ERR_REFUSED.
 */
bool session_send(struct imap *imap, struct imap_command *command, uint64_t *ret_serial,
	const struct imap_reply **ret_refused, struct err *err);

/* Bytes of an open command: a literal, DONE. secret: never in the wire log, never buffered. */
bool session_write(struct imap *imap, const void *data, size_t len, struct err *err);
bool session_write_secret(struct imap *imap, const void *data, size_t len, struct err *err);

/* Was this command written completely? (APPEND: only after its literal) */
void session_set_whole(struct imap *imap, uint64_t serial, bool whole);

/* One reply, whatever it is. A tagged one: *ret_sent, which is then no longer in flight. */
bool session_step(struct imap *imap, struct sent *ret_sent, const struct imap_reply **ret_reply,
	struct err *err);

/* Go on until this command has its tagged reply. */
bool session_await(
	struct imap *imap, uint64_t serial, const struct imap_reply **ret_reply, struct err *err);

/* '+' for this command, or its tagged reply (then no longer in flight): look at the kind. */
bool session_go_ahead(
	struct imap *imap, uint64_t serial, const struct imap_reply **ret_reply, struct err *err);

/* Send one command and wait for its tagged reply, OK or not. listener may be NULL. */
bool session_run(struct imap *imap, struct imap_command *command, const struct listener *listener,
	const struct imap_reply **ret_reply, struct err *err);

/* The same, and anything but OK is an error. */
bool session_run_ok(struct imap *imap, struct imap_command *command,
	const struct listener *listener, struct err *err);

/* Bytes that were read and belong to no reply yet taken, in any layer. */
bool session_is_quiet(const struct imap *imap);

/* Untagged replies that the commands in flight asked for. */
void session_expect(struct imap *imap, uint64_t replies);

void session_listen(struct imap *imap, const struct listener *listener);     /* NULL: nobody */
void session_set_sink(struct imap *imap, const struct imap_body_sink *sink); /* NULL: none */

/* --- refusal.c: what a tagged reply means --- */

/* True for OK; else sets ERR_REFUSED or, where the same may work later, ERR_RETRY. */
bool reply_is_ok(const char *command, const struct imap_reply *reply, struct err *err);

/* Does its human text hold these words, in any case? Only where servers give no code. */
bool reply_has_words(const struct imap_reply *reply, const char *words);

/* The server is busy or throttles: the same may work later. */
bool reply_is_busy(const struct imap_reply *reply);

/* "command: what, server says: words" */
bool reply_error(const char *command, const char *what, const struct imap_reply *reply,
	enum err_kind kind, struct err *err);

/* --- capability.c --- */

/* From "* CAPABILITY" or [CAPABILITY]; does nothing for any other reply. */
void session_take_capabilities(struct imap *imap, const struct imap_reply *reply);
bool session_hear_capabilities(void *imap, const struct imap_reply *reply, struct err *err);

/* CAPABILITY, unless they are known. */
bool session_ask_capabilities(struct imap *imap, struct err *err);

/* --- auth.c, settle.c --- */

bool session_authenticate(struct imap *imap, const struct imap_login *login, struct err *err);

/* What follows login, in one round trip: ID, ENABLE, NAMESPACE (or LIST "" "" for the delimiter).
 */
bool session_setup(struct imap *imap, struct err *err);

/* --- append.c --- */

/* Keep the tagged reply of an APPEND for imap_append_result(). False: it belongs to none. */
bool append_take_reply(struct imap *imap, uint64_t serial, const struct imap_reply *reply);

#endif
