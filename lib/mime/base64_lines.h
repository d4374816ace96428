/*
 * Base64 as mail has it, in lines (RFC 2045, 6.8): looked at, decoded, and written again exactly.
 *
 * A line counts only if encoding what it says gives the same characters: whole groups, no bits to
 * spare, nothing but the alphabet and its padding. Pure, for hostile input.
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

/* The line is all of these bytes, its end (CRLF or, at the end of a message, nothing) included. */
bool base64_line_look(const uint8_t *line, size_t len, struct base64_line *ret_line);

size_t base64_line_decoded(const struct base64_line *line);

/* Decode lines that were looked at; returns how many bytes. Room for len / 4 * 3 is enough. */
size_t base64_lines_decode(const uint8_t *lines, size_t len, uint8_t *out);

/* Writes lines of so many characters again, from bytes given in any portions. */
struct base64_writer {
	size_t line_chars; /* a multiple of 4, not 0 */
	size_t on_line;
	uint8_t carry[BASE64_GROUP_BYTES];
	size_t carried;
};

/* What len bytes can become at most, the end of the last line included. */
size_t base64_writer_room(const struct base64_writer *writer, size_t len);
size_t base64_writer_add(
	struct base64_writer *writer, const uint8_t *data, size_t len, uint8_t *out);
size_t base64_writer_end(struct base64_writer *writer, bool crlf, uint8_t *out);

#endif
