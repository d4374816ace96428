/*
 * One IMAP connection: connect, secure, log in, and the commands mailstow needs. Straight-line,
 * blocking with deadlines, one owner at a time. Never asks for ENVELOPE or BODYSTRUCTURE.
 *
 * A sink or source that a call is given must not use the session, and what it fails with ends the
 * session.
 *
 * Errors: ERR_REFUSED (tagged NO or BAD to this command: the session goes on), ERR_AUTH,
 * ERR_SECURITY, ERR_RETRY (connection lost, BYE, [UNAVAILABLE] [LIMIT] [INUSE] and throttling),
 * ERR_PROTOCOL, ERR_CANCELLED. After any but ERR_REFUSED the session is only good for
 * imap_freep(). Texts name the command, and the server's words after "server says: ".
 */
#ifndef MAILSTOW_IMAP_SESSION_H
#define MAILSTOW_IMAP_SESSION_H

#include <stdio.h>

#include "base/rangeset.h"
#include "base/wait.h"
#include "imap/parse/reply.h"

struct imap; /* a session */

enum imap_tls { IMAP_TLS_IMPLICIT, IMAP_TLS_STARTTLS, IMAP_TLS_OFF };
enum imap_auth { IMAP_AUTH_AUTO, IMAP_AUTH_PLAIN, IMAP_AUTH_LOGIN, IMAP_AUTH_SCRAM_SHA_256 };

/* How long a server is waited for; limits.h has the values. */
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
	const struct imap_patience *patience; /* NULL: that of limits.h (tests are in a hurry) */
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
 * Connect, TLS, greeting, capabilities, authentication, capabilities again, ID, ENABLE QRESYNC or
 * CONDSTORE, NAMESPACE. No byte of a credential leaves before the stream is secure (except with
 * IMAP_TLS_OFF). PREAUTH is refused. A wrong password is ERR_AUTH and is not tried with another
 * mechanism.
 */
bool imap_connect(const struct imap_login *login, struct imap **ret_imap, struct err *err);

/* The same on a stream that is already there and counts as it is (tests). Takes the stream. */
struct stream;
bool imap_connect_over(struct stream *stream, const struct imap_login *login,
	struct imap **ret_imap, struct err *err);

/* Say LOGOUT, wait a little for BYE, close. NULL is allowed. */
void imap_logout(struct imap **imap);
/* Close at once. */
void imap_freep(struct imap **imap);

uint32_t imap_caps(const struct imap *imap);      /* enum imap_cap, as after login */
const char *imap_prefix(const struct imap *imap); /* personal namespace, "" when none */
char imap_delimiter(const struct imap *imap);     /* of the personal namespace, 0 when unknown */
bool imap_qresync_enabled(const struct imap *imap);
bool imap_condstore(const struct imap *imap); /* MODSEQ can be asked for */

struct imap_folder {
	char *path; /* UTF-8, '/' (imap/name.h) */
	char *wire_name;
	char delimiter;      /* 0: none */
	uint32_t attributes; /* enum imap_attribute */
	char *attribute_text;
	char *special_use; /* NULL: none */
	bool subscribed;
	struct imap_counts counts; /* from LIST-STATUS or STATUS; has == 0: not known */
	bool refused;              /* STATUS was refused: text in refusal */
	char *refusal;
};

struct imap_folders {
	struct imap_folder *items; /* sorted by path */
	size_t count;
	size_t cap;
};
void imap_folders_free(struct imap_folders *folders); /* also for CLEANUP() */

/*
 * All folders of the personal namespace, with subscriptions and special use by the best means
 * offered (one LIST with RETURN options, or LIST and LSUB), and their counts (LIST-STATUS, or
 * pipelined STATUS commands when want_counts; \Noselect ones are left out of those). The selected
 * folder's counts may be missing on servers that forbid STATUS of it.
 */
bool imap_list(
	struct imap *imap, bool want_counts, struct imap_folders *ret_folders, struct err *err);

struct imap_examined {
	uint32_t uidvalidity; /* 0: the server gave none (not usable: the caller refuses) */
	uint32_t uidnext;     /* 0: not given */
	uint32_t exists;
	uint64_t highestmodseq; /* 0: NOMODSEQ or not given */
	char *permanent_flags;  /* canonical text, may hold "\*"; NULL: not given */
	bool read_only;
};
void imap_examined_free(struct imap_examined *examined); /* also for CLEANUP() */

/* What a series of FETCH and VANISHED replies is told to. Members may be NULL. */
struct imap_fetch_sink {
	void *context;
	struct imap_body_sink body;
	/* A FETCH reply is complete (also unsolicited ones: check has and uid). */
	bool (*fetched)(void *context, const struct imap_fetch_reply *fetch, struct err *err);
	bool (*vanished)(void *context, const struct rangeset *uids, bool earlier, struct err *err);
	/* A range's tagged reply came. ok false: refused with that text; the others go on. */
	bool (*range_done)(void *context, const struct rangeset *uids, bool ok, const char *text,
		struct err *err);
};

struct imap_qresync {
	uint32_t uidvalidity;
	uint64_t modseq;
	const struct rangeset *known_uids; /* NULL: not sent */
};

/*
 * EXAMINE, with QRESYNC parameters when given (imap_qresync_enabled() only), else CONDSTORE where
 * offered. FETCH and VANISHED (EARLIER) of a QRESYNC answer go to sink. A referral is ERR_REFUSED.
 */
bool imap_examine(struct imap *imap, const char *wire_name, const struct imap_qresync *qresync,
	const struct imap_fetch_sink *sink, struct imap_examined *ret_examined, struct err *err);

/* SELECT, for a restore that must STORE or look. */
bool imap_select(struct imap *imap, const char *wire_name, struct imap_examined *ret_examined,
	struct err *err);

/* UNSELECT (or nothing when not offered: never CLOSE, which expunges after SELECT). */
bool imap_unselect(struct imap *imap, struct err *err);

/* Untagged news about the selected folder since the last call (EXISTS grew, EXPUNGE, VANISHED, an
 * unsolicited FETCH): "dirty, compare again". */
bool imap_take_news(struct imap *imap);

/* UIDs of all messages of the selected folder: UID SEARCH ALL, ESEARCH where offered. ERR_PROTOCOL:
 * far more than there are, or none where there were and are some. */
bool imap_search_all(struct imap *imap, struct rangeset *ret_uids, struct err *err);

/* UIDs of messages whose Message-ID header holds this text (restore, without UIDPLUS). */
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
	uint64_t changed_since;  /* 0: none; with QRESYNC also asks VANISHED when set */
	uint64_t messages;       /* of uids, so many exist at most; 0: each does */
};

/*
 * UID FETCH in ranges of bounded size (by message count and IMAP_COMMAND_BYTES_MAX), keeping
 * IMAP_FETCH_IN_FLIGHT commands sent ahead. True when every range got its tagged reply. A set whose
 * last number is 4294967295 is sent as "n:*" and is one range. [UNAVAILABLE] is refusal of that
 * range, as one poisoned message may be its cause; other words for "later" are ERR_RETRY.
 */
bool imap_fetch(struct imap *imap, const struct imap_fetch *fetch,
	const struct imap_fetch_sink *sink, struct err *err);

/* --- IDLE (RFC 2177): started by one owner, waited for by another, ended by a third --- */

bool imap_idle_start(struct imap *imap, struct err *err); /* sends IDLE, waits for '+' */

/*
 * Read what is there without waiting. *ret_news: something changed in the folder. Keep-alives
 * ("* OK Still here") are no news. True with the session fit to wait on.
 */
bool imap_idle_drain(struct imap *imap, bool *ret_news, struct err *err);

/* Send DONE and wait for the tagged reply. News that came meanwhile: imap_take_news(). */
bool imap_idle_done(struct imap *imap, struct err *err);

int imap_fd(const struct imap *imap);

/* Every layer is empty: the session may wait in poll(2). Releases buffers. */
bool imap_park(struct imap *imap);

bool imap_noop(struct imap *imap, struct err *err);

/* --- writing: restore only --- */

struct imap_append {
	const char *wire_name;
	const char *flags; /* canonical text; what may not be sent is left out by the caller */
	const struct zoned_time *date; /* NULL: the server's now */
	uint64_t size_bytes;
	/* Called until size_bytes were given; *ret_data is the caller's, *ret_len > 0. */
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
 * Send one APPEND without waiting for its tagged reply. Non-synchronising literals only where
 * LITERAL+ (or LITERAL- and at most 4096 bytes) is offered; otherwise waits for '+', and a NO or
 * BAD in its place becomes this append's result. The caller takes results in order with
 * imap_append_result(); at most IMAP_APPEND_IN_FLIGHT may be out.
 */
bool imap_append_send(struct imap *imap, const struct imap_append *append, struct err *err);
size_t imap_append_pending(const struct imap *imap);
bool imap_append_result(struct imap *imap, struct imap_append_result *ret_result, struct err *err);

/* special_use NULL: plain CREATE; sent as USE only where offered. Existing: ERR_REFUSED with
 * *ret_exists when the server says ALREADYEXISTS (or words of it). */
bool imap_create(struct imap *imap, const char *wire_name, const char *special_use,
	bool *ret_exists, struct err *err);
bool imap_subscribe(struct imap *imap, const char *wire_name, struct err *err);

/* UID STORE uid +FLAGS.SILENT (flags). */
bool imap_store_flags(struct imap *imap, uint32_t uid, const char *flags, struct err *err);

#endif
