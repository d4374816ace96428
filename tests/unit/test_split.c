#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "mime/split.h"
#include "support/check.h"

enum { TEXT_MAX = 1024 * 1024, HOSTILE_MESSAGES = 5000 };

static uint64_t seed = 20260115;

static unsigned roll(unsigned sides)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (unsigned)(seed >> 33) % sides;
}

static void add(struct buf *text, const void *data, size_t len)
{
	CHECK(buf_add(text, data, len));
}

static void add_str(struct buf *text, const char *string)
{
	add(text, string, strlen(string));
}

static void add_leaf(struct buf *text, size_t len, size_t line_chars, bool crlf)
{
	CLEANUP(freep) uint8_t *bytes = xmalloc(len);
	struct split_leaf leaf = {
		.decoded_len = len, .line_chars = line_chars, .ends_in_crlf = crlf};

	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(i * i + i / 7);
	CHECK(split_encode(bytes, &leaf, text));
}

/* Everything that is a leaf is decoded, encoded again and compared. Returns how many there are. */
static size_t check_round_trip(const struct buf *text)
{
	struct split_leaf leaf;
	size_t count = 0;

	for (size_t at = 0; split_next(text->data, text->len, at, &leaf); at = leaf.end) {
		CLEANUP(buf_free) struct buf decoded = BUF_INIT(TEXT_MAX);
		CLEANUP(buf_free) struct buf encoded = BUF_INIT(TEXT_MAX);

		CHECK(leaf.start >= at && leaf.end <= text->len && leaf.start < leaf.end);
		CHECK(split_decode(text->data, &leaf, &decoded));
		CHECK(split_encode(decoded.data, &leaf, &encoded));
		CHECK_INT(encoded.len, leaf.end - leaf.start);
		CHECK(memcmp(encoded.data, text->data + leaf.start, encoded.len) == 0);
		count++;
	}
	return count;
}

static void a_leaf_is_found_wherever_it_stands(void)
{
	static const size_t lengths[] = {1024, 1025, 1026, 1140, 5700, 70000};
	static const size_t line_chars[] = {4, 60, 64, 72, 76, 996, 4096};

	for (size_t i = 0; i < ARRAY_LEN(lengths) * ARRAY_LEN(line_chars); i++) {
		CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);

		add_str(&text, "A: b\r\n\r\n--x\r\n--x--\r\nabcd\nword\r\n\r\n");
		add_leaf(&text, lengths[i / ARRAY_LEN(line_chars)],
			line_chars[i % ARRAY_LEN(line_chars)], true);
		add_str(&text, "\r\n--x--\r\n");
		CHECK_INT(check_round_trip(&text), 1);
	}
}

static void the_end_may_lack_its_line_end(void)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);

	add_leaf(&text, 3000, 76, false);
	CHECK_INT(check_round_trip(&text), 1);
	add_str(&text, "\r");
	(void)check_round_trip(&text);
}

static void another_line_length_says_the_same(void)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);
	CLEANUP(buf_free) struct buf first = BUF_INIT(TEXT_MAX);
	CLEANUP(buf_free) struct buf second = BUF_INIT(TEXT_MAX);
	struct split_leaf leaf;

	add_leaf(&text, 10001, 76, true);
	add_str(&text, "\r\n");
	add_leaf(&text, 10001, 60, true);
	CHECK(split_next(text.data, text.len, 0, &leaf));
	CHECK(split_decode(text.data, &leaf, &first));
	CHECK(split_next(text.data, text.len, leaf.end, &leaf));
	CHECK(split_decode(text.data, &leaf, &second));
	CHECK_INT(first.len, 10001);
	CHECK_INT(second.len, first.len);
	CHECK(memcmp(first.data, second.data, first.len) == 0);
}

static void what_does_not_encode_again_is_no_leaf(void)
{
	static const char *const lines[] = {"QUJD\n", "QUJD \r\n", "QUJ\r\n", "QR==\r\n",
		"QUI=\r\n", "QUJE\r", "Q===\r\n", "====\r\n", "QU-_\r\n", "\r\n"};

	for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
		CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);

		for (size_t n = 0; n < 2000; n++)
			add_str(&text, lines[i]);
		CHECK_INT(check_round_trip(&text), 0);
	}
}

static void add_hostile_piece(struct buf *text)
{
	static const char *const pieces[] = {"\r\n", "\n", "\r", "=", "==\r\n", "--b\r\n", "--b--",
		" \r\n", "QUJD", "QR==\r\n", "Content-Type: multipart/mixed; boundary=b\r\n\r\n",
		"\x80\xff", "Content-Type: message/rfc822\r\n\r\n"};
	static const size_t line_chars[] = {4, 60, 76, 4096};

	if (roll(3) == 0)
		add_leaf(
			text, 1 + roll(4000), line_chars[roll(ARRAY_LEN(line_chars))], roll(3) > 0);
	else
		add_str(text, pieces[roll(ARRAY_LEN(pieces))]);
}

static void hostile_mail_goes_round_exactly(void)
{
	size_t leaves = 0;

	for (size_t i = 0; i < HOSTILE_MESSAGES; i++) {
		CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);
		CLEANUP(freep) uint8_t *exact = NULL;
		struct buf copy;

		for (unsigned n = roll(20); n > 0; n--)
			add_hostile_piece(&text);
		for (unsigned n = roll(3); n > 0 && text.len > 0; n--)
			text.data[roll((unsigned)text.len)] = (uint8_t)roll(256);
		exact = xmemdup(text.len ? text.data : (const uint8_t *)"", text.len);
		copy = (struct buf){.data = exact, .len = text.len};
		leaves += check_round_trip(&copy);
	}
	CHECK(leaves > HOSTILE_MESSAGES);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(a_leaf_is_found_wherever_it_stands),
		PROMISE(the_end_may_lack_its_line_end),
		PROMISE(another_line_length_says_the_same),
		PROMISE(what_does_not_encode_again_is_no_leaf),
		PROMISE(hostile_mail_goes_round_exactly),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
