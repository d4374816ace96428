#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "mime/base64_lines.h"
#include "support/check.h"

enum { TEXT_MAX = 1024 * 1024 };

static bool looks(const char *text, struct base64_line *ret_line)
{
	CLEANUP(freep) uint8_t *exact = xmemdup(text, strlen(text));

	return base64_line_recognise(exact, strlen(text), ret_line);
}

static void exact_lines_are_recognised(void)
{
	static const struct {
		const char *text;
		size_t decoded;
		bool crlf;
	} cases[] = {
		{"AAAA", 3, false},
		{"AAAA\r\n", 3, true},
		{"+/z9\r\n", 3, true},
		{"AAA=\r\n", 2, true},
		{"AA==", 1, false},
		{"AAAAAAAAAAE=\r\n", 8, true},
	};
	struct base64_line line;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CHECK(looks(cases[i].text, &line));
		CHECK_INT(base64_line_decoded(&line), cases[i].decoded);
		CHECK_INT(line.crlf, cases[i].crlf);
	}
}

static void lines_that_would_change_are_not(void)
{
	static const char *const cases[] = {"", "\r\n", "AAA", "AAAA\n", "AAAA\r",
		"AB==", "AC==", "AE==", "AI==", "AAB=", "AAC=", "====", "A===", "=AAA", "AA=A",
		"AAAA====", "AA==AAAA", "AA A", "AA-_", "AAAA\r\n\r\n", "AAA\x80", "AAA\xff",
		"AA\r\n"};
	struct base64_line line;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (looks(cases[i], &line))
			CHECK_STR(cases[i], "is not a line");
}

static void add_written(
	struct buf *text, struct base64_writer *writer, const uint8_t *data, size_t len)
{
	uint8_t *to = buf_reserve(text, base64_writer_room(writer, len));

	CHECK(to);
	text->len += base64_writer_add(writer, data, len, to);
}

/* Bytes in portions become lines; the lines become the bytes again. */
static void check_round_trip(size_t len, size_t line_chars, size_t portion, bool crlf)
{
	CLEANUP(freep) uint8_t *bytes = xmalloc(len + 1);
	CLEANUP(freep) uint8_t *back = xmalloc(len + BASE64_GROUP_BYTES);
	CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);
	struct base64_writer writer = {.line_chars = line_chars};
	uint8_t *end;

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(i * i + i / 7);
	for (size_t at = 0; at < len; at += portion)
		add_written(&text, &writer, bytes + at, portion < len - at ? portion : len - at);
	end = buf_reserve(&text, base64_writer_room(&writer, 0));
	CHECK(end);
	text.len += base64_writer_end(&writer, crlf, end);
	for (size_t at = 0; at < text.len;) {
		const uint8_t *lf = memchr(text.data + at, '\n', text.len - at);
		size_t line_len = lf ? (size_t)(lf - text.data) + 1 - at : text.len - at;
		struct base64_line line;

		CHECK(base64_line_recognise(text.data + at, line_len, &line));
		CHECK(line.chars == line_chars || at + line_len == text.len);
		at += line_len;
	}
	CHECK_INT(base64_lines_decode(text.data, text.len, back), len);
	CHECK(memcmp(back, bytes, len) == 0);
}

static void bytes_survive_in_any_portions(void)
{
	static const size_t lengths[] = {1, 2, 3, 56, 57, 58, 1024, 1140, 5701};
	static const size_t line_chars[] = {4, 60, 64, 76, 996, 4096};
	static const size_t portions[] = {1, 2, 57, 100, 100000};

	for (size_t i = 0; i < ARRAY_LEN(lengths); i++)
		for (size_t j = 0; j < ARRAY_LEN(line_chars); j++)
			for (size_t k = 0; k < ARRAY_LEN(portions); k++)
				check_round_trip(lengths[i], line_chars[j], portions[k], k % 2);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(exact_lines_are_recognised),
		PROMISE(lines_that_would_change_are_not),
		PROMISE(bytes_survive_in_any_portions),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
