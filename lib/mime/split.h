/*
 * Where base64 stands in a message (RFC 2045, 6.8), and what it says. Found by its look, line by
 * line, not by the structure around it: so there is no nesting to follow and no boundary to
 * believe, and it is found as well in a forwarded message or a broken multipart.
 *
 * A leaf is a run of lines of equal length, the last one perhaps shorter or padded, that encode
 * exactly one row of bytes: decoding and encoding again gives the same text. Lines end in CRLF; the
 * last may lack it at the end of the data. Anything else is no leaf and stays as it is.
 *
 * Pure, linear, for hostile input.
 */
#ifndef MAILSTOW_MIME_SPLIT_H
#define MAILSTOW_MIME_SPLIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum {
	SPLIT_LEAF_BYTES_MIN = 1024, /* decoded; less is not worth a leaf */
	SPLIT_LINE_CHARS_MAX = 4096, /* longer lines are no leaf */
};

struct split_leaf {
	size_t start; /* of the encoded text within the data */
	size_t end;
	size_t decoded_len;
	size_t line_chars; /* a multiple of 4 */
	bool ends_in_crlf; /* the last line, too */
};

/* The first leaf that begins at or after `from`, which is the beginning of a line. */
bool split_next(const uint8_t *data, size_t len, size_t from, struct split_leaf *ret_leaf);

/* Append what the leaf encodes. False when out would pass its maximum. */
bool split_decode(const uint8_t *data, const struct split_leaf *leaf, struct buf *out) MUST_USE;

/* Append the text of a leaf; only its decoded_len (not 0), line_chars and ends_in_crlf count. False
 * when out would pass its maximum. */
bool split_encode(const uint8_t *decoded, const struct split_leaf *leaf, struct buf *out) MUST_USE;

#endif
