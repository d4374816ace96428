/*
 * Base64 in lines, as in mail (RFC 2045 section 6.8): recognises, decodes and encodes it exactly.
 *
 * A line counts only if encoding its decoded bytes gives the same characters: whole groups, spare
 * bits zero, only the alphabet and its padding. Pure, for hostile input.
 */
#ifndef MAILSTOW_MIME_BASE64_LINES_H
#define MAILSTOW_MIME_BASE64_LINES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	BASE64_LINE_CHARS_MAX = 4096,
	BASE64_GROUP_CHARS = 4,
	BASE64_GROUP_BYTES = 3,
};

struct base64_line {
	size_t chars; /* with padding; a multiple of 4, not 0 */
	size_t padding;
	bool crlf;
};

/* Is this a line of exact base64? It includes its end (CRLF or, at the end of a message, nothing).
 */
bool base64_line_recognise(const uint8_t *line, size_t len, struct base64_line *ret_line);

/* Bytes that the line decodes to. */
size_t base64_line_decoded(const struct base64_line *line);

/* Decodes lines that were recognised; returns how many bytes. out needs len / 4 * 3. */
size_t base64_lines_decode(const uint8_t *lines, size_t len, uint8_t *out);

/* Encodes bytes, given in any portions, in lines of line_chars characters. */
struct base64_writer {
	size_t line_chars; /* a multiple of 4, not 0 */
	size_t on_line;
	uint8_t carry[BASE64_GROUP_BYTES];
	size_t carried;
};

/* The most bytes that encoding len more can give, the end of the last line included. */
size_t base64_writer_room(const struct base64_writer *writer, size_t len);
size_t base64_writer_add(
	struct base64_writer *writer, const uint8_t *data, size_t len, uint8_t *out);
size_t base64_writer_end(struct base64_writer *writer, bool crlf, uint8_t *out);

#endif
