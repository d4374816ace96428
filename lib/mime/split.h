/*
 * Takes a message apart: into leaves, which are worth being kept once, and the rest. By the look of
 * its lines, not by the structure it claims: so there is no nesting to follow and no boundary to
 * believe, and an attachment is found as well in a forwarded message or a broken multipart.
 *
 * A leaf of base64 is a run of exact lines (base64_lines.h) of equal length, the last one perhaps
 * shorter, that says at least SPLIT_BASE64_BYTES_MIN bytes. A leaf of text is what stands between
 * the empty line after a head and a line that begins with "--", if it is at least
 * SPLIT_TEXT_BYTES_MIN bytes long and not base64.
 *
 * The caller keeps a window of the message: it shows what it has, gets the next span, takes those
 * bytes out of the window, and asks again. Pure, linear, for hostile input.
 */
#ifndef MAILSTOW_MIME_SPLIT_H
#define MAILSTOW_MIME_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SPLIT_BASE64_BYTES_MIN = 1024, /* decoded */
	SPLIT_TEXT_BYTES_MIN = 16 * 1024,
	SPLIT_WINDOW_BYTES_MIN = 64 * 1024, /* a window as full as this always gives a span */
};

enum split_what { SPLIT_REST, SPLIT_TEXT, SPLIT_BASE64 };

struct split_span {
	enum split_what what;
	size_t len;        /* from the beginning of the window; may be 0 when `ends` */
	bool begins;       /* of a leaf: this is its first span */
	bool ends;         /* its last */
	size_t line_chars; /* base64; all lines in a span are whole */
	bool crlf;         /* base64, when it ends: so does its last line */
};

struct splitter {
	enum { SPLIT_IN_HEAD, SPLIT_AT_BODY, SPLIT_IN_REST, SPLIT_IN_TEXT, SPLIT_IN_BASE64 } where;
	bool begun;    /* a span of the present leaf was given */
	bool mid_line; /* the window begins within a line */
	bool to_the_end;
	size_t line_chars;
};

void splitter_begin(struct splitter *splitter);

/* The next span. False: more must be in the window; with `final` (it ends with the message): the
 * message is at its end. */
bool splitter_next(struct splitter *splitter, const uint8_t *window, size_t len, bool final,
	struct split_span *ret_span);

/* What is still to come is one leaf of text, whatever it looks like. Not within a leaf. */
void splitter_take_the_rest(struct splitter *splitter);

#endif
