/*
 * Splits a message into leaves, which are worth storing once, and the rest. Judges lines by their
 * bytes and ignores the MIME structure, so there is no nesting to follow and no boundary to trust,
 * and it finds an attachment in a forwarded message or a broken multipart as well.
 *
 * A base64 leaf is a run of exact lines (base64_lines.h) of equal length, whose last one may be
 * shorter, that decodes to at least SPLIT_BASE64_BYTES_MIN bytes. A text leaf is the text from the
 * empty line after a header to a line that begins with "--", if it is at least SPLIT_TEXT_BYTES_MIN
 * bytes long and not base64.
 *
 * The caller keeps a window of the message: it passes the window, gets the next span, drops those
 * bytes, and calls again. Pure, in linear time, safe on hostile input.
 *
 *	IN_HEAD --empty line--> AT_BODY --SPLIT_TEXT_BYTES_MIN seen--> IN_TEXT
 *	AT_BODY, IN_REST, IN_TEXT --line that begins with "--"--> IN_HEAD
 *	all but IN_BASE64 --run of base64 lines--> IN_BASE64 --its end--> IN_REST
 */
#ifndef MAILSTOW_MIME_SPLIT_H
#define MAILSTOW_MIME_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	SPLIT_BASE64_BYTES_MIN = 1024, /* decoded */
	SPLIT_TEXT_BYTES_MIN = 16 * 1024,
	SPLIT_WINDOW_BYTES_MIN = 64 * 1024, /* a window this full always gives a span */
};

enum split_what { SPLIT_REST, SPLIT_TEXT, SPLIT_BASE64 };

struct split_span {
	enum split_what what;
	size_t len;        /* from the beginning of the window; may be 0 when `ends` */
	bool begins;       /* the first span of a leaf */
	bool ends;         /* the last span of a leaf */
	size_t line_chars; /* base64; all lines in a span are whole */
	bool crlf;         /* base64, with `ends`: the last line ends in CRLF */
};

struct splitter {
	enum { SPLIT_IN_HEAD, SPLIT_AT_BODY, SPLIT_IN_REST, SPLIT_IN_TEXT, SPLIT_IN_BASE64 } where;
	bool begun;      /* a span of the current leaf was given */
	bool mid_line;   /* the window begins within a line */
	bool to_the_end; /* splitter_take_the_rest() */
	size_t line_chars;
};

void splitter_begin(struct splitter *splitter);

/* The next span. False: the window must hold more; with `final` (the window ends with the message):
 * the message has ended. */
bool splitter_next(struct splitter *splitter, const uint8_t *window, size_t len, bool final,
	struct split_span *ret_span);

/* Makes everything that follows one text leaf. Not to be called within a leaf. */
void splitter_take_the_rest(struct splitter *splitter);

#endif
