/*
 * Inside the parser: it collects the tokens of one response (bodies go to the sink instead), and at
 * the end of the line reads them from the first to the last.
 */
#ifndef MAILSTOW_IMAP_PARSE_REPLY_INTERNAL_H
#define MAILSTOW_IMAP_PARSE_REPLY_INTERNAL_H

#include "imap/flags.h"
#include "imap/limits.h"
#include "imap/parse/reply.h"
#include "imap/parse/scan.h"
#include "imap/seqset.h"

enum reply_line { REPLY_PLAIN, REPLY_FETCH, REPLY_SEARCH, REPLY_ESEARCH, REPLY_VANISHED };

/* RFC 7162: 63 bits */
static const uint64_t REPLY_MODSEQ_MAX = INT64_MAX;

/*
 * A collected token. A literal becomes SCAN_STRING, a body SCAN_LITERAL, and a literal too large to
 * keep SCAN_LITERAL_END.
 */
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
	size_t read; /* index of the next token to read */
	struct buf strings;

	enum reply_line line;
	unsigned depth;                                               /* of parentheses */
	enum { LITERAL_KEPT, LITERAL_SKIPPED, LITERAL_BODY } literal; /* the one under way */
	size_t literal_at;        /* where a kept one begins in strings */
	bool body_seen;           /* in this response */
	uint64_t body_size;       /* as announced */
	uint64_t body_given;      /* bytes passed to the sink so far */
	struct range_list ranges; /* the response's set, as received */

	struct imap_reply reply;
	struct rangeset set;
	struct flag_set flags;
	char *flags_text;
	struct buf joined; /* attributes of LIST */
	const char **words;
	size_t words_cap;
};

/* --- reading the collected tokens; after the last one comes SCAN_END --- */

const struct reply_token *reply_peek(const struct imap_parser *parser);
const struct reply_token *reply_next(struct imap_parser *parser);
const char *reply_text(const struct imap_parser *parser, const struct reply_token *token);
char *reply_text_to_change(struct imap_parser *parser, const struct reply_token *token);
bool reply_take_kind(struct imap_parser *parser, enum scan_kind kind); /* false: something else */
bool reply_list_ends(struct imap_parser *parser);                      /* takes the ')' */
const char *reply_take_atom(struct imap_parser *parser);               /* NULL: something else */
const char *reply_take_string(struct imap_parser *parser); /* atom or string; NULL: neither */

/* Skips an atom, a string or a whole list, but not a ')'. */
void reply_skip_value(struct imap_parser *parser);

/* Takes the next value in any case. False: it is not a number. */
bool reply_take_number(struct imap_parser *parser, uint64_t *ret_number);
bool reply_take_modseq(struct imap_parser *parser, uint64_t *ret_modseq); /* "n" or "(n)" */

/* Flags after the '(' up to the ')'. */
bool reply_take_flags(
	struct imap_parser *parser, const char **ret_flags, size_t *ret_bad, struct err *err);
void reply_add_word(struct imap_parser *parser, const char *word);
bool reply_malformed(const char *what, struct err *err);

/* --- what the responses mean --- */

bool reply_parse(struct imap_parser *parser, struct err *err);
bool reply_parse_text(struct imap_parser *parser, struct err *err); /* "[code] text" */
bool reply_parse_list(struct imap_parser *parser, struct err *err);
bool reply_parse_status_of(struct imap_parser *parser, struct err *err);
bool reply_parse_namespace(struct imap_parser *parser, struct err *err);
bool reply_parse_fetch(struct imap_parser *parser, bool by_uid, struct err *err);

bool reply_is_body(const char *item);
bool reply_is_status(const char *word, enum imap_status *ret_status);
bool reply_is_tagged_status(const char *word, enum imap_status *ret_status); /* OK, NO, BAD */

#endif
