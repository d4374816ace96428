#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rand.h"
#include "base/str.h"
#include "imap/flags.h"
#include "imap/limits.h"
#include "imap/seqset.h"
#include "support/check.h"

/* --- sets of numbers --- */

static void sets_are_read_in_any_order(void)
{
	static const struct {
		const char *text, *wanted;
	} sets[] = {
		{"1", "1"},
		{"4294967295", "4294967295"},
		{"1:5,7", "1:5,7"},
		{"7,5:1,6", "1:7"},
		{"4294967295:1", "1:4294967295"},
		{"3,3,3:3,2", "2:3"},
		{"10:20,1:12,15:30,40", "1:30,40"},
		{"4294967295,4294967294", "4294967294:4294967295"},
	};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(sets); i++) {
		CLEANUP(rangeset_free) struct rangeset set = {0};
		CLEANUP(buf_free) struct buf out = BUF_INIT(100);

		CHECK_OK(seqset_parse(sets[i].text, strlen(sets[i].text), &set, &err));
		CHECK(seqset_format(&set, &out));
		CHECK_STR(buf_str(&out), sets[i].wanted);
	}
}

static void invalid_sets_are_refused(void)
{
	static const char *const bad[] = {"", "0", "*", "1:*", "1,", ",1", "1,,2", "1:", ":1",
		"1:2:3", "1-2", "-1", "+1", " 1", "1 ", "01", "1,0", "0:5", "4294967296",
		"1:4294967296", "99999999999999999999999999", "1.5", "a", "1,2,3,"};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		CLEANUP(rangeset_free) struct rangeset set = {0};

		err_clear(&err);
		if (seqset_parse(bad[i], strlen(bad[i]), &set, &err))
			check_fail(__FILE__, __LINE__, "\"%s\" is a set", bad[i]);
		CHECK_INT(err.kind, ERR_PROTOCOL);
	}
	CHECK(!seqset_parse("1,2", 2, &(struct rangeset){0}, &err));
	CHECK(!seqset_parse("1\0002", 3, &(struct rangeset){0}, &err));
}

static void a_set_that_does_not_fit_says_so(void)
{
	CLEANUP(rangeset_free) struct rangeset set = {0};
	CLEANUP(buf_free) struct buf out = BUF_INIT(10);

	rangeset_add(&set, 1, 4294967295U);
	CHECK(!seqset_format(&set, &out));
}

static void sets_survive_the_round_trip(void)
{
	struct err err = ERR_INIT;

	for (int round = 0; round < 2000; round++) {
		CLEANUP(rangeset_free) struct rangeset set = {0}, again = {0};
		CLEANUP(buf_free) struct buf out = BUF_INIT(64 * 1024);

		for (uint32_t i = 1 + rand_below(30); i > 0; i--) {
			uint32_t first = 1 + rand_below(round % 2 ? 100 : UINT32_MAX - 50);

			rangeset_add(&set, first, first + rand_below(20));
		}
		CHECK(seqset_format(&set, &out));
		CHECK_OK(seqset_parse(buf_str(&out), out.len, &again, &err));
		CHECK(rangeset_equal(&set, &again));
	}
}

static void too_many_ranges_are_refused_and_all_numbers_are_one(void)
{
	CLEANUP(range_list_free) struct range_list list = {0};
	CLEANUP(rangeset_free) struct rangeset set = {0};

	for (uint32_t i = 1; i <= 5 * 1000 * 1000; i++)
		CHECK(range_list_add(&list, i, i));
	CHECK_INT(list.count, 1);
	list.count = 0;
	for (uint32_t i = IMAP_RANGES_MAX; i > 0; i--)
		CHECK(range_list_add(&list, 2 * i, 2 * i));
	CHECK(!range_list_add(&list, 1, 1));
	seqset_from_ranges(list.items, list.count, &set);
	CHECK_INT(set.count, IMAP_RANGES_MAX);
}

/* --- flags --- */

static void gives(const char *flags, const char *wanted, size_t wanted_bad)
{
	CLEANUP(flag_set_free) struct flag_set set;
	CLEANUP(freep) char *text = xstrdup(flags);
	CLEANUP(freep) char *canonical = NULL;
	size_t bad = 0;

	flag_set_init(&set);
	for (char *rest = text, *flag; (flag = strsep(&rest, ","));)
		CHECK(flag_set_add(&set, flag, strlen(flag), &bad));
	canonical = flag_set_canonical(&set);
	CHECK_STR(canonical, wanted);
	CHECK_INT(bad, wanted_bad);
}

static void flags_have_one_canonical_text(void)
{
	gives("\\SEEN,\\answered,\\Draft", "\\Answered \\Draft \\Seen", 0);
	gives("b,\\Recent,a,\\RECENT", "a b", 0);
	gives("$Junk,$JUNK,junk,$junk", "$JUNK junk", 0);
	gives("$junk,junk,$JUNK,$Junk", "$JUNK junk", 0);
	gives("\\X-Own,\\x-own", "\\X-Own", 0);
	gives("name:FLAG51135,a]b,[x", "[x a]b name:FLAG51135", 0);
	gives("\\Recent", "", 0);
}

static void flags_that_are_no_atoms_are_left_out_and_counted(void)
{
	gives("a b,(,),{x,\"q\",50%,\\*,caf\xc3\xa9,\x01,\x7f,\\,,a\\b,\\\\Seen,ok", "ok", 14);
}

static void the_wildcard_is_kept_where_it_may_be(void)
{
	CLEANUP(flag_set_free) struct flag_set set;
	CLEANUP(freep) char *canonical = NULL;
	size_t bad = 0;

	flag_set_init(&set);
	set.wildcard = true;
	CHECK(flag_set_add(&set, "\\Seen", 5, &bad));
	CHECK(flag_set_add(&set, "\\*", 2, &bad));
	canonical = flag_set_canonical(&set);
	CHECK_STR(canonical, "\\* \\Seen");
	CHECK_INT(bad, 0);
	flag_set_reset(&set);
	CHECK(flag_set_add(&set, "\\*", 2, &bad));
	CHECK_INT(bad, 1);
}

static void too_many_flags_are_refused(void)
{
	CLEANUP(flag_set_free) struct flag_set set;
	CLEANUP(freep) char *longest = xmalloc(IMAP_FLAGS_BYTES_MAX);
	size_t bad = 0;

	flag_set_init(&set);
	for (int i = 0; i < IMAP_FLAGS_MAX; i++)
		CHECK(flag_set_add(&set, "x", 1, &bad));
	CHECK(!flag_set_add(&set, "x", 1, &bad));
	flag_set_reset(&set);
	memset(longest, 'x', IMAP_FLAGS_BYTES_MAX);
	CHECK(flag_set_add(&set, longest, IMAP_FLAGS_BYTES_MAX - 10, &bad));
	CHECK(!flag_set_add(&set, longest, 20, &bad));
	CHECK_INT(bad, 0);
}

static void only_valid_flags_can_be_sent(void)
{
	CHECK(flag_can_be_sent("\\Seen", 5));
	CHECK(flag_can_be_sent("$Forwarded", 10));
	CHECK(flag_can_be_sent("a]b", 3));
	CHECK(!flag_can_be_sent("\\Recent", 7));
	CHECK(!flag_can_be_sent("\\recent", 7));
	CHECK(!flag_can_be_sent("\\*", 2));
	CHECK(!flag_can_be_sent("", 0));
	CHECK(!flag_can_be_sent("a b", 3));
	CHECK(!flag_can_be_sent("a\r\nb", 4));
	CHECK(!flag_can_be_sent("a\0b", 3));
}

static void flags_are_found_whole_and_in_any_case(void)
{
	CHECK(flags_have("$Junk \\Seen", "\\seen"));
	CHECK(flags_have("$Junk \\Seen", "$JUNK"));
	CHECK(!flags_have("$Junk \\Seen", "\\See"));
	CHECK(!flags_have("$Junk \\Seen", "Junk"));
	CHECK(!flags_have("", "x"));
	CHECK(!flags_have("a b", ""));
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(sets_are_read_in_any_order),
		PROMISE(invalid_sets_are_refused),
		PROMISE(a_set_that_does_not_fit_says_so),
		PROMISE(sets_survive_the_round_trip),
		PROMISE(too_many_ranges_are_refused_and_all_numbers_are_one),
		PROMISE(flags_have_one_canonical_text),
		PROMISE(flags_that_are_no_atoms_are_left_out_and_counted),
		PROMISE(the_wildcard_is_kept_where_it_may_be),
		PROMISE(too_many_flags_are_refused),
		PROMISE(only_valid_flags_can_be_sent),
		PROMISE(flags_are_found_whole_and_in_any_case),
	};
	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
