/*
 * Typed replies: tokens in, one struct imap_reply for each response line out. Pure, no I/O.
 *
 * The reply belongs to the parser and is valid until the next call. BODY[] of a FETCH is not
 * collected: it is handed to the body sink as it streams, before the reply is complete (its UID may
 * come before or after). Everything else is collected within the limits of imap/limits.h.
 *
 * Tolerance (pains-and-quirks as tests): unknown untagged responses and FETCH items are skipped
 * with their literals; FETCH items in any order; empty SEARCH; trailing blanks; "* OK [CODE]"
 * without text; NIL where a string may be; numbers over range make the item absent and counted.
 */
#ifndef MAILSTOW_IMAP_PARSE_REPLY_H
#define MAILSTOW_IMAP_PARSE_REPLY_H

#include "base/clock.h"
#include "base/rangeset.h"
#include "imap/flags.h"
#include "imap/limits.h"
#include "imap/parse/scan.h"

enum imap_reply_kind {
	IMAP_TAGGED,     /* status, tag, code, text */
	IMAP_STATUS,     /* untagged OK, NO, BAD, BYE, PREAUTH: status, code, text */
	IMAP_CONTINUE,   /* "+": text */
	IMAP_CAPABILITY, /* words */
	IMAP_ENABLED,    /* words */
	IMAP_LIST,       /* list (LIST and LSUB) */
	IMAP_STATUS_OF,  /* "* STATUS mailbox (...)": name, counts */
	IMAP_NAMESPACE,  /* namespace: the first personal one; words: others' prefixes */
	IMAP_FLAGS,      /* flags */
	IMAP_SEARCH,     /* set, modseq */
	IMAP_ESEARCH,    /* set, uids, modseq; tag of the command, "" when not said */
	IMAP_EXISTS,     /* number */
	IMAP_RECENT,     /* number */
	IMAP_EXPUNGE,    /* number */
	IMAP_VANISHED,   /* set, earlier */
	IMAP_FETCH,      /* fetch; also UIDFETCH */
	IMAP_ID,         /* words: name, value, name, value, ... */
	IMAP_OTHER,      /* anything unknown, skipped; also a line that is no response at all */
};

enum imap_status { IMAP_OK, IMAP_NO, IMAP_BAD, IMAP_BYE, IMAP_PREAUTH };

enum imap_code {
	IMAP_CODE_NONE,
	IMAP_CODE_OTHER, /* code_name says which */
	IMAP_CODE_ALERT,
	IMAP_CODE_CAPABILITY,    /* words */
	IMAP_CODE_UIDVALIDITY,   /* number */
	IMAP_CODE_UIDNEXT,       /* number */
	IMAP_CODE_HIGHESTMODSEQ, /* number */
	IMAP_CODE_NOMODSEQ,
	IMAP_CODE_PERMANENTFLAGS, /* flags */
	IMAP_CODE_READ_ONLY,
	IMAP_CODE_READ_WRITE,
	IMAP_CODE_CLOSED,
	IMAP_CODE_APPENDUID, /* number = UIDVALIDITY, set = UIDs */
	IMAP_CODE_TRYCREATE,
	IMAP_CODE_AUTHENTICATIONFAILED,
	IMAP_CODE_AUTHORIZATIONFAILED,
	IMAP_CODE_UNAVAILABLE,
	IMAP_CODE_LIMIT,
	IMAP_CODE_INUSE,
	IMAP_CODE_OVERQUOTA,
	IMAP_CODE_ALREADYEXISTS,
	IMAP_CODE_NONEXISTENT,
	IMAP_CODE_CANNOT,
	IMAP_CODE_TOOBIG,
	IMAP_CODE_REFERRAL, /* never followed */
};

enum imap_attribute {
	IMAP_ATTR_NOSELECT = 1 << 0, /* also \NonExistent */
	IMAP_ATTR_NONEXISTENT = 1 << 1,
	IMAP_ATTR_NOINFERIORS = 1 << 2,
	IMAP_ATTR_SUBSCRIBED = 1 << 3,
	IMAP_ATTR_HAS_CHILDREN = 1 << 4,
	IMAP_ATTR_HAS_NO_CHILDREN = 1 << 5,
};

struct imap_list_entry {
	uint32_t attributes; /* enum imap_attribute */
	/* "\Sent" in RFC case (RFC 6154, \All \Archive \Drafts \Flagged \Junk \Sent \Trash
	 * \Important), NULL: none; the first of several. */
	const char *special_use;
	const char *attribute_text; /* all attributes as sent, blank-separated, NUL-ended */
	char delimiter;             /* 0: NIL */
	const char *name;           /* as on the wire, unquoted, NUL-ended */
};

enum imap_count {
	IMAP_HAS_MESSAGES = 1 << 0,
	IMAP_HAS_UIDNEXT = 1 << 1,
	IMAP_HAS_UIDVALIDITY = 1 << 2,
	IMAP_HAS_HIGHESTMODSEQ = 1 << 3,
	IMAP_HAS_UNSEEN = 1 << 4,
};

struct imap_counts {
	uint32_t has; /* enum imap_count */
	uint32_t messages;
	uint32_t uidnext;
	uint32_t uidvalidity;
	uint32_t unseen;
	uint64_t highestmodseq;
};

enum imap_fetched {
	IMAP_FETCHED_UID = 1 << 0,
	IMAP_FETCHED_FLAGS = 1 << 1,
	IMAP_FETCHED_DATE = 1 << 2, /* date is valid */
	IMAP_FETCHED_SIZE = 1 << 3,
	IMAP_FETCHED_MODSEQ = 1 << 4,
	IMAP_FETCHED_BODY = 1 << 5, /* BODY[] came, as literal or string, and went to the sink */
	IMAP_FETCHED_NIL_BODY = 1 << 6, /* BODY[] NIL */
	IMAP_FETCHED_HEADER = 1 << 7,   /* BODY[HEADER...] collected in header */
};

struct imap_fetch_reply {
	uint32_t has;      /* enum imap_fetched */
	uint32_t number;   /* message sequence number (UID for UIDFETCH) */
	uint32_t uid;      /* 1..2^32-1; 0 and too large count as absent */
	const char *flags; /* canonical (imap/flags.h) */
	size_t bad_flags;  /* that were left out */
	size_t bad_items;  /* numbers and dates that could not be used, so are absent */
	struct zoned_time date;
	const char *date_text; /* INTERNALDATE as sent, NULL when absent */
	uint64_t size;         /* RFC822.SIZE: a hint, the literal's length is the truth */
	uint64_t modseq;
	uint64_t body_size; /* bytes that went to the sink */
	const char *header; /* BODY[HEADER.FIELDS ...], NUL-ended */
};

struct imap_reply {
	enum imap_reply_kind kind;
	const char *tag;
	enum imap_status status;
	enum imap_code code;
	const char *code_name; /* upper case, "" when none */
	const char *text;      /* raw; print it with str_printable() */
	uint64_t number;
	uint64_t modseq;
	bool earlier;      /* VANISHED (EARLIER) */
	bool uids;         /* ESEARCH: the set holds UIDs */
	const char *flags; /* canonical; PERMANENTFLAGS may hold "\*" */
	const char *const *words;
	size_t words_count;
	const struct rangeset *set; /* never NULL */
	struct imap_list_entry list;
	const char *name; /* STATUS: mailbox on the wire */
	struct imap_counts counts;
	const char *namespace_prefix; /* NULL: NIL */
	char namespace_delimiter;
	struct imap_fetch_reply fetch;
};

/*
 * Where BODY[] goes. begin gets the announced size; end comes only after the last byte of a whole
 * literal. Each may fail, which ends the session. With no sink bodies are skipped.
 */
struct imap_body_sink {
	void *context;
	bool (*begin)(void *context, uint64_t size_bytes, struct err *err);
	bool (*data)(void *context, const uint8_t *data, size_t len, struct err *err);
	bool (*end)(void *context, struct err *err);
};

struct imap_parser; /* private */

struct imap_parser *imap_parser_new(void);
void imap_parser_freep(struct imap_parser **parser);
void imap_parser_set_sink(struct imap_parser *parser, const struct imap_body_sink *sink);

/*
 * Use bytes until a reply is complete. *ret_reply is NULL when more are needed (then *ret_used ==
 * len). False: ERR_PROTOCOL (or the sink's error); the session is over.
 */
bool imap_parser_feed(struct imap_parser *parser, const uint8_t *data, size_t len, size_t *ret_used,
	const struct imap_reply **ret_reply, struct err *err);

/* As scan_literal_left(): lets the caller keep literals out of the wire log. */
uint64_t imap_parser_literal_left(const struct imap_parser *parser);

/* No byte of an unfinished reply is held. */
bool imap_parser_is_empty(const struct imap_parser *parser);

#endif
