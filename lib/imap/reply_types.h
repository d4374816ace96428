/*
 * The parts of replies that callers of a session see: status and response code, attributes and
 * counts of a folder, one message's FETCH reply, and the sink for bodies.
 */
#ifndef MAILSTOW_IMAP_REPLY_TYPES_H
#define MAILSTOW_IMAP_REPLY_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/err.h"

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
	IMAP_FETCHED_BODY = 1 << 5,     /* BODY[] as literal or string, passed to the sink */
	IMAP_FETCHED_NIL_BODY = 1 << 6, /* BODY[] NIL */
	IMAP_FETCHED_HEADER = 1 << 7,   /* BODY[HEADER...] collected in header */
};

struct imap_fetch_reply {
	uint32_t has;      /* enum imap_fetched */
	uint32_t number;   /* message sequence number (UID for UIDFETCH) */
	uint32_t uid;      /* 1..2^32-1; 0 and larger numbers count as absent */
	const char *flags; /* canonical (imap/flags.h) */
	size_t bad_flags;  /* malformed flags, left out */
	size_t bad_items;  /* malformed numbers and dates, absent */
	struct zoned_time date;
	const char *date_text; /* INTERNALDATE as sent, NULL when absent */
	uint64_t size;         /* RFC822.SIZE: a hint; the literal's length is what counts */
	uint64_t modseq;
	uint64_t body_size; /* bytes that went to the sink */
	const char *header; /* BODY[HEADER.FIELDS ...], NUL-ended */
};

/*
 * Receives BODY[]. begin gets the announced size; end is called only after the last byte of a whole
 * literal. A function that fails ends the session. Without a sink, bodies are skipped.
 */
struct imap_body_sink {
	void *context;
	bool (*begin)(void *context, uint64_t size_bytes, struct err *err);
	bool (*data)(void *context, const uint8_t *data, size_t len, struct err *err);
	bool (*end)(void *context, struct err *err);
};

#endif
