#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "mime/base64_lines.h"
#include "support/archive/apart.h"
#include "support/check.h"

enum { TEXT_MAX = 1024 * 1024, HOSTILE_MESSAGES = 5000, WHOLE = TEXT_MAX };

static uint64_t seed = 20260115;

static unsigned roll(unsigned sides)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(seed >> 33) % sides;
}

static void add_str(struct buf *text, const char *string)
{
	CHECK(buf_add(text, string, strlen(string)));
}

static void add_base64(struct buf *text, size_t len, size_t line_chars, bool crlf)
{
	CLEANUP(freep) uint8_t *bytes = xmalloc(len);
	struct base64_writer writer = {.line_chars = line_chars};
	uint8_t *to = buf_reserve(text, base64_writer_room(&writer, len));

	CHECK(to);
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(i * i + i / 7);
	len = base64_writer_add(&writer, bytes, len, to);
	text->len += len + base64_writer_end(&writer, crlf, to + len);
}

static void add_lines(struct buf *text, size_t len)
{
	for (size_t i = 0; i < len; i += 20)
		CHECK(buf_printf(text, "some words %7zu\r\n", i));
}

/* Split and joined, in several portions, the message is the same. */
static void check_counts(const struct buf *text, size_t base64_count, size_t text_count)
{
	static const size_t portions[] = {WHOLE, 4096, 1000, 1};

	for (size_t i = 0; i < ARRAY_LEN(portions); i++) {
		CLEANUP(apart_free) struct apart apart;

		apart_take(text->data, text->len, portions[i], &apart);
		CHECK(apart.sound);
		CHECK_INT(apart.base64_count, base64_count);
		CHECK_INT(apart.text_count, text_count);
		CHECK_INT(apart.joined.len, text->len);
		CHECK(memcmp(apart.joined.data, text->data, text->len) == 0);
	}
}

static void an_attachment_is_found_anywhere(void)
{
	static const size_t lengths[] = {1024, 1025, 1026, 1140, 5700, 70000};
	static const size_t line_chars[] = {4, 60, 64, 72, 76, 996, 4096};

	for (size_t i = 0; i < ARRAY_LEN(lengths) * ARRAY_LEN(line_chars); i++) {
		CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);

		add_str(&text, "A: b\r\n\r\n--x\r\n--x--\r\nabcd\nword\r\n\r\n");
		add_base64(&text, lengths[i / ARRAY_LEN(line_chars)],
			line_chars[i % ARRAY_LEN(line_chars)], true);
		add_str(&text, "\r\n--x--\r\n");
		check_counts(&text, 1, 0);
	}
}

static void a_long_body_is_a_leaf_and_its_header_is_not(void)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);
	CLEANUP(apart_free) struct apart apart;
	size_t body;

	add_str(&text, "Subject: x\r\n\r\npreamble\r\n--x\r\nContent-Type: text/html\r\n\r\n");
	body = text.len;
	add_lines(&text, 3 * SPLIT_TEXT_BYTES_MIN);
	body = text.len - body;
	add_str(&text, "--x\r\nContent-Type: text/plain\r\n\r\n");
	add_lines(&text, SPLIT_TEXT_BYTES_MIN / 2);
	add_str(&text, "--x--\r\n");
	check_counts(&text, 0, 1);
	apart_take(text.data, text.len, WHOLE, &apart);
	CHECK_INT(apart.leaves.len, body);
}

static void text_around_an_attachment_does_not_belong_to_it(void)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);

	add_str(&text, "A: b\r\n\r\n");
	add_lines(&text, 2 * SPLIT_TEXT_BYTES_MIN);
	add_base64(&text, 5000, 76, true);
	add_lines(&text, 2 * SPLIT_TEXT_BYTES_MIN);
	check_counts(&text, 1, 1);
}

static void the_end_may_lack_its_line_end(void)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);

	add_base64(&text, 3000, 76, false);
	check_counts(&text, 1, 0);
	buf_reset(&text);
	add_base64(&text, 57 * 40, 76, false);
	check_counts(&text, 1, 0);
}

static void the_same_bytes_in_another_line_length_are_the_same_leaf(void)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);
	CLEANUP(apart_free) struct apart apart;

	add_base64(&text, 10001, 76, true);
	add_str(&text, "\r\n");
	add_base64(&text, 10001, 60, true);
	check_counts(&text, 2, 0);
	apart_take(text.data, text.len, WHOLE, &apart);
	CHECK_INT(apart.leaves.len, 2 * 10001);
	CHECK(memcmp(apart.leaves.data, apart.leaves.data + 10001, 10001) == 0);
}

static void base64_that_is_not_exact_is_no_leaf(void)
{
	static const char *const lines[] = {"QUJD\n", "QUJD \r\n", "QUJ\r\n", "QR==\r\n",
		"QUI=\r\n", "QUJE\r", "Q===\r\n", "====\r\n", "QU-_\r\n", "\r\n"};

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);

		for (size_t n = 0; n < 2000; n++)
			add_str(&text, lines[i]);
		check_counts(&text, 0, 0);
	}
}

static void lines_without_end_are_text(void)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);

	add_str(&text, "A: b\r\n\r\n");
	for (size_t i = 0; i < 30000; i++)
		add_str(&text, "QUJDREVG");
	check_counts(&text, 0, 1);
	buf_reset(&text);
	for (size_t i = 0; i < 30000; i++)
		add_str(&text, "QUJDREVG");
	add_str(&text, "\r\n");
	add_base64(&text, 5000, 76, true);
	check_counts(&text, 1, 0);
}

static void the_rest_is_taken_on_demand(void)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);
	struct splitter splitter;
	struct split_span span;

	add_base64(&text, 5000, 76, true);
	splitter_begin(&splitter);
	splitter_take_the_rest(&splitter);
	CHECK(splitter_next(&splitter, text.data, 100, false, &span));
	CHECK(span.what == SPLIT_TEXT && span.begins && !span.ends && span.len == 100);
	CHECK(!splitter_next(&splitter, text.data + 100, 0, false, &span));
	CHECK(splitter_next(&splitter, text.data + 100, text.len - 100, true, &span));
	CHECK(span.what == SPLIT_TEXT && !span.begins && span.ends);
	CHECK_INT(span.len, text.len - 100);
	CHECK(!splitter_next(&splitter, text.data + text.len, 0, true, &span));
}

static void add_hostile_piece(struct buf *text)
{
	static const char *const pieces[] = {"\r\n", "\n", "\r", "=", "==\r\n", "--b\r\n", "--b--",
		" \r\n", "QUJD", "QR==\r\n", "Content-Type: multipart/mixed; boundary=b\r\n\r\n",
		"\x80\xff", "Content-Type: message/rfc822\r\n\r\n"};
	static const size_t line_chars[] = {4, 60, 76, 4096};

	if (roll(3) == 0)
		add_base64(
			text, 1 + roll(4000), line_chars[roll(ARRAY_LEN(line_chars))], roll(3) > 0);
	else if (roll(8) == 0)
		add_lines(text, roll(2 * SPLIT_TEXT_BYTES_MIN));
	else
		add_str(text, pieces[roll(ARRAY_LEN(pieces))]);
}

static void hostile_mail_is_split_and_joined_exactly(void)
{
	size_t leaves = 0;

	for (size_t i = 0; i < HOSTILE_MESSAGES; i++) {
		CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);
		CLEANUP(freep) uint8_t *exact = NULL;
		CLEANUP(apart_free) struct apart apart;

		for (unsigned n = roll(20); n > 0; n--)
			add_hostile_piece(&text);
		for (unsigned n = roll(3); n > 0 && text.len > 0; n--)
			text.data[roll((unsigned)text.len)] = (uint8_t)roll(256);
		exact = xmemdup(text.len ? text.data : (const uint8_t *)"", text.len);
		apart_take(exact, text.len, 1 + roll(5000), &apart);
		CHECK(apart.sound);
		CHECK_INT(apart.joined.len, text.len);
		CHECK(text.len == 0 || memcmp(apart.joined.data, exact, text.len) == 0);
		leaves += apart.base64_count + apart.text_count;
	}
	CHECK(leaves > HOSTILE_MESSAGES);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(an_attachment_is_found_anywhere),
		PROMISE(a_long_body_is_a_leaf_and_its_header_is_not),
		PROMISE(text_around_an_attachment_does_not_belong_to_it),
		PROMISE(the_end_may_lack_its_line_end),
		PROMISE(the_same_bytes_in_another_line_length_are_the_same_leaf),
		PROMISE(base64_that_is_not_exact_is_no_leaf),
		PROMISE(lines_without_end_are_text),
		PROMISE(the_rest_is_taken_on_demand),
		PROMISE(hostile_mail_is_split_and_joined_exactly),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
