#include "mime/split.h"

#include <assert.h>
#include <string.h>

enum { GROUP_CHARS = 4, GROUP_BYTES = 3, BITS = 6, LOW_BITS = 63 };

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* One more than what the character stands for; 0: outside the alphabet. */
static const uint8_t values[UINT8_MAX + 1] = {['A'] = 1,
	['B'] = 2,
	['C'] = 3,
	['D'] = 4,
	['E'] = 5,
	['F'] = 6,
	['G'] = 7,
	['H'] = 8,
	['I'] = 9,
	['J'] = 10,
	['K'] = 11,
	['L'] = 12,
	['M'] = 13,
	['N'] = 14,
	['O'] = 15,
	['P'] = 16,
	['Q'] = 17,
	['R'] = 18,
	['S'] = 19,
	['T'] = 20,
	['U'] = 21,
	['V'] = 22,
	['W'] = 23,
	['X'] = 24,
	['Y'] = 25,
	['Z'] = 26,
	['a'] = 27,
	['b'] = 28,
	['c'] = 29,
	['d'] = 30,
	['e'] = 31,
	['f'] = 32,
	['g'] = 33,
	['h'] = 34,
	['i'] = 35,
	['j'] = 36,
	['k'] = 37,
	['l'] = 38,
	['m'] = 39,
	['n'] = 40,
	['o'] = 41,
	['p'] = 42,
	['q'] = 43,
	['r'] = 44,
	['s'] = 45,
	['t'] = 46,
	['u'] = 47,
	['v'] = 48,
	['w'] = 49,
	['x'] = 50,
	['y'] = 51,
	['z'] = 52,
	['0'] = 53,
	['1'] = 54,
	['2'] = 55,
	['3'] = 56,
	['4'] = 57,
	['5'] = 58,
	['6'] = 59,
	['7'] = 60,
	['8'] = 61,
	['9'] = 62,
	['+'] = 63,
	['/'] = 64};

static unsigned value_of(uint8_t c)
{
	return values[c] - 1U;
}

static bool is_alphabet(uint8_t c)
{
	return values[c] != 0;
}

struct line {
	size_t chars;   /* with padding */
	size_t padding; /* 0 to 2 */
	size_t end;     /* after its line end */
	bool crlf;
};

/* Bits that encode nothing must be 0, or encoding again would lose them. */
static bool is_exact(const uint8_t *text, const struct line *line)
{
	const uint8_t *end = text + line->chars - line->padding;

	return line->padding == 0 || (value_of(end[-1]) & (line->padding == 1 ? 3U : 15U)) == 0;
}

/* A whole line of base64 at `at`. */
static bool take_line(const uint8_t *data, size_t len, size_t at, struct line *ret_line)
{
	size_t stop = len - at > SPLIT_LINE_CHARS_MAX ? at + SPLIT_LINE_CHARS_MAX : len;
	struct line line = {0};
	size_t i = at;

	while (i < stop && is_alphabet(data[i]))
		i++;
	while (i < stop && i > at && data[i] == '=' && line.padding < 2) {
		line.padding++;
		i++;
	}
	line.chars = i - at;
	line.crlf = len - i >= 2 && data[i] == '\r' && data[i + 1] == '\n';
	line.end = line.crlf ? i + 2 : i;
	if (line.chars == 0 || line.chars % GROUP_CHARS != 0 || (!line.crlf && i != len) ||
		!is_exact(data + at, &line))
		return false;
	*ret_line = line;
	return true;
}

/* The run of lines at `at`, however short. */
static bool take_run(const uint8_t *data, size_t len, size_t at, struct split_leaf *ret_leaf)
{
	struct split_leaf leaf = {.start = at, .end = at, .ends_in_crlf = true};
	struct line line;
	bool last = false;

	while (!last && leaf.end < len && take_line(data, len, leaf.end, &line)) {
		if (leaf.line_chars == 0)
			leaf.line_chars = line.chars;
		if (line.chars > leaf.line_chars)
			break;
		leaf.end = line.end;
		leaf.decoded_len += line.chars / GROUP_CHARS * GROUP_BYTES - line.padding;
		leaf.ends_in_crlf = line.crlf;
		last = line.padding > 0 || line.chars < leaf.line_chars || !line.crlf;
	}
	*ret_leaf = leaf;
	return leaf.end > at;
}

static size_t after_line(const uint8_t *data, size_t len, size_t at)
{
	const uint8_t *end = memchr(data + at, '\n', len - at);

	return end ? (size_t)(end - data) + 1 : len;
}

bool split_next(const uint8_t *data, size_t len, size_t from, struct split_leaf *ret_leaf)
{
	struct split_leaf leaf;

	for (size_t at = from; at < len;) {
		if (!take_run(data, len, at, &leaf)) {
			at = after_line(data, len, at);
			continue;
		}
		if (leaf.decoded_len >= SPLIT_LEAF_BYTES_MIN) {
			*ret_leaf = leaf;
			return true;
		}
		at = leaf.end;
	}
	return false;
}

bool split_decode(const uint8_t *data, const struct split_leaf *leaf, struct buf *out)
{
	uint8_t *to = buf_reserve(out, leaf->decoded_len);
	size_t used = 0;
	uint32_t bits = 0;
	unsigned count = 0;

	if (!to)
		return false;
	for (size_t i = leaf->start; i < leaf->end; i++) {
		if (!is_alphabet(data[i]))
			continue;
		bits = bits << BITS | value_of(data[i]);
		count += BITS;
		if (count < 8)
			continue;
		count -= 8;
		assert(used < leaf->decoded_len);
		to[used++] = (uint8_t)(bits >> count);
	}
	assert(used == leaf->decoded_len);
	out->len += used;
	return true;
}

static void encode_group(const uint8_t *from, size_t len, uint8_t to[GROUP_CHARS])
{
	uint32_t bits = (uint32_t)from[0] << 16;

	if (len > 1)
		bits |= (uint32_t)from[1] << 8;
	if (len > 2)
		bits |= from[2];
	to[0] = (uint8_t)alphabet[bits >> 18];
	to[1] = (uint8_t)alphabet[bits >> 12 & LOW_BITS];
	to[2] = len > 1 ? (uint8_t)alphabet[bits >> 6 & LOW_BITS] : '=';
	to[3] = len > 2 ? (uint8_t)alphabet[bits & LOW_BITS] : '=';
}

static size_t encoded_length(const struct split_leaf *leaf)
{
	size_t chars = (leaf->decoded_len + GROUP_BYTES - 1) / GROUP_BYTES * GROUP_CHARS;
	size_t lines = (chars + leaf->line_chars - 1) / leaf->line_chars;

	return chars + 2 * (lines - !leaf->ends_in_crlf);
}

bool split_encode(const uint8_t *decoded, const struct split_leaf *leaf, struct buf *out)
{
	uint8_t *to;
	size_t on_line = 0;

	assert(leaf->decoded_len > 0);
	assert(leaf->line_chars > 0 && leaf->line_chars % GROUP_CHARS == 0);
	to = buf_reserve(out, encoded_length(leaf));
	if (!to)
		return false;
	for (size_t at = 0; at < leaf->decoded_len; at += GROUP_BYTES) {
		size_t left = leaf->decoded_len - at;
		bool ends = left <= GROUP_BYTES;

		encode_group(decoded + at, ends ? left : GROUP_BYTES, to);
		to += GROUP_CHARS;
		on_line += GROUP_CHARS;
		if (ends ? leaf->ends_in_crlf : on_line == leaf->line_chars) {
			*to++ = '\r';
			*to++ = '\n';
			on_line = 0;
		}
	}
	out->len += encoded_length(leaf);
	assert(out->data + out->len == to);
	return true;
}
