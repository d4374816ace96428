/*
 * The scanner: bytes in, tokens out (RFC 9051 section 9, read tolerantly). No I/O, and only
 * one buffer, of limited size. The same bytes, cut at any place, give the same tokens.
 *
 *	scan_init(&scan);
 *	while (scan_next(&scan, data, len, &used, &token)) { data += used; len -= used; ... }
 *
 * A quoted string, atom or text is one token, in the scanner's buffer, or in the caller's bytes if
 * they hold all of it. A literal is never collected: it gives SCAN_LITERAL (its size), then
 * SCAN_LITERAL_DATA as the bytes arrive, then SCAN_LITERAL_END.
 *
 * The first word of a line, and the second unless the first is "*", is one atom up to the next
 * blank, whatever its bytes. So the parser can recognise a line that is no response before scanning
 * it as one (scan_expect_raw()). '+' at the beginning is a word of its own.
 *
 * Forgives what real servers do: LF without CR, blanks before CRLF, several blanks, NULs before a
 * response, 8-bit bytes, TAB, '"' and '{' inside atoms, ']' inside flags, brackets within a
 * response code, a response code that is never closed.
 */
#ifndef MAILSTOW_IMAP_PARSE_SCAN_H
#define MAILSTOW_IMAP_PARSE_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum scan_kind {
	SCAN_MORE,    /* all input used; feed more bytes */
	SCAN_ATOM,    /* atom, number, flag with its backslash, NIL, '*', '+'; in an outermost list
			 BODY[...]<..> as one */
	SCAN_STRING,  /* quoted, quotes and escapes removed */
	SCAN_LITERAL, /* size: literal, literal8 ("~{n}") and non-sync form alike */
	SCAN_LITERAL_DATA, /* data, len: the next bytes of it */
	SCAN_LITERAL_END,
	SCAN_OPEN,       /* ( */
	SCAN_CLOSE,      /* ) */
	SCAN_CODE_OPEN,  /* [ of a response code, only after scan_expect_text() */
	SCAN_CODE_CLOSE, /* ] of it */
	SCAN_TEXT,       /* the human text to the end of the line */
	SCAN_END,        /* end of the line = of the response */
};

struct scan_token {
	enum scan_kind kind;
	const uint8_t *data; /* ATOM, STRING, TEXT, LITERAL_DATA: valid until the next call */
	size_t len;
	uint64_t size; /* LITERAL: announced bytes */
};

struct scan {
	/* private */
	int state;
	int expect;
	unsigned words;    /* first words of this line so far, at most WORDS_TOLD_APART */
	unsigned depth;    /* of parentheses */
	unsigned brackets; /* open ones inside a response code */
	bool in_code;
	bool has_digits; /* the literal's size has begun */
	uint64_t literal_size;
	uint64_t literal_left;
	size_t line_bytes;
	size_t line_max;
	unsigned literals;
	struct buf piece; /* bytes of the current token from earlier calls */
};

void scan_init(struct scan *scan);
void scan_free(struct scan *scan); /* also for CLEANUP() */

/*
 * Takes the next token from data and *ret_used bytes (0..len; all of them with SCAN_MORE). False:
 * ERR_PROTOCOL, and only scan_free() may follow: a line longer than IMAP_LINE_BYTES_MAX or deeper
 * than IMAP_DEPTH_MAX, unbalanced parentheses, a literal size over 2^64-1 or malformed, more than
 * IMAP_RESPONSE_LITERALS_MAX literals, a stray control character or NUL.
 */
bool scan_next(struct scan *scan, const uint8_t *data, size_t len, size_t *ret_used,
	struct scan_token *ret_token, struct err *err);

/*
 * The rest of this response is "[code args] text" (after OK, NO, BAD, BYE, PREAUTH and '+'): an
 * optional response code in brackets, scanned as tokens, then SCAN_TEXT, then SCAN_END.
 */
void scan_expect_text(struct scan *scan);

/* The rest of this line is SCAN_TEXT, whatever its bytes, then SCAN_END. */
void scan_expect_raw(struct scan *scan);

/* Allows this line IMAP_SET_LINE_BYTES_MAX, as it holds a set of numbers. */
void scan_allow_long_line(struct scan *scan);

/* The scanner holds no byte of an unfinished response. */
bool scan_is_empty(const struct scan *scan);

/* Bytes left of the literal under way; 0: none is. */
uint64_t scan_literal_left(const struct scan *scan);

#endif
