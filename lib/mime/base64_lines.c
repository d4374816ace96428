#include "mime/base64_lines.h"

#include <assert.h>
#include <string.h>

enum { PAIR_BITS = 12, PAIR_CHARS = 2, PAIR_MASK = 4095, CRLF_BYTES = 2, NO_VALUE = 0x80 };

#define PAIRS(first)                                                                               \
	first, 'A', first, 'B', first, 'C', first, 'D', first, 'E', first, 'F', first, 'G', first, \
		'H', first, 'I', first, 'J', first, 'K', first, 'L', first, 'M', first, 'N',       \
		first, 'O', first, 'P', first, 'Q', first, 'R', first, 'S', first, 'T', first,     \
		'U', first, 'V', first, 'W', first, 'X', first, 'Y', first, 'Z', first, 'a',       \
		first, 'b', first, 'c', first, 'd', first, 'e', first, 'f', first, 'g', first,     \
		'h', first, 'i', first, 'j', first, 'k', first, 'l', first, 'm', first, 'n',       \
		first, 'o', first, 'p', first, 'q', first, 'r', first, 's', first, 't', first,     \
		'u', first, 'v', first, 'w', first, 'x', first, 'y', first, 'z', first, '0',       \
		first, '1', first, '2', first, '3', first, '4', first, '5', first, '6', first,     \
		'7', first, '8', first, '9', first, '+', first, '/'

/* Encodes twelve bits as two characters with one look-up. */
static const char pairs[] = {PAIRS('A'), PAIRS('B'), PAIRS('C'), PAIRS('D'), PAIRS('E'), PAIRS('F'),
	PAIRS('G'), PAIRS('H'), PAIRS('I'), PAIRS('J'), PAIRS('K'), PAIRS('L'), PAIRS('M'),
	PAIRS('N'), PAIRS('O'), PAIRS('P'), PAIRS('Q'), PAIRS('R'), PAIRS('S'), PAIRS('T'),
	PAIRS('U'), PAIRS('V'), PAIRS('W'), PAIRS('X'), PAIRS('Y'), PAIRS('Z'), PAIRS('a'),
	PAIRS('b'), PAIRS('c'), PAIRS('d'), PAIRS('e'), PAIRS('f'), PAIRS('g'), PAIRS('h'),
	PAIRS('i'), PAIRS('j'), PAIRS('k'), PAIRS('l'), PAIRS('m'), PAIRS('n'), PAIRS('o'),
	PAIRS('p'), PAIRS('q'), PAIRS('r'), PAIRS('s'), PAIRS('t'), PAIRS('u'), PAIRS('v'),
	PAIRS('w'), PAIRS('x'), PAIRS('y'), PAIRS('z'), PAIRS('0'), PAIRS('1'), PAIRS('2'),
	PAIRS('3'), PAIRS('4'), PAIRS('5'), PAIRS('6'), PAIRS('7'), PAIRS('8'), PAIRS('9'),
	PAIRS('+'), PAIRS('/')};

/* NO_VALUE marks bytes outside of the alphabet. */
#define NONE4  NO_VALUE, NO_VALUE, NO_VALUE, NO_VALUE
#define NONE16 NONE4, NONE4, NONE4, NONE4
#define NONE64 NONE16, NONE16, NONE16, NONE16

static const uint8_t values[UINT8_MAX + 1] = {NONE16, NONE16, NONE4, NONE4, NO_VALUE, NO_VALUE,
	NO_VALUE, 62, NO_VALUE, NO_VALUE, NO_VALUE, 63, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61,
	NO_VALUE, NO_VALUE, NONE4, NO_VALUE, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
	16, 17, 18, 19, 20, 21, 22, 23, 24, 25, NO_VALUE, NONE4, NO_VALUE, 26, 27, 28, 29, 30, 31,
	32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, NO_VALUE,
	NONE4, NONE64, NONE64};

/* Without branches, so that the compiler vectorises it. */
static bool all_in_alphabet(const uint8_t *text, size_t len)
{
	uint8_t bad = 0;

	for (size_t i = 0; i < len; i++) {
		uint8_t letter = (uint8_t)((text[i] | 0x20) - 'a') < 26;
		uint8_t digit = (uint8_t)(text[i] - '0') < 10;
		uint8_t sign = (text[i] == '+') | (text[i] == '/');

		bad |= (uint8_t)(1 ^ (letter | digit | sign));
	}
	return bad == 0;
}

bool base64_line_recognise(const uint8_t *line, size_t len, struct base64_line *ret_line)
{
	bool crlf = len >= CRLF_BYTES && line[len - 2] == '\r' && line[len - 1] == '\n';
	size_t chars = crlf ? len - CRLF_BYTES : len;
	size_t padding = 0;
	unsigned spare;

	if (chars == 0 || chars % BASE64_GROUP_CHARS != 0 || chars > BASE64_LINE_CHARS_MAX)
		return false;
	while (padding < 2 && line[chars - 1 - padding] == '=')
		padding++;
	if (!all_in_alphabet(line, chars - padding))
		return false;
	/* Bits of the last digit that encode nothing must be 0: encoding would lose them. */
	spare = padding == 0 ? 0 : padding == 1 ? 3 : 15;
	if (values[line[chars - padding - 1]] & spare)
		return false;
	*ret_line = (struct base64_line){.chars = chars, .padding = padding, .crlf = crlf};
	return true;
}

size_t base64_line_decoded(const struct base64_line *line)
{
	return line->chars / BASE64_GROUP_CHARS * BASE64_GROUP_BYTES - line->padding;
}

static uint32_t group(const uint8_t *text)
{
	return (uint32_t)values[text[0]] << 18 | (uint32_t)values[text[1]] << 12 |
	       (uint32_t)values[text[2]] << 6 | values[text[3]];
}

/* The last group of a line may be padded. */
static size_t decode_last(const uint8_t *text, uint8_t *out)
{
	size_t bytes = text[2] == '=' ? 1 : text[3] == '=' ? 2 : BASE64_GROUP_BYTES;
	uint32_t bits = (uint32_t)values[text[0]] << 18 | (uint32_t)values[text[1]] << 12;

	if (bytes > 1)
		bits |= (uint32_t)values[text[2]] << 6;
	if (bytes > 2)
		bits |= values[text[3]];
	for (size_t i = 0; i < bytes; i++)
		out[i] = (uint8_t)(bits >> (16 - 8 * i));
	return bytes;
}

size_t base64_lines_decode(const uint8_t *lines, size_t len, uint8_t *out)
{
	const uint8_t *end = lines + len;
	uint8_t *to = out;

	while (lines < end) {
		const uint8_t *line_end = memchr(lines, '\r', (size_t)(end - lines));
		const uint8_t *last = (line_end ? line_end : end) - BASE64_GROUP_CHARS;

		for (; lines < last; lines += BASE64_GROUP_CHARS) {
			uint32_t bits = group(lines);

			*to++ = (uint8_t)(bits >> 16);
			*to++ = (uint8_t)(bits >> 8);
			*to++ = (uint8_t)bits;
		}
		assert(lines == last);
		to += decode_last(last, to);
		lines += BASE64_GROUP_CHARS + (line_end ? CRLF_BYTES : 0);
	}
	return (size_t)(to - out);
}

/* --- writing --- */

size_t base64_writer_room(const struct base64_writer *writer, size_t len)
{
	size_t groups = (len + writer->carried) / BASE64_GROUP_BYTES + 1;
	size_t chars = groups * BASE64_GROUP_CHARS;

	return chars + CRLF_BYTES * (chars / writer->line_chars + 2);
}

static uint8_t *end_line(struct base64_writer *writer, uint8_t *to)
{
	*to++ = '\r';
	*to++ = '\n';
	writer->on_line = 0;
	return to;
}

/* Ignores line lengths, to be fast: the caller knows that the groups fit the line. */
static uint8_t *put_groups(const uint8_t *from, size_t groups, uint8_t *to)
{
	for (size_t i = 0; i < groups; i++) {
		uint32_t bits = (uint32_t)from[0] << 16 | (uint32_t)from[1] << 8 | from[2];

		memcpy(to, pairs + PAIR_CHARS * (bits >> PAIR_BITS), PAIR_CHARS);
		memcpy(to + PAIR_CHARS, pairs + PAIR_CHARS * (bits & PAIR_MASK), PAIR_CHARS);
		from += BASE64_GROUP_BYTES;
		to += BASE64_GROUP_CHARS;
	}
	return to;
}

/* Puts groups line by line. Ends a line only when more follows. */
static uint8_t *put_lines(
	struct base64_writer *writer, const uint8_t *from, size_t groups, uint8_t *to)
{
	while (groups > 0) {
		size_t room = (writer->line_chars - writer->on_line) / BASE64_GROUP_CHARS;
		size_t part = groups < room ? groups : room;

		if (room == 0) {
			to = end_line(writer, to);
			continue;
		}
		to = put_groups(from, part, to);
		writer->on_line += part * BASE64_GROUP_CHARS;
		from += part * BASE64_GROUP_BYTES;
		groups -= part;
	}
	return to;
}

size_t base64_writer_add(
	struct base64_writer *writer, const uint8_t *data, size_t len, uint8_t *out)
{
	const uint8_t *end = data + len;
	uint8_t *to = out;

	while (writer->carried > 0 && data < end) {
		writer->carry[writer->carried++] = *data++;
		if (writer->carried < BASE64_GROUP_BYTES)
			continue;
		to = put_lines(writer, writer->carry, 1, to);
		writer->carried = 0;
	}
	to = put_lines(writer, data, (size_t)(end - data) / BASE64_GROUP_BYTES, to);
	data = end - (end - data) % BASE64_GROUP_BYTES;
	while (data < end)
		writer->carry[writer->carried++] = *data++;
	return (size_t)(to - out);
}

size_t base64_writer_end(struct base64_writer *writer, bool crlf, uint8_t *out)
{
	uint8_t *to = out;

	if (writer->carried > 0) {
		size_t padding = BASE64_GROUP_BYTES - writer->carried;

		memset(writer->carry + writer->carried, 0, padding);
		to = put_lines(writer, writer->carry, 1, to);
		memset(to - padding, '=', padding);
		writer->carried = 0;
	}
	if (crlf)
		to = end_line(writer, to);
	return (size_t)(to - out);
}
