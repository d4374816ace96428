/*
 * Typed replies: tokens in, one struct imap_reply for each response out. Pure, no I/O.
 *
 * The reply belongs to the parser and is valid until the next call. The parser does not collect
 * BODY[] of a FETCH: it passes the bytes to the body sink as they arrive, before the reply is
 * complete (the UID may come before or after). It collects everything else, within the limits of
 * imap/limits.h.
 *
 * Tolerates: unknown untagged responses and FETCH items, skipped with their literals; FETCH items
 * in any order; empty SEARCH; trailing blanks; "* OK [CODE]" without text; NIL in place of a
 * string; numbers out of range, which make the item absent and counted.
 */
#ifndef MAILSTOW_IMAP_PARSE_REPLY_H
#define MAILSTOW_IMAP_PARSE_REPLY_H

#include "base/rangeset.h"
#include "imap/reply_types.h"

enum imap_reply_kind {
	IMAP_TAGGED,     /* status, tag, code, text */
	IMAP_STATUS,     /* untagged OK, NO, BAD, BYE, PREAUTH: status, code, text */
	IMAP_CONTINUE,   /* "+": text */
	IMAP_CAPABILITY, /* words */
	IMAP_ENABLED,    /* words */
	IMAP_LIST,       /* list (LIST and LSUB) */
	IMAP_STATUS_OF,  /* "* STATUS mailbox (...)": name, counts */
	IMAP_NAMESPACE,  /* namespace: the first personal one; words: prefixes of the others */
	IMAP_FLAGS,      /* flags */
	IMAP_SEARCH,     /* set, modseq */
	IMAP_ESEARCH,    /* set, uids, modseq; tag of the command, "" when not given */
	IMAP_EXISTS,     /* number */
	IMAP_RECENT,     /* number */
	IMAP_EXPUNGE,    /* number */
	IMAP_VANISHED,   /* set, earlier */
	IMAP_FETCH,      /* fetch; also UIDFETCH */
	IMAP_ID,         /* words: name, value, name, value, ... */
	IMAP_OTHER,      /* unknown, skipped; also a line that is no response at all */
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

struct imap_parser; /* private */

struct imap_parser *imap_parser_new(void);
void imap_parser_freep(struct imap_parser **parser);
void imap_parser_set_sink(struct imap_parser *parser, const struct imap_body_sink *sink);

/*
 * Takes bytes until a reply is complete. *ret_reply is NULL if it needs more (then *ret_used ==
 * len). False: ERR_PROTOCOL or the sink's error; the session is over.
 */
bool imap_parser_feed(struct imap_parser *parser, const uint8_t *data, size_t len, size_t *ret_used,
	const struct imap_reply **ret_reply, struct err *err);

/* Bytes left of the literal under way, so that the caller can keep it out of the wire log. */
uint64_t imap_parser_literal_left(const struct imap_parser *parser);

/* The parser holds no byte of an unfinished reply. */
bool imap_parser_is_empty(const struct imap_parser *parser);

#endif
