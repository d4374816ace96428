/* The cost of reading grows with the bytes, and not with their square: quadratic work is how a
 * server keeps a client busy for hours. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "imap/parse/reply.h"
#include "imap/parse/scan.h"
#include "support/check.h"
#include "support/steps.h"

struct flood {
	const char *head, *part, *tail;
	size_t times;
};

/* The flood with its part repeated. The caller frees. */
static char *repeat(const struct flood *flood, size_t times)
{
	size_t head_len = strlen(flood->head), part_len = strlen(flood->part);
	char *text = xmalloc(head_len + part_len * times + strlen(flood->tail) + 1);
	char *at = stpcpy(text, flood->head);

	for (size_t i = 0; i < times; i++)
		at = stpcpy(at, flood->part);
	(void)stpcpy(at, flood->tail);
	return text;
}

static void read_tokens(const char *text, size_t piece)
{
	size_t used, len = strlen(text);
	struct scan_token token;
	struct err err = ERR_INIT;
	struct scan scan;

	scan_init(&scan);
	for (size_t at = 0; at < len; at += used)
		CHECK_OK(scan_next(&scan, (const uint8_t *)text + at,
			len - at < piece ? len - at : piece, &used, &token, &err));
	scan_free(&scan);
}

static void read_replies(const char *text, size_t piece)
{
	CLEANUP(imap_parser_freep) struct imap_parser *parser = imap_parser_new();
	size_t used, len = strlen(text);
	const struct imap_reply *reply;
	struct err err = ERR_INIT;

	for (size_t at = 0; at < len; at += used)
		CHECK_OK(imap_parser_feed(parser, (const uint8_t *)text + at,
			len - at < piece ? len - at : piece, &used, &reply, &err));
}

static uint64_t steps_of(void (*read)(const char *text, size_t piece), const struct flood *flood,
	size_t times, size_t piece)
{
	CLEANUP(freep) char *text = repeat(flood, times);
	uint64_t before = steps_count();

	read(text, piece);
	return steps_count() - before;
}

static void check_growth(void (*read)(const char *text, size_t piece), const struct flood *flood,
	size_t count, size_t piece)
{
	for (size_t i = 0; i < count; i++) {
		uint64_t once = steps_of(read, &flood[i], flood[i].times, piece);
		uint64_t twice = steps_of(read, &flood[i], 2 * flood[i].times, piece);
		double ratio = (double)twice / (double)once;

		CHECK(once > flood[i].times); /* the counter runs */
		if (ratio >= STEPS_GROWTH_MAX)
			check_fail(__FILE__, __LINE__, "twice \"%s\" takes %f times the steps",
				flood[i].part, ratio);
	}
}

static void twice_the_bytes_take_twice_the_steps(void)
{
	static const struct flood floods[] = {
		{"", "* X {1}\r\nx\r\n", "", 20 * 1000},
		{"", "* LIST () \"/\" \"name\"\r\n", "", 20 * 1000},
		{"", "* 1 FETCH (FLAGS (a b c \"\\\"\"))\r\n", "", 20 * 1000},
	};

	check_growth(read_tokens, floods, ARRAY_LEN(floods), 7);
	check_growth(read_tokens, floods, ARRAY_LEN(floods), 16384);
}

static void twice_the_responses_take_twice_the_steps(void)
{
	static const struct flood floods[] = {
		{"", "* LIST (\\HasNoChildren) \"/\" \"some folder\"\r\n", "", 20 * 1000},
		{"", "* 7 FETCH (UID 9 FLAGS (\\Seen x) MODSEQ (7))\r\n", "", 20 * 1000},
		{"", "* X {1}\r\nx\r\n", "", 20 * 1000},
		{"* SEARCH", " 900000 7", "\r\n", 50 * 1000},
		{"* VANISHED 1", ",900000,7", "\r\n", 50 * 1000},
		{"* ID (", "\"\\\"\" ", ")\r\n", 80 * 1000},
	};

	check_growth(read_replies, floods, ARRAY_LEN(floods), 16384);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(twice_the_bytes_take_twice_the_steps),
		PROMISE(twice_the_responses_take_twice_the_steps),
	};
	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
