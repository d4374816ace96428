/*
 * How a response becomes a reply: the tokens of one line are collected (bodies go to the sink
 * instead), and at the end of the line they are read from the first to the last. Only
 * lib/imap/reply*.c include this.
 */
#ifndef MAILSTOW_IMAP_REPLY_INTERNAL_H
#define MAILSTOW_IMAP_REPLY_INTERNAL_H

#include "imap/reply.h"

/* A collected token. Literals stand as SCAN_STRING, a body as SCAN_LITERAL. */
struct reply_token {
	enum scan_kind kind;
	uint32_t at; /* of the text in struct imap_parser's strings; NUL-ended */
	uint32_t len;
};

struct imap_parser {
	struct scan scan;
	struct imap_body_sink sink;
	bool has_sink;

	struct reply_token *tokens;
	size_t count;
	size_t cap;
	size_t read; /* the next one to read */
	struct buf strings;

	uint64_t literal_size; /* of the literal under way */
	bool collecting;       /* it is a string */
	bool in_body;          /* it goes to the sink */
	bool body_seen;        /* in this response */
	uint64_t body_size;

	struct imap_reply reply;
	struct rangeset set;
	struct flag_set flags;
	char *flags_text;
	struct buf attributes;
	const char **words;
	size_t words_cap;
};

/* --- reading the collected tokens; past the last one stands SCAN_END --- */

const struct reply_token *reply_peek(const struct imap_parser *parser);
const struct reply_token *reply_next(struct imap_parser *parser);
const char *reply_text(const struct imap_parser *parser, const struct reply_token *token);
bool reply_take_kind(struct imap_parser *parser, enum scan_kind kind); /* if it is the next */
const char *reply_take_atom(struct imap_parser *parser);               /* NULL: something else */
const char *reply_take_string(struct imap_parser *parser); /* atom or string; NULL: neither */
bool reply_take_number(struct imap_parser *parser, uint64_t *ret_number);
void reply_skip_value(struct imap_parser *parser); /* an atom, a string or a whole list */
bool reply_take_flags(struct imap_parser *parser, const char **ret_flags, size_t *ret_bad,
	struct err *err); /* "(...)"; "\*" stands first */
void reply_add_word(struct imap_parser *parser, const char *word);
bool reply_malformed(const char *what, struct err *err);

/* --- what the lines mean --- */

bool reply_parse(struct imap_parser *parser, struct err *err);
bool reply_parse_status(struct imap_parser *parser, const char *word, struct err *err);
bool reply_parse_fetch(struct imap_parser *parser, bool by_uid, struct err *err);

/* OK, NO, BAD, BYE, PREAUTH */
bool reply_is_status(const char *word, enum imap_status *ret_status);

#endif
