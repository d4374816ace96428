/*
 * One IMAP connection: connecting, TLS, login, and the commands mailstow needs. Calls are
 * straight-line and block, with deadlines; one owner uses a session at a time. Never asks for
 * ENVELOPE or BODYSTRUCTURE.
 *
 *	                imap_examine(), imap_select()
 *	imap_connect() --> LOGGED IN ---------------> SELECTED (again: the next folder)
 *	                       ^                         |
 *	                       +---- imap_unselect(), ---+
 *	                             refused EXAMINE
 *
 *	either --imap_idle_start()--> IDLING --imap_idle_done()--> as before
 *	any    --imap_park()--> the same without buffers; the next call allocates them again
 *
 * Any error but ERR_REFUSED, and imap_logout(), end the session.
 *
 * A sink or source given to a call must not use the session. If it fails, its error ends the
 * session.
 *
 * Errors: ERR_REFUSED (tagged NO or BAD to this command: the session goes on), ERR_AUTH,
 * ERR_SECURITY, ERR_RETRY (connection lost, BYE, [UNAVAILABLE] [LIMIT] [INUSE] and throttling),
 * ERR_PROTOCOL, ERR_CANCELLED. After any but ERR_REFUSED only imap_freep() may follow. Texts name
 * the command and quote the server after "server says: ".
 */
#ifndef MAILSTOW_IMAP_SESSION_H
#define MAILSTOW_IMAP_SESSION_H

#include <stdio.h>

#include "base/rangeset.h"
#include "base/wait.h"
#include "imap/flags.h"
#include "imap/limits.h"
#include "imap/reply_types.h"

struct imap; /* a session */

enum imap_tls { IMAP_TLS_IMPLICIT, IMAP_TLS_STARTTLS, IMAP_TLS_OFF };
enum imap_auth { IMAP_AUTH_AUTO, IMAP_AUTH_PLAIN, IMAP_AUTH_LOGIN, IMAP_AUTH_SCRAM_SHA_256 };

/* How long to wait for a server; limits.h has the values. */
struct imap_patience {
	int greeting_ms;
	int reply_ms;   /* of silence */
	int command_ms; /* for a tagged reply, with IMAP_PROGRESS_BYTES_PER_S */
	int idle_done_ms;
	int logout_ms;
};

struct imap_login {
	const char *host;
	uint16_t port;
	enum imap_tls tls;      /* OFF: loopback hosts only, else ERR_SECURITY */
	const char *ca_file;    /* NULL: the system's */
	const char *pin_sha256; /* NULL: none */
	enum imap_auth auth;
	const char *user;
	const char *act_for;                  /* SASL authzid; NULL: none */
	const char *password;                 /* read only during imap_connect(), never kept */
	FILE *wire_log;                       /* NULL: none; must outlive the session */
	const struct cancel *cancel;          /* NULL: none; must outlive the session */
	const struct imap_patience *patience; /* NULL: limits.h; tests use shorter times */
};

enum imap_cap {
	IMAP_CAP_SASL_IR = 1 << 0,
	IMAP_CAP_LITERAL_PLUS = 1 << 1,
	IMAP_CAP_LITERAL_MINUS = 1 << 2,
	IMAP_CAP_ID = 1 << 3,
	IMAP_CAP_ENABLE = 1 << 4,
	IMAP_CAP_NAMESPACE = 1 << 5,
	IMAP_CAP_LIST_EXTENDED = 1 << 6,
	IMAP_CAP_LIST_STATUS = 1 << 7,
	IMAP_CAP_SPECIAL_USE = 1 << 8,
	IMAP_CAP_CREATE_SPECIAL_USE = 1 << 9,
	IMAP_CAP_CONDSTORE = 1 << 10,
	IMAP_CAP_QRESYNC = 1 << 11,
	IMAP_CAP_UIDPLUS = 1 << 12,
	IMAP_CAP_ESEARCH = 1 << 13,
	IMAP_CAP_IDLE = 1 << 14,
	IMAP_CAP_MULTIAPPEND = 1 << 15,
	IMAP_CAP_UNSELECT = 1 << 16,
	IMAP_CAP_STARTTLS = 1 << 17,
	IMAP_CAP_LOGINDISABLED = 1 << 18,
	IMAP_CAP_NOTIFY = 1 << 19,
	IMAP_CAP_IMAP4REV2 = 1 << 20,
};

/*
 * Connects and logs in: TLS, greeting, capabilities, authentication, capabilities again, ID, ENABLE
 * QRESYNC or CONDSTORE, NAMESPACE. Sends no byte of a credential before the stream is secure
 * (except with IMAP_TLS_OFF). Refuses PREAUTH. A refused password is ERR_AUTH; no other mechanism
 * is tried with it.
 */
bool imap_connect(const struct imap_login *login, struct imap **ret_imap, struct err *err);

/* The same over an open stream, whose security is taken as it is (tests). Takes the stream. */
struct stream;
bool imap_connect_over(struct stream *stream, const struct imap_login *login,
	struct imap **ret_imap, struct err *err);

/* Sends LOGOUT, waits up to logout_ms for BYE, closes. NULL is allowed. */
void imap_logout(struct imap **imap);
/* Closes at once. */
void imap_freep(struct imap **imap);

uint32_t imap_caps(const struct imap *imap);      /* enum imap_cap, as known after login */
const char *imap_prefix(const struct imap *imap); /* personal namespace, "" when none */
char imap_delimiter(const struct imap *imap);     /* of the personal namespace, 0 when unknown */
bool imap_qresync_enabled(const struct imap *imap);
bool imap_condstore(const struct imap *imap); /* the server knows MODSEQ */

struct imap_folder {
	char *path; /* UTF-8, '/' (imap/name.h) */
	char *wire_name;
	char delimiter;      /* 0: none */
	uint32_t attributes; /* enum imap_attribute */
	char *attribute_text;
	char *special_use; /* NULL: none */
	bool subscribed;
	struct imap_counts counts; /* from LIST-STATUS or STATUS; has == 0: not known */
	bool refused;              /* STATUS was refused; refusal has the server's text */
	char *refusal;
};

struct imap_folders {
	struct imap_folder *items; /* sorted by path */
	size_t count;
	size_t cap;
};
void imap_folders_free(struct imap_folders *folders); /* also for CLEANUP() */

/*
 * Lists all folders of the personal namespace with subscriptions and special use, by the best means
 * offered (one LIST with RETURN options, or LIST and LSUB). want_counts adds their counts, by
 * LIST-STATUS or by pipelined STATUS commands, except of \Noselect folders. The selected folder's
 * counts may be missing on servers that forbid STATUS of it.
 */
bool imap_list(
	struct imap *imap, bool want_counts, struct imap_folders *ret_folders, struct err *err);

struct imap_examined {
	uint32_t uidvalidity; /* 0: the server gave none, so the caller cannot use the folder */
	uint32_t uidnext;     /* 0: not given */
	uint32_t exists;
	uint64_t highestmodseq; /* 0: NOMODSEQ or not given */
	char *permanent_flags;  /* canonical text, may hold "\*"; NULL: not given */
	bool read_only;
};
void imap_examined_free(struct imap_examined *examined); /* also for CLEANUP() */

/* Receives a series of FETCH and VANISHED replies. Members may be NULL. */
struct imap_fetch_sink {
	void *context;
	struct imap_body_sink body;
	/* A FETCH reply is complete. May be unsolicited: check has and uid. */
	bool (*fetched)(void *context, const struct imap_fetch_reply *fetch, struct err *err);
	bool (*vanished)(void *context, const struct rangeset *uids, bool earlier, struct err *err);
	/* A range's tagged reply came. ok false: refused with that text; other ranges go on. */
	bool (*range_done)(void *context, const struct rangeset *uids, bool ok, const char *text,
		struct err *err);
};

struct imap_qresync {
	uint32_t uidvalidity;
	uint64_t modseq;
	const struct rangeset *known_uids; /* NULL: not sent */
};

/*
 * EXAMINE, with QRESYNC parameters if given (imap_qresync_enabled() only), else with CONDSTORE
 * where offered. Passes FETCH and VANISHED (EARLIER) of a QRESYNC answer to sink. A referral is
 * ERR_REFUSED.
 */
bool imap_examine(struct imap *imap, const char *wire_name, const struct imap_qresync *qresync,
	const struct imap_fetch_sink *sink, struct imap_examined *ret_examined, struct err *err);

/* SELECT, for a restore, which has to STORE. */
bool imap_select(struct imap *imap, const char *wire_name, struct imap_examined *ret_examined,
	struct err *err);

/* UNSELECT. Does nothing where it is not offered: CLOSE would expunge after SELECT. */
bool imap_unselect(struct imap *imap, struct err *err);

/* Did the selected folder change since the last call (EXISTS differs, EXPUNGE, VANISHED, an
 * unsolicited FETCH)? Then the caller has to compare it again. */
bool imap_take_news(struct imap *imap);

/* UIDs of all messages in the selected folder: UID SEARCH ALL, ESEARCH where offered. ERR_PROTOCOL:
 * far more UIDs than messages, or none although the folder has messages. */
bool imap_search_all(struct imap *imap, struct rangeset *ret_uids, struct err *err);

/* UIDs of messages whose Message-ID header holds this text (restore on servers without UIDPLUS). */
bool imap_search_message_id(
	struct imap *imap, const char *message_id, struct rangeset *ret_uids, struct err *err);

enum imap_item {
	IMAP_ITEM_FLAGS = 1 << 0,
	IMAP_ITEM_DATE = 1 << 1,
	IMAP_ITEM_SIZE = 1 << 2,
	IMAP_ITEM_MODSEQ = 1 << 3,     /* left out where CONDSTORE is not offered */
	IMAP_ITEM_BODY = 1 << 4,       /* BODY.PEEK[] */
	IMAP_ITEM_MESSAGE_ID = 1 << 5, /* BODY.PEEK[HEADER.FIELDS (MESSAGE-ID)] */
	IMAP_ITEM_SUMMARY = 1 << 6,    /* the same of FROM, SUBJECT, DATE and MESSAGE-ID */
};

struct imap_fetch {
	const struct rangeset *uids;
	uint32_t items;          /* enum imap_item; UID always */
	uint32_t range_messages; /* 0: IMAP_FETCH_RANGE_MESSAGES */
	uint64_t changed_since;  /* 0: none; with QRESYNC enabled also asks for VANISHED */
	uint64_t messages;       /* at most so many of uids exist; 0: all may */
};

/*
 * UID FETCH in ranges of limited size (by message count and IMAP_COMMAND_BYTES_MAX), keeping
 * IMAP_FETCH_IN_FLIGHT commands in flight. True when every range got its tagged reply. A set whose
 * last number is 4294967295 is sent as "n:*" and is one range. [UNAVAILABLE] refuses only that
 * range, as one broken message may cause it; other replies that mean "later" are ERR_RETRY.
 */
bool imap_fetch(struct imap *imap, const struct imap_fetch *fetch,
	const struct imap_fetch_sink *sink, struct err *err);

/* --- IDLE (RFC 2177). The owner may change between these calls --- */

bool imap_idle_start(struct imap *imap, struct err *err); /* sends IDLE, waits for '+' */

/*
 * Reads what has arrived without waiting. *ret_news: the folder changed. Keep-alives ("* OK Still
 * here") are no news. After true the session may wait further.
 */
bool imap_idle_drain(struct imap *imap, bool *ret_news, struct err *err);

/* Sends DONE and waits for the tagged reply. imap_take_news() has the news that came meanwhile. */
bool imap_idle_done(struct imap *imap, struct err *err);

int imap_fd(const struct imap *imap);

/* Releases the buffers so that the session can wait in poll(2). False: a layer still holds bytes,
 * and nothing was released. */
bool imap_park(struct imap *imap);

bool imap_noop(struct imap *imap, struct err *err);

/* --- writing: restore only --- */

struct imap_append {
	const char *wire_name;
	const char *flags; /* canonical text; the caller has left out what may not be sent */
	const struct zoned_time *date; /* NULL: the server's clock */
	uint64_t size_bytes;
	/* Called until it has given size_bytes; it owns *ret_data, *ret_len > 0. */
	bool (*read)(void *context, const uint8_t **ret_data, size_t *ret_len, struct err *err);
	void *context;
};

struct imap_append_result {
	enum imap_status status; /* OK, NO or BAD */
	enum imap_code code;
	uint32_t uidvalidity; /* 0: no APPENDUID */
	uint32_t uid;
	char text[256]; /* printable */
};

/*
 * Sends one APPEND without waiting for its tagged reply. Uses a non-synchronising literal only
 * where LITERAL+ (or LITERAL- and at most 4096 bytes) is offered; otherwise waits for '+', and a NO
 * or BAD in its place becomes this APPEND's result. The caller takes the results in order with
 * imap_append_result(); at most IMAP_APPEND_IN_FLIGHT may be pending.
 */
bool imap_append_send(struct imap *imap, const struct imap_append *append, struct err *err);
size_t imap_append_pending(const struct imap *imap);
bool imap_append_result(struct imap *imap, struct imap_append_result *ret_result, struct err *err);

/* special_use NULL: plain CREATE; otherwise sent as USE where offered. A folder that exists is
 * ERR_REFUSED with *ret_exists, if the server says ALREADYEXISTS or the same in words. */
bool imap_create(struct imap *imap, const char *wire_name, const char *special_use,
	bool *ret_exists, struct err *err);
bool imap_subscribe(struct imap *imap, const char *wire_name, struct err *err);

/* UID STORE uid +FLAGS.SILENT (flags). */
bool imap_store_flags(struct imap *imap, uint32_t uid, const char *flags, struct err *err);

#endif
