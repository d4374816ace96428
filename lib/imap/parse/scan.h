/*
 * The scanner: bytes in, tokens out. No I/O, no memory of its own beyond one bounded buffer; the
 * same bytes cut at any place give the same tokens (RFC 9051 section 9, read tolerantly).
 *
 *	scan_init(&scan);
 *	while (scan_next(&scan, data, len, &used, &token)) { data += used; len -= used; ... }
 *
 * A quoted string, atom or text is handed over whole, from the scanner's bounded buffer (or the
 * caller's bytes where it lies in them unbroken). A literal is never collected: it comes as
 * SCAN_LITERAL (its size), then SCAN_LITERAL_DATA as the bytes arrive, then SCAN_LITERAL_END.
 *
 * The first word of a line, and the second unless the first is "*", is one atom up to the next
 * blank, whatever it is made of: a line that is no response can be told before it is read as one
 * (scan_expect_raw()). '+' at the beginning is a word of its own.
 *
 * What the scanner forgives, as real servers do it: LF without CR, blanks before CRLF, several
 * blanks, NULs before a response, 8-bit bytes, TAB, '"' and '{' inside atoms, ']' inside flags,
 * brackets within a response code, a response code that is never closed.
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
	unsigned words;    /* of this line, as far as they are told apart */
	unsigned depth;    /* of parentheses */
	unsigned brackets; /* open ones inside a response code */
	bool in_code;
	bool has_digits; /* of a literal's size */
	uint64_t literal_size;
	uint64_t literal_left;
	size_t line_bytes;
	size_t line_max;
	unsigned literals;
	struct buf piece; /* a token's bytes from earlier calls */
};

void scan_init(struct scan *scan);
void scan_free(struct scan *scan); /* also for CLEANUP() */

/*
 * Take the next token from data. *ret_used bytes were used (0..len). With SCAN_MORE all of them
 * were. False: ERR_PROTOCOL, and the scanner is only good for scan_free(): line longer than
 * IMAP_LINE_BYTES_MAX, deeper than IMAP_DEPTH_MAX, unbalanced parentheses, literal size over 2^64-1
 * or malformed, more than IMAP_RESPONSE_LITERALS_MAX literals, a stray control character or NUL.
 */
bool scan_next(struct scan *scan, const uint8_t *data, size_t len, size_t *ret_used,
	struct scan_token *ret_token, struct err *err);

/*
 * From here this response is "[code args] text" (after OK, NO, BAD, BYE, PREAUTH and '+'): an
 * optional response code in brackets, scanned as tokens, then SCAN_TEXT, then SCAN_END.
 */
void scan_expect_text(struct scan *scan);

/* The rest of this line is SCAN_TEXT, whatever it looks like; then SCAN_END. */
void scan_expect_raw(struct scan *scan);

/* This line may be as long as IMAP_SET_LINE_BYTES_MAX: it holds a set of numbers. */
void scan_allow_long_line(struct scan *scan);

/* No byte of an unfinished response was taken. */
bool scan_is_empty(const struct scan *scan);

/* Bytes up to the end of the literal that is under way (0 when none is). */
uint64_t scan_literal_left(const struct scan *scan);

#endif
