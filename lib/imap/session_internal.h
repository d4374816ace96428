/*
 * What the files of this room share: the connection with its commands in flight, and the reply
 * loop.
 *
 * The loop: session_send() puts a command into the output buffer and into the table of commands in
 * flight. session_step() flushes, reads one reply and passes it to the listener. It accepts a
 * tagged reply only for a tag in the table, and an OK only for a command that was written
 * completely.
 *
 *	session_send()                        tagged reply
 *	   |                                  (session_step)
 *	   v          '+'                          ^
 *	 PARTIAL ----------> PARTIAL ...           |
 *	   |   `---- NO or BAD in place of '+' --->|
 *	   | last byte written                     |
 *	   v                                       |
 *	 WHOLE ----------------------------------->'
 */
#ifndef MAILSTOW_IMAP_SESSION_INTERNAL_H
#define MAILSTOW_IMAP_SESSION_INTERNAL_H

#include "base/str.h"
#include "imap/command_internal.h"
#include "imap/limits.h"
#include "imap/parse/reply.h"
#include "imap/session.h"
#include "net/stream.h"

enum {
	SESSION_IN_FLIGHT_MAX = IMAP_APPEND_IN_FLIGHT + IMAP_STATUS_IN_FLIGHT + 4,
	SESSION_WORDS_MAX = 200, /* bytes of a server's text in an error */
};

/* Receives replies while commands run; members may be NULL. False ends the session. */
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

/* An APPEND whose result the caller has not taken yet. */
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
	struct imap_body_sink sink; /* the caller's; exchange.c counts before passing bodies on */

	int silence_ms;            /* how long the server may be silent while a reply is due */
	int64_t waited_ms;         /* time spent reading since the last tagged reply */
	uint64_t received_bytes;   /* since the last tagged reply */
	uint64_t chatter_bytes;    /* the same without bodies, which go to the sink */
	uint64_t chatter_replies;  /* untagged replies since the last tagged one */
	uint64_t expected_replies; /* untagged replies that the commands in flight asked for */

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
	struct str_list other_prefixes; /* those of other users' and shared namespaces */

	bool selected;
	uint32_t exists;
	bool news;
	bool fetching; /* a command asked for FETCH replies: the listener tells news from answers */

	struct appended *appended; /* ring of IMAP_APPEND_IN_FLIGHT, NULL before the first */
	size_t appended_at;        /* the oldest */
	size_t appended_count;
};

/* --- session.c --- */

struct imap *session_new(struct stream *stream, const struct imap_login *login);

/* Drops everything the server said before the switch to TLS. */
void session_forget(struct imap *imap);

/* Starts a command with the form of literals that this server takes. */
void session_start(const struct imap *imap, struct imap_command *command, const char *name);

/* --- exchange.c: commands out, replies in --- */

/* The time allowed for a reply begins now. */
void session_begin_wait(struct imap *imap);

/*
 * Sends a command: into the output buffer, and onto the wire where it has to wait for '+' or holds
 * a secret. A NO or BAD in place of '+' is the tagged reply: *ret_refused holds it, and the command
 * is no longer in flight. ret_refused NULL: such a refusal is ERR_REFUSED.
 */
bool session_send(struct imap *imap, struct imap_command *command, uint64_t *ret_serial,
	const struct imap_reply **ret_refused, struct err *err);

/* Sends bytes of a command under way: a literal, DONE. The second keeps them out of the wire log
 * and of the output buffer. */
bool session_write(struct imap *imap, const void *data, size_t len, struct err *err);
bool session_write_secret(struct imap *imap, const void *data, size_t len, struct err *err);

/* Was this command written completely? (APPEND: only after its literal) */
void session_set_whole(struct imap *imap, uint64_t serial, bool whole);

/* Reads one reply of any kind. If it is tagged, *ret_sent is its command, no longer in flight. */
bool session_step(struct imap *imap, struct sent *ret_sent, const struct imap_reply **ret_reply,
	struct err *err);

/* Reads replies until this command has its tagged one. */
bool session_await(
	struct imap *imap, uint64_t serial, const struct imap_reply **ret_reply, struct err *err);

/* Reads replies until '+' or this command's tagged reply; the kind tells which. */
bool session_go_ahead(
	struct imap *imap, uint64_t serial, const struct imap_reply **ret_reply, struct err *err);

/* Sends one command and waits for its tagged reply, OK or not. listener may be NULL. */
bool session_run(struct imap *imap, struct imap_command *command, const struct listener *listener,
	const struct imap_reply **ret_reply, struct err *err);

/* The same; any reply but OK is an error. */
bool session_run_ok(struct imap *imap, struct imap_command *command,
	const struct listener *listener, struct err *err);

/* No layer holds bytes that were received and not yet parsed into a reply. */
bool session_is_quiet(const struct imap *imap);

/* Allows for so many more untagged replies: the commands in flight asked for them. */
void session_expect(struct imap *imap, uint64_t replies);

void session_listen(struct imap *imap, const struct listener *listener);     /* NULL: nobody */
void session_set_sink(struct imap *imap, const struct imap_body_sink *sink); /* NULL: none */

/* --- refusal.c: what a tagged reply means --- */

/* True for OK. Otherwise sets ERR_REFUSED, or ERR_RETRY if the same may work later. */
bool reply_is_ok(const char *command, const struct imap_reply *reply, struct err *err);

/* Does its human text hold these words, in any case? For servers that give no code. */
bool reply_has_words(const struct imap_reply *reply, const char *words);

/* Is the server busy or throttling, so that the same may work later? */
bool reply_is_busy(const struct imap_reply *reply);

/* "command: what, server says: words". Returns false. */
bool reply_error(const char *command, const char *what, const struct imap_reply *reply,
	enum err_kind kind, struct err *err);

/* --- capability.c --- */

/* Takes the capabilities of "* CAPABILITY" or [CAPABILITY]; ignores any other reply. */
void session_take_capabilities(struct imap *imap, const struct imap_reply *reply);
bool session_hear_capabilities(void *imap, const struct imap_reply *reply, struct err *err);

/* Sends CAPABILITY unless the capabilities are known. */
bool session_ask_capabilities(struct imap *imap, struct err *err);

/* --- sasl/auth.c, session_setup.c --- */

/* AUTHENTICATE or LOGIN, by the best mechanism that both sides allow. */
bool session_authenticate(struct imap *imap, const struct imap_login *login, struct err *err);

/* After login, in one round trip: ID, ENABLE, NAMESPACE (or LIST "" "" for the delimiter). */
bool session_setup(struct imap *imap, struct err *err);

/* --- append_ring.c: APPENDs whose results were not taken, at most IMAP_APPEND_IN_FLIGHT --- */

struct appended *append_ring_add(struct imap *imap, uint64_t serial, uint64_t size_bytes);
struct appended *append_ring_at(struct imap *imap, size_t i); /* 0: the oldest */
void append_ring_drop_oldest(struct imap *imap);

/* Bytes of the APPENDs whose tagged reply is still due. */
uint64_t append_ring_bytes_due(struct imap *imap);

/* Keeps the tagged reply of an APPEND as its result. False: the reply is for another command. */
bool append_ring_take_reply(struct imap *imap, uint64_t serial, const struct imap_reply *reply);

#endif
