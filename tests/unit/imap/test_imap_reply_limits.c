#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "imap/limits.h"
#include "imap/parse/reply.h"
#include "support/check.h"
#include "support/imap/show_reply.h"

static char *repeat(const char *head, const char *part, size_t times, const char *tail)
{
	size_t head_len = strlen(head), part_len = strlen(part);
	char *text = xmalloc(head_len + part_len * times + strlen(tail) + 1);
	char *at = stpcpy(text, head);

	for (size_t i = 0; i < times; i++)
		at = stpcpy(at, part);
	(void)stpcpy(at, tail);
	return text;
}

static void shows(
	const char *head, const char *part, size_t times, const char *tail, const char *wanted)
{
	CLEANUP(buf_free) struct buf out = BUF_INIT(1024 * 1024);
	CLEANUP(freep) char *text = repeat(head, part, times, tail);

	show_replies(text, strlen(text), 0, &out);
	if (!str_starts(buf_str(&out), wanted))
		check_fail(__FILE__, __LINE__, "%zu times \"%s\" gives \"%.200s\", not \"%s\"",
			times, part, buf_str(&out), wanted);
}

static void floods_end_in_an_error(void)
{
	shows("* 1 FETCH (FLAGS (", "a ", IMAP_FLAGS_MAX, "))\r\n", "fetch");
	shows("* 1 FETCH (FLAGS (", "a ", IMAP_FLAGS_MAX + 1, "))\r\n", "!more than 1000 flags");
	shows("* FLAGS (", "keyword ", 1000 * 1000, ")\r\n", "!response line longer");
	shows("* FLAGS (", "a-rather-long-keyword-that-means-nothing ", 900, ")\r\n",
		"!more than 1000 flags, or 32768 bytes");
	shows("* LIST () \"/\" ", "n", IMAP_NAME_BYTES_MAX, "\r\n", "list name=nnn");
	shows("* LIST () \"/\" ", "n", IMAP_NAME_BYTES_MAX + 1, "\r\n", "!folder name longer");
	shows("* X ", "(", 100 * 1000, "\r\n", "!malformed response: parentheses nested");
	shows("* X ", "{1}\r\nx", 100 * 1000, "\r\n", "!malformed response: too many literals");
	shows("* CAPABILITY ", "x ", 1000 * 1000, "\r\n", "!response line longer");
	shows("* ID (", "x ", 500 * 1000, ")\r\n", "id word=x");
}

static void strings_of_one_response_have_a_limit(void)
{
	CLEANUP(freep) char *kept = repeat("{65536}\r\n", "x", IMAP_SMALL_LITERAL_MAX, " ");
	CLEANUP(freep) char *large = repeat("{65537}\r\n", "x", IMAP_SMALL_LITERAL_MAX + 1, " ");

	shows("* X ", kept, 30, "\r\n", "other");
	shows("* X ", kept, 40, "\r\n", "!response with more than 2097152 bytes of strings");
	shows("* X ", large, 100, "\r\n", "other");
	shows("* LIST () \"/\" ", large, 1, "\r\n", "!malformed response: folder name");
	shows("* 1 FETCH (BODY[HEADER] ", large, 1, "UID 3)\r\n", "fetch n=1 uid=3\n");
	shows("* 1 FETCH (BODY[] ", large, 1, "UID 3)\r\n", "body 65537:");
}

static void sets_may_be_long_but_not_endless(void)
{
	shows("* SEARCH", " 4000000001", 300 * 1000, "\r\n", "search set=4000000001\n");
	shows("* VANISHED 3", ",4000000001", 300 * 1000, "\r\n", "vanished set=3,4000000001\n");
	shows("* SEARCH", " 9 7", IMAP_RANGES_MAX, "\r\n", "!set of more than");
	shows("* ESEARCH ALL 9", ",7,9", IMAP_RANGES_MAX, "\r\n", "!set of more than");
	shows("* SEARCH", " 4000000001", 4 * 1000 * 1000, "\r\n", "!response line longer");
}

static void headers_with_nul_are_kept(void)
{
	static const char bytes[] = "* 1 FETCH (BODY[HEADER] {4}\r\na\0\0b)\r\n";

	check_pieces(show_replies, bytes, sizeof(bytes) - 1, "fetch n=1 header=a  b\n");
}

static bool refuse_data(void *context, const uint8_t *data, size_t len, struct err *err)
{
	(void)context;
	(void)data;
	(void)len;
	return err_set(err, ERR_NO_SPACE, "full");
}

static bool accept_begin(void *context, uint64_t size, struct err *err)
{
	(void)context;
	(void)size;
	(void)err;
	return true;
}

static void an_error_of_the_sink_is_passed_on(void)
{
	const struct imap_body_sink sink = {.begin = accept_begin, .data = refuse_data};
	CLEANUP(imap_parser_freep) struct imap_parser *parser = imap_parser_new();
	static const char bytes[] = "* 1 FETCH (BODY[] {3}\r\nabc";
	const struct imap_reply *reply;
	struct err err = ERR_INIT;
	size_t used;

	imap_parser_set_sink(parser, &sink);
	CHECK(!imap_parser_feed(
		parser, (const uint8_t *)bytes, strlen(bytes), &used, &reply, &err));
	CHECK_INT(err.kind, ERR_NO_SPACE);
}

static void a_parser_knows_what_it_holds(void)
{
	CLEANUP(imap_parser_freep) struct imap_parser *parser = imap_parser_new();
	static const char half[] = "* 1 FETCH (BODY[] {10}\r\nabc", rest[] = "defghij)\r\n";
	const struct imap_reply *reply;
	struct err err = ERR_INIT;
	size_t used;

	CHECK(imap_parser_is_empty(parser));
	CHECK_OK(
		imap_parser_feed(parser, (const uint8_t *)half, strlen(half), &used, &reply, &err));
	CHECK(!reply && used == strlen(half));
	CHECK(!imap_parser_is_empty(parser));
	CHECK_INT(imap_parser_literal_left(parser), 7);
	CHECK_OK(
		imap_parser_feed(parser, (const uint8_t *)rest, strlen(rest), &used, &reply, &err));
	CHECK(reply && reply->fetch.body_size == 10);
	CHECK(imap_parser_is_empty(parser));
	CHECK_INT(imap_parser_literal_left(parser), 0);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(floods_end_in_an_error),
		PROMISE(strings_of_one_response_have_a_limit),
		PROMISE(sets_may_be_long_but_not_endless),
		PROMISE(headers_with_nul_are_kept),
		PROMISE(an_error_of_the_sink_is_passed_on),
		PROMISE(a_parser_knows_what_it_holds),
	};
	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
