/*
 * A cursor over one command: its text as it came, literals in their places as {n} CR LF bytes.
 * Tolerant where nothing depends on it.
 */
#include "support/model/model_internal.h"

#include <ctype.h>

bool words_end(const struct words *words)
{
	return words->at == words->end;
}

bool words_peek(const struct words *words, char c)
{
	return words->at < words->end && *words->at == (uint8_t)c;
}

bool words_char(struct words *words, char c)
{
	if (!words_peek(words, c))
		return false;
	words->at++;
	return true;
}

bool words_space(struct words *words)
{
	bool any = false;

	while (words_char(words, ' '))
		any = true;
	return any;
}

static bool ends_word(uint8_t byte)
{
	return byte <= ' ' || byte == 0x7f || strchr("()[]<>{\"", byte);
}

bool words_word(struct words *words, char out[MODEL_WORD_MAX])
{
	size_t len = 0;

	while (words->at < words->end && !ends_word(*words->at)) {
		if (len == MODEL_WORD_MAX - 1)
			return false;
		out[len++] = (char)toupper(*words->at++);
	}
	out[len] = '\0';
	return len > 0;
}

bool words_number(struct words *words, uint64_t *ret_number)
{
	uint64_t number = 0;
	const uint8_t *start = words->at;

	while (words->at < words->end && isdigit(*words->at)) {
		if (__builtin_mul_overflow(number, 10, &number) ||
			__builtin_add_overflow(number, (uint64_t)(*words->at - '0'), &number))
			return false;
		words->at++;
	}
	*ret_number = number;
	return words->at > start;
}

bool parse_literal_mark(const uint8_t *line, size_t len, uint64_t *ret_len, bool *ret_plus)
{
	struct words words = {line, line + len};
	size_t at = len;

	while (at > 0 && line[at - 1] != '{')
		at--;
	if (at == 0 || line[len - 1] != '}')
		return false;
	words.at = line + at;
	if (!words_number(&words, ret_len))
		return false;
	*ret_plus = words_char(&words, '+');
	return words.at + 1 == words.end;
}

bool words_literal(struct words *words, const uint8_t **ret_data, size_t *ret_len)
{
	uint64_t len;

	if (!words_char(words, '{') || !words_number(words, &len))
		return false;
	(void)words_char(words, '+');
	if (!words_char(words, '}') || !words_char(words, '\r') || !words_char(words, '\n') ||
		len > (size_t)(words->end - words->at))
		return false;
	*ret_data = words->at;
	*ret_len = (size_t)len;
	words->at += len;
	return true;
}

static bool quoted(struct words *words, struct buf *out)
{
	while (words->at < words->end && *words->at != '"') {
		(void)words_char(words, '\\');
		if (words->at == words->end || !buf_add_byte(out, *words->at++))
			return false;
	}
	return words_char(words, '"');
}

bool words_astring(struct words *words, struct buf *out)
{
	const uint8_t *data = words->at;
	size_t len = 0;

	buf_reset(out);
	if (words_char(words, '"'))
		return quoted(words, out);
	if (words_peek(words, '{'))
		return words_literal(words, &data, &len) && buf_add(out, data, len);
	while (words->at<words->end && * words->at> ' ' && !strchr("(){\"", *words->at))
		words->at++;
	return words->at > data && buf_add(out, data, (size_t)(words->at - data));
}

static bool set_number(struct words *words, uint32_t star, uint32_t *ret_number)
{
	uint64_t number;

	if (words_char(words, '*')) {
		*ret_number = star;
		return true;
	}
	if (!words_number(words, &number) || number == 0 || number > UINT32_MAX)
		return false;
	*ret_number = (uint32_t)number;
	return true;
}

bool words_set(struct words *words, uint32_t star, struct rangeset *set)
{
	do {
		uint32_t first, last;

		if (!set_number(words, star, &first))
			return false;
		last = first;
		if (words_char(words, ':') && !set_number(words, star, &last))
			return false;
		if (first > last) {
			uint32_t swapped = first;
			first = last;
			last = swapped;
		}
		if (last > 0)
			rangeset_add(set, first ? first : 1, last);
	} while (words_char(words, ','));
	return true;
}

bool words_list(struct words *words, struct buf *out)
{
	const uint8_t *start;

	buf_reset(out);
	if (!words_char(words, '('))
		return false;
	start = words->at;
	while (words->at < words->end && *words->at != ')' && *words->at != '\r')
		words->at++;
	return buf_add(out, start, (size_t)(words->at - start)) && words_char(words, ')');
}
