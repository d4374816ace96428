#include "mime/words.h"

#include <iconv.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/crypto.h"
#include "base/str.h"

enum { CHARSET_MAX = 40, WORD_OUT_FACTOR = 4 };

struct word {
	char charset[CHARSET_MAX];
	char encoding; /* 'q' or 'b' */
	const char *text;
	size_t text_len;
	const char *end; /* after "?=" */
};

/* "=?charset[*language]?e?text?=" at the beginning of `at`? */
static bool parse_word(const char *at, struct word *ret_word)
{
	const char *charset = at + 2, *mark, *text, *end;
	size_t charset_len;

	if (at[0] != '=' || at[1] != '?')
		return false;
	charset_len = strcspn(charset, "?* ");
	mark = charset + strcspn(charset, "? ");
	if (charset_len == 0 || charset_len >= CHARSET_MAX || *mark != '?' || mark[1] == '\0' ||
		mark[2] != '?')
		return false;
	text = mark + 3;
	end = text + strcspn(text, "? ");
	if (end[0] != '?' || end[1] != '=')
		return false;
	memcpy(ret_word->charset, charset, charset_len);
	ret_word->charset[charset_len] = '\0';
	ret_word->encoding = str_lower_char(mark[1]);
	ret_word->text = text;
	ret_word->text_len = (size_t)(end - text);
	ret_word->end = end + 2;
	return ret_word->encoding == 'q' || ret_word->encoding == 'b';
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = str_lower_char(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static uint8_t *decode_q(const struct word *word, size_t *ret_len)
{
	uint8_t *out = xmalloc(word->text_len);
	size_t len = 0;

	for (size_t i = 0; i < word->text_len; i++) {
		char c = word->text[i];

		if (c == '_') {
			out[len++] = ' ';
		} else if (c == '=' && i + 2 < word->text_len &&
			   hex_value(word->text[i + 1]) >= 0 && hex_value(word->text[i + 2]) >= 0) {
			out[len++] = (uint8_t)(hex_value(word->text[i + 1]) * 16 +
					       hex_value(word->text[i + 2]));
			i += 2;
		} else {
			out[len++] = (uint8_t)c;
		}
	}
	*ret_len = len;
	return out;
}

static bool convert(const char *charset, uint8_t *data, size_t len, struct buf *out)
{
	iconv_t converter = iconv_open("UTF-8", charset);
	size_t room = len * WORD_OUT_FACTOR + WORD_OUT_FACTOR;
	CLEANUP(freep) char *text = xmalloc(room);
	char *from = (char *)data, *to = text;
	size_t left = room, result;

	if (converter == (iconv_t)-1)
		return false;
	result = iconv(converter, &from, &len, &to, &left);
	(void)iconv_close(converter);
	return result != (size_t)-1 && buf_add(out, text, room - left);
}

static bool add_word(const struct word *word, struct buf *out)
{
	size_t len = 0;
	CLEANUP(freep) uint8_t *data = NULL;

	if (word->encoding == 'q')
		data = decode_q(word, &len);
	else if (!base64_decode(word->text, word->text_len, &data, &len))
		return false;
	return convert(word->charset, data, len, out);
}

static void drop_controls(struct buf *text)
{
	size_t kept = 0;

	for (size_t i = 0; i < text->len; i++)
		if (text->data[i] >= 0x20 && text->data[i] != 0x7f)
			text->data[kept++] = text->data[i];
	text->len = kept;
	if (text->data)
		text->data[kept] = '\0';
}

char *words_decode(const char *text)
{
	CLEANUP(buf_free)
	struct buf out = BUF_INIT(strlen(text) * WORD_OUT_FACTOR + WORD_OUT_FACTOR);
	bool after_word = false;

	while (*text) {
		size_t blanks = strspn(text, " ");
		struct word word;
		size_t plain;

		if (parse_word(text + blanks, &word)) {
			size_t before = out.len;

			if (!after_word && !buf_add(&out, text, blanks))
				break;
			if (add_word(&word, &out)) {
				after_word = true;
				text = word.end;
				continue;
			}
			out.len = before;
		}
		plain = blanks + strcspn(text + blanks, " ");
		if (!buf_add(&out, text, plain))
			break;
		text += plain;
		after_word = false;
	}
	drop_controls(&out);
	return buf_take_str(&out);
}
