/* What a hostile server may answer once we are logged in. */
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "imap/limits.h"
#include "support/imap/hostile.h"

enum { TEXT_MAX = 256 * 1024 };

/* --- tags --- */

static void reply_to_a_foreign_tag_ends_it(void)
{
	check_noop("S: A1 OK done\n", ERR_PROTOCOL);
}

static void line_that_is_no_response_is_passed_over(void)
{
	check_noop("S: x\nS: a OK\n", ERR_NONE);
	check_noop("S: <html> \"(\nS: [COPYUID 1 2 3]\nS: a OK\n", ERR_NONE);
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
	static const char *const script[] = {
		LOGGED_IN(""),
		"C: a NOOP\n",
		"J: a OK\n",
		"S: a OK again\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};

	CHECK_TALK(&talk, talk_begin(&talk, SCRIPT(script)));
	CHECK_TALK(&talk, imap_noop(talk.imap, &talk.err));
	CHECK(!imap_noop(talk.imap, &talk.err));
	CHECK_INT(talk.err.kind, ERR_PROTOCOL);
}

static void ok_to_half_a_command_ends_it(void)
{
	static const char *const script[] = {
		LOGGED_IN(""),
		"C: a EXAMINE {2}\n",
		"S: a OK [READ-ONLY] done\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(imap_examined_free) struct imap_examined examined = {0};

	CHECK_TALK(&talk, talk_begin(&talk, SCRIPT(script)));
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
	static const char *const script[] = {
		"S: * 1 FETCH (UID 5 BODY[] {100}\n",
		"R: half\\r\\n* BYE Internal error\\r\\n\n",
		"X:\n",
	};
	struct told told = check_fetch(SCRIPT(script), ERR_RETRY);

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
		fits = fits && buf_add_str(&text, "S: * OK\nW: 200\n");
	CHECK(fits);
	check_noop(buf_str(&text), ERR_RETRY);
}

/* --- numbers --- */

static void uids_that_cannot_be_are_absent(void)
{
	static const char *const script[] = {
		"S: * 1 FETCH (UID 0 FLAGS ())\n",
		"S: * 1 FETCH (UID 4294967296 FLAGS ())\n",
		"S: * 1 FETCH (UID 99999999999999999999999 FLAGS ())\n",
		"S: * 0 FETCH (FLAGS ())\n",
		"S: * 9 FETCH (UID 9 FLAGS ())\n",
		"S: * 8 FETCH (UID 8 FLAGS ())\n",
		"S: * 8 FETCH (UID 8 FLAGS ())\n",
		"S: a OK\n",
	};
	struct told told = check_fetch(SCRIPT(script), ERR_NONE);

	CHECK_INT(told.fetched, 7);
	CHECK_INT(told.fetched_with_uid, 3);
}

static void everything_may_vanish_in_no_memory(void)
{
	static const char *const script[] = {
		"S: * VANISHED 1:4294967295\n",
		"S: * VANISHED (EARLIER) 1:4294967295\n",
		"S: a OK\n",
	};
	struct told told = check_fetch(SCRIPT(script), ERR_NONE);

	CHECK_INT(told.vanished, 2 * 4294967295);
}

static void search_that_finds_more_than_there_is_ends_it(void)
{
	static const char *const script[] = {
		EXAMINED("ESEARCH", "3"),
		"C: a UID SEARCH ...\n",
		"S: * ESEARCH UID ALL 1:4294967295\n",
		"S: a OK\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(rangeset_free) struct rangeset uids = {0};

	CHECK_TALK(&talk, talk_examine(&talk, SCRIPT(script)));
	CHECK(!imap_search_all(talk.imap, &uids, &talk.err));
	CHECK_INT(talk.err.kind, ERR_PROTOCOL);
	CHECK(strstr(talk.err.text, "4294967295 messages in a folder of 3"));
	CHECK_STR(talk_close(&talk), "");
}

static void expunge_beyond_the_folder_does_no_harm(void)
{
	static const char *const script[] = {
		EXAMINED("", "1"),
		"C: a NOOP\n",
		"N: 100 * 4294967295 EXPUNGE\n",
		"S: * 99999999999 EXISTS\n",
		"S: a OK\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};

	CHECK_TALK(&talk, talk_examine(&talk, SCRIPT(script)));
	CHECK_TALK(&talk, imap_noop(talk.imap, &talk.err));
	CHECK(imap_take_news(talk.imap));
	CHECK_STR(talk_close(&talk), "");
}

/* --- words --- */

static void capabilities_cannot_be_slipped_in(void)
{
	static const char *const script[] = {
		LOGGED_IN("IDLE"),
		"C: a NOOP\n",
		"S: * CAPABILITY IMAP4rev1 LITERAL+\n",
		"S: * OK [CAPABILITY LITERAL+] hm\n",
		"S: a OK [CAPABILITY LITERAL+] hm\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};

	CHECK_TALK(&talk, talk_begin(&talk, SCRIPT(script)));
	CHECK_TALK(&talk, imap_noop(talk.imap, &talk.err));
	CHECK_INT(imap_caps(talk.imap), IMAP_CAP_IDLE);
	CHECK_STR(talk_close(&talk), "");
}

static void words_of_the_server_cannot_drive_a_terminal(void)
{
	static const char *const script[] = {
		LOGGED_IN(""),
		"C: a NOOP\n",
		"S: a NO \xe2\x80\xae evil \xc2\x9b[2J \xff\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};

	CHECK_TALK(&talk, talk_begin(&talk, SCRIPT(script)));
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
		PROMISE(line_that_is_no_response_is_passed_over),
		PROMISE(reply_before_the_command_ends_it),
		PROMISE(reply_given_twice_ends_it),
		PROMISE(ok_to_half_a_command_ends_it),
		PROMISE(goodbye_is_tried_later_with_its_words),
		PROMISE(goodbye_inside_a_literal_is_no_message),
		PROMISE(end_inside_a_literal_is_no_message),
		PROMISE(end_before_the_tagged_reply_is_no_range),
		PROMISE(silence_and_trickle_have_an_end),
		PROMISE(uids_that_cannot_be_are_absent),
		PROMISE(everything_may_vanish_in_no_memory),
		PROMISE(search_that_finds_more_than_there_is_ends_it),
		PROMISE(expunge_beyond_the_folder_does_no_harm),
		PROMISE(capabilities_cannot_be_slipped_in),
		PROMISE(words_of_the_server_cannot_drive_a_terminal),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
