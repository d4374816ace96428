/* What a hostile server may answer once we are logged in. */
#include <string.h>
#include <sys/resource.h>

#include "base/clock.h"
#include "base/str.h"
#include "imap/limits.h"
#include "support/talk.h"

enum { PATIENCE_MS = 10 * 1000, MEMORY_MAX_KB = 64 * 1024, TEXT_MAX = 256 * 1024 };

/* What a fetch brought. */
struct told {
	uint64_t body_bytes;
	unsigned bodies_begun;
	unsigned bodies_ended;
	unsigned fetched;
	unsigned fetched_with_uid;
	uint64_t vanished;
	unsigned done;
};

static bool begins(void *context, uint64_t size_bytes, struct err *err)
{
	struct told *told = context;

	(void)size_bytes;
	(void)err;
	told->bodies_begun++;
	return true;
}

static bool continues(void *context, const uint8_t *data, size_t len, struct err *err)
{
	struct told *told = context;

	(void)data;
	(void)err;
	told->body_bytes += len;
	return true;
}

static bool ends(void *context, struct err *err)
{
	struct told *told = context;

	(void)err;
	told->bodies_ended++;
	return true;
}

static bool fetched(void *context, const struct imap_fetch_reply *fetch, struct err *err)
{
	struct told *told = context;

	(void)err;
	told->fetched++;
	told->fetched_with_uid += (fetch->has & IMAP_FETCHED_UID) != 0;
	return true;
}

static bool vanished(void *context, const struct rangeset *uids, bool earlier, struct err *err)
{
	struct told *told = context;

	(void)earlier;
	(void)err;
	told->vanished += rangeset_size(uids);
	return true;
}

static bool done(
	void *context, const struct rangeset *uids, bool ok, const char *text, struct err *err)
{
	struct told *told = context;

	(void)uids;
	(void)text;
	(void)err;
	told->done += ok;
	return true;
}

static bool fetch_one(struct talk *talk, struct told *told)
{
	CLEANUP(rangeset_free) struct rangeset uids = {0};
	const struct imap_fetch what = {.uids = &uids, .items = IMAP_ITEM_FLAGS | IMAP_ITEM_BODY};
	const struct imap_fetch_sink sink = {
		.context = told,
		.body = {told, begins, continues, ends},
		.fetched = fetched,
		.vanished = vanished,
		.range_done = done,
	};

	rangeset_add(&uids, 5, 5);
	return imap_fetch(talk->imap, &what, &sink, &talk->err);
}

static long memory_kb(void)
{
	struct rusage usage;

	CHECK_INT(getrusage(RUSAGE_SELF, &usage), 0);
	return usage.ru_maxrss;
}

/* One FETCH that is answered like this fails like that, soon and in little memory. */
static struct told check_fetch(const char *answer, enum err_kind kind)
{
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(freep)
	char *text = str_printf("%s%s", EXAMINED("", "3") "C: a UID FETCH ...\n", answer);
	struct told told = {0};
	int64_t from_ms = clock_mono_ms();
	long from_kb;
	bool whole;

	CHECK_TALK(&talk, talk_examine(&talk, text));
	from_kb = memory_kb();
	whole = fetch_one(&talk, &told);
	CHECK_INT(whole, kind == ERR_NONE);
	if (talk.err.kind != kind)
		check_fail(__FILE__, __LINE__, "%.200s is %s: %s", answer,
			err_kind_name(talk.err.kind), talk.err.text);
	CHECK(clock_mono_ms() - from_ms < PATIENCE_MS);
	CHECK(memory_kb() - from_kb < MEMORY_MAX_KB);
	CHECK(whole || told.done == 0);
	(void)talk_close(&talk);
	return told;
}

static void check_noop(const char *answer, enum err_kind kind)
{
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(freep) char *text = str_printf("%s%s", LOGGED_IN("") "C: a NOOP\n", answer);
	int64_t from_ms = clock_mono_ms();
	long from_kb;

	CHECK_TALK(&talk, talk_begin(&talk, text));
	from_kb = memory_kb();
	CHECK_INT(imap_noop(talk.imap, &talk.err), kind == ERR_NONE);
	if (talk.err.kind != kind)
		check_fail(__FILE__, __LINE__, "%.200s is %s: %s", answer,
			err_kind_name(talk.err.kind), talk.err.text);
	CHECK(clock_mono_ms() - from_ms < PATIENCE_MS);
	CHECK(memory_kb() - from_kb < MEMORY_MAX_KB);
	(void)talk_close(&talk);
}

/* --- tags --- */

static void reply_to_a_foreign_tag_ends_it(void)
{
	check_noop("S: A1 OK done\n", ERR_PROTOCOL);
	check_noop("S: x\n", ERR_PROTOCOL);
	check_noop("S: a OKAY\n", ERR_PROTOCOL);
}

static void reply_before_the_command_ends_it(void)
{
	CLEANUP(talk_end) struct talk talk = {0};

	CHECK_TALK(&talk, talk_begin(&talk, LOGGED_IN("") "S: A1 OK done\n"));
	CHECK(!imap_noop(talk.imap, &talk.err));
	CHECK_INT(talk.err.kind, ERR_PROTOCOL);
}

static void reply_given_twice_ends_it(void)
{
	CLEANUP(talk_end) struct talk talk = {0};

	CHECK_TALK(&talk, talk_begin(&talk, LOGGED_IN("") "C: a NOOP\n"
							  "J: a OK\n"
							  "S: a OK again\n"));
	CHECK_TALK(&talk, imap_noop(talk.imap, &talk.err));
	CHECK(!imap_noop(talk.imap, &talk.err));
	CHECK_INT(talk.err.kind, ERR_PROTOCOL);
}

static void ok_to_half_a_command_ends_it(void)
{
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(imap_examined_free) struct imap_examined examined = {0};

	CHECK_TALK(&talk, talk_begin(&talk, LOGGED_IN("") "C: a EXAMINE {2}\n"
							  "S: a OK [READ-ONLY] done\n"));
	CHECK(!imap_examine(talk.imap, "\xc3\xa4", NULL, NULL, &examined, &talk.err));
	CHECK_INT(talk.err.kind, ERR_PROTOCOL);
}

/* --- ends --- */

static void goodbye_is_tried_later_with_its_words(void)
{
	check_noop("S: * BYE Session expired, please login again\n", ERR_RETRY);
	check_noop("N: 1000 * BYE # again\n", ERR_RETRY);
}

static void goodbye_inside_a_literal_is_no_message(void)
{
	struct told told = check_fetch("S: * 1 FETCH (UID 5 BODY[] {100}\n"
				       "R: half\\r\\n* BYE Internal error\\r\\n\n"
				       "X:\n",
		ERR_RETRY);

	CHECK_INT(told.bodies_ended, 0);
	CHECK_INT(told.fetched, 0);
}

static void end_inside_a_literal_is_no_message(void)
{
	struct told told = check_fetch("S: * 1 FETCH (UID 5 BODY[] {100}\nZ: 99\nX:\n", ERR_RETRY);

	CHECK_INT(told.bodies_ended, 0);
}

static void end_before_the_tagged_reply_is_no_range(void)
{
	struct told told =
		check_fetch("S: * 1 FETCH (UID 5 BODY[] {9}\nZ: 9\nS: )\nX:\n", ERR_RETRY);

	CHECK_INT(told.bodies_ended, 1);
	CHECK_INT(told.done, 0);
}

static void silence_and_trickle_have_an_end(void)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);
	bool fits = true;

	check_fetch("S: * 1 FETCH (UID 5 BODY[] {1000}\nZ: 10\nW: 4000\n", ERR_RETRY);
	for (int i = 0; i < 40; i++)
		fits = fits && buf_add_str(&text, "S: * OK Still here\nW: 200\n");
	CHECK(fits);
	check_noop(buf_str(&text), ERR_RETRY);
}

/* --- sizes --- */

static void large_literals_are_streamed_and_never_believed(void)
{
	static const char *const sizes[] = {"2147483647", "2147483648", "2147483649", "4294967295",
		"4294967296", "9223372036854775807", "9223372036854775808", "18446744073709551615"};

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		CLEANUP(freep)
		char *text =
			str_printf("S: * 1 FETCH (UID 5 BODY[] {%s}\nZ: 1000000\nX:\n", sizes[i]);
		struct told told = check_fetch(text, ERR_RETRY);

		CHECK_INT(told.body_bytes, 1000000);
		CHECK_INT(told.bodies_ended, 0);
	}
}

static void literals_without_a_size_end_it(void)
{
	static const char *const sizes[] = {"{18446744073709551616}",
		"{9999999999999999999999999999999999999999}", "{-1}", "{}", "{1x}", "{0x10}",
		"{ 5}"};

	for (size_t i = 0; i < ARRAY_LEN(sizes); i++) {
		CLEANUP(freep)
		char *text = str_printf("S: * 1 FETCH (UID 5 BODY[] %s\nZ: 100\nX:\n", sizes[i]);

		CHECK_INT(check_fetch(text, ERR_PROTOCOL).bodies_ended, 0);
	}
}

static void empty_messages_are_messages(void)
{
	struct told told = check_fetch("R: * 1 FETCH (UID 5 BODY[] {0}\\r\\n)\\r\\n\n"
				       "S: * 2 FETCH (UID 6 BODY[] \"\")\n"
				       "S: a OK\n",
		ERR_NONE);

	CHECK_INT(told.bodies_ended, 2);
	CHECK_INT(told.body_bytes, 0);
}

static void body_nobody_asked_for_is_not_kept(void)
{
	check_noop("S: * 1 FETCH (UID 5 BODY[] {1000000}\nZ: 1000000\nS: )\nS: a OK\n", ERR_NONE);
	check_noop("S: * 1 FETCH (UID 5 BODY[] {9000000000}\nZ: 100000000\nX:\n", ERR_PROTOCOL);
	check_noop("S: * X {9000000000}\nZ: 100000000\nX:\n", ERR_PROTOCOL);
}

static void endless_line_ends_it(void)
{
	check_noop("R: * OK \nZ: 3000000\n", ERR_PROTOCOL);
	check_noop("R: * LIST () \"/\" \"\nZ: 3000000\n", ERR_PROTOCOL);
	check_noop("Z: 3000000\n", ERR_PROTOCOL);
}

static void many_literals_in_one_response_end_it(void)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);
	bool fits = buf_add_str(&text, "R: * ID (");

	for (int i = 0; i < 2000; i++)
		fits = fits && buf_add_str(&text, "{1}\\r\\nx ");
	CHECK(fits && buf_add_str(&text, ")\\r\\n\nS: a OK\n"));
	check_noop(buf_str(&text), ERR_PROTOCOL);
}

static void deep_nesting_ends_it(void)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);
	bool fits = buf_add_str(&text, "R: * X ");

	for (int i = 0; i < 100000; i++)
		fits = fits && buf_add_str(&text, "(");
	CHECK(fits && buf_add_str(&text, "\\r\\n\nS: a OK\n"));
	check_noop(buf_str(&text), ERR_PROTOCOL);
}

static void flood_of_flags_ends_it(void)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT(TEXT_MAX);
	bool fits = buf_add_str(&text, "R: * 1 FETCH (UID 5 FLAGS (");

	for (int i = 0; i < 5000; i++)
		fits = fits && buf_printf(&text, "k%d ", i);
	CHECK(fits && buf_add_str(&text, "))\\r\\n\nS: a OK\n"));
	(void)check_fetch(buf_str(&text), ERR_PROTOCOL);
}

/* --- floods --- */

static void endless_untagged_responses_end_it(void)
{
	check_noop("N: 300000 * OK Still here #\n", ERR_PROTOCOL);
	check_noop("N: 300000 * # EXISTS\n", ERR_PROTOCOL);
	check_noop("N: 300000 * # FETCH (UID # FLAGS ())\n", ERR_PROTOCOL);
	check_noop("N: 300000 * XUNKNOWN #\n", ERR_PROTOCOL);
	check_noop("N: 300000 * CAPABILITY IMAP4rev1 X#\n", ERR_PROTOCOL);
	check_noop("N: 300000 + go #\n", ERR_PROTOCOL);
}

static void flood_during_fetch_ends_it(void)
{
	(void)check_fetch("N: 300000 * # FETCH (UID 5 FLAGS () BODY[] \"x\")\n", ERR_PROTOCOL);
}

static void flood_of_folders_ends_it(void)
{
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(imap_folders_free) struct imap_folders folders = {0};
	int64_t from_ms = clock_mono_ms();

	CHECK_TALK(&talk, talk_begin(&talk, LOGGED_IN("") "C: a LIST ...\n"
							  "N: 200001 * LIST () \"/\" f#\n"
							  "S: a OK\n"));
	CHECK(!imap_list(talk.imap, false, &folders, &talk.err));
	CHECK_INT(talk.err.kind, ERR_PROTOCOL);
	CHECK_STR(talk.err.text, "LIST: more than 200000 folders");
	CHECK(clock_mono_ms() - from_ms < PATIENCE_MS);
}

static void folder_name_has_a_length(void)
{
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(imap_folders_free) struct imap_folders folders = {0};

	CHECK_TALK(&talk, talk_begin(&talk, LOGGED_IN("") "C: a LIST ...\n"
							  "S: * LIST () \"/\" {10000}\n"
							  "Z: 10000\n"
							  "S: \n"
							  "S: a OK\n"));
	CHECK(!imap_list(talk.imap, false, &folders, &talk.err));
	CHECK_INT(talk.err.kind, ERR_PROTOCOL);
}

/* --- numbers --- */

static void uids_that_cannot_be_are_absent(void)
{
	struct told told = check_fetch("S: * 1 FETCH (UID 0 FLAGS ())\n"
				       "S: * 1 FETCH (UID 4294967296 FLAGS ())\n"
				       "S: * 1 FETCH (UID 99999999999999999999999 FLAGS ())\n"
				       "S: * 0 FETCH (FLAGS ())\n"
				       "S: * 9 FETCH (UID 9 FLAGS ())\n"
				       "S: * 8 FETCH (UID 8 FLAGS ())\n"
				       "S: * 8 FETCH (UID 8 FLAGS ())\n"
				       "S: a OK\n",
		ERR_NONE);

	CHECK_INT(told.fetched, 7);
	CHECK_INT(told.fetched_with_uid, 3);
}

static void everything_may_vanish_in_no_memory(void)
{
	struct told told = check_fetch("S: * VANISHED 1:4294967295\n"
				       "S: * VANISHED (EARLIER) 1:4294967295\n"
				       "S: a OK\n",
		ERR_NONE);

	CHECK_INT(told.vanished, 2 * 4294967295);
}

static void giant_search_is_one_range(void)
{
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(rangeset_free) struct rangeset uids = {0};

	CHECK_TALK(&talk,
		talk_examine(&talk, EXAMINED("ESEARCH", "3") "C: a UID SEARCH ...\n"
							     "S: * ESEARCH UID ALL 1:4294967295\n"
							     "S: a OK\n"));
	CHECK_TALK(&talk, imap_search_all(talk.imap, &uids, &talk.err));
	CHECK_INT(uids.count, 1);
	CHECK_STR(talk_close(&talk), "");
}

static void expunge_beyond_the_folder_does_no_harm(void)
{
	CLEANUP(talk_end) struct talk talk = {0};

	CHECK_TALK(&talk, talk_examine(&talk, EXAMINED("", "1") "C: a NOOP\n"
								"N: 100 * 4294967295 EXPUNGE\n"
								"S: * 99999999999 EXISTS\n"
								"S: a OK\n"));
	CHECK_TALK(&talk, imap_noop(talk.imap, &talk.err));
	CHECK(imap_take_news(talk.imap));
	CHECK_STR(talk_close(&talk), "");
}

/* --- words --- */

static void capabilities_cannot_be_slipped_in(void)
{
	CLEANUP(talk_end) struct talk talk = {0};

	CHECK_TALK(
		&talk, talk_begin(&talk, LOGGED_IN("IDLE") "C: a NOOP\n"
							   "S: * CAPABILITY IMAP4rev1 LITERAL+\n"
							   "S: * OK [CAPABILITY LITERAL+] hm\n"
							   "S: a OK [CAPABILITY LITERAL+] hm\n"));
	CHECK_TALK(&talk, imap_noop(talk.imap, &talk.err));
	CHECK_INT(imap_caps(talk.imap), IMAP_CAP_IDLE);
	CHECK_STR(talk_close(&talk), "");
}

static void words_of_the_server_cannot_drive_a_terminal(void)
{
	CLEANUP(talk_end) struct talk talk = {0};

	CHECK_TALK(&talk, talk_begin(&talk, LOGGED_IN("") "C: a NOOP\n"
							  "S: a NO \xe2\x80\xae evil \xc2\x9b"
							  "2J \xff\n"));
	CHECK(!imap_noop(talk.imap, &talk.err));
	CHECK_INT(talk.err.kind, ERR_REFUSED);
	CHECK(!strstr(talk.err.text, "\xe2\x80\xae") && !strstr(talk.err.text, "\xc2\x9b"));
	CHECK(str_utf8_valid(talk.err.text, strlen(talk.err.text)));
	CHECK_STR(talk_close(&talk), "");
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(reply_to_a_foreign_tag_ends_it),
		PROMISE(reply_before_the_command_ends_it),
		PROMISE(reply_given_twice_ends_it),
		PROMISE(ok_to_half_a_command_ends_it),
		PROMISE(goodbye_is_tried_later_with_its_words),
		PROMISE(goodbye_inside_a_literal_is_no_message),
		PROMISE(end_inside_a_literal_is_no_message),
		PROMISE(end_before_the_tagged_reply_is_no_range),
		PROMISE(silence_and_trickle_have_an_end),
		PROMISE(large_literals_are_streamed_and_never_believed),
		PROMISE(literals_without_a_size_end_it),
		PROMISE(empty_messages_are_messages),
		PROMISE(body_nobody_asked_for_is_not_kept),
		PROMISE(endless_line_ends_it),
		PROMISE(many_literals_in_one_response_end_it),
		PROMISE(deep_nesting_ends_it),
		PROMISE(flood_of_flags_ends_it),
		PROMISE(endless_untagged_responses_end_it),
		PROMISE(flood_during_fetch_ends_it),
		PROMISE(flood_of_folders_ends_it),
		PROMISE(folder_name_has_a_length),
		PROMISE(uids_that_cannot_be_are_absent),
		PROMISE(everything_may_vanish_in_no_memory),
		PROMISE(giant_search_is_one_range),
		PROMISE(expunge_beyond_the_folder_does_no_harm),
		PROMISE(capabilities_cannot_be_slipped_in),
		PROMISE(words_of_the_server_cannot_drive_a_terminal),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
