/* Too much of everything: sizes, depths and numbers without end. */
#include <string.h>

#include "base/clock.h"
#include "base/str.h"
#include "imap/limits.h"
#include "support/imap/hostile.h"

enum { TEXT_MAX = 256 * 1024 };

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
	static const char *const script[] = {
		"R: * 1 FETCH (UID 5 BODY[] {0}\\r\\n)\\r\\n\n",
		"S: * 2 FETCH (UID 6 BODY[] \"\")\n",
		"S: a OK\n",
	};
	struct told told = check_fetch(SCRIPT(script), ERR_NONE);

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
	static const char *const script[] = {
		LOGGED_IN(""),
		"C: a LIST ...\n",
		"N: 200001 * LIST () \"/\" f#\n",
		"S: a OK\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(imap_folders_free) struct imap_folders folders = {0};
	int64_t from_ms = clock_mono_ms();

	CHECK_TALK(&talk, talk_begin(&talk, SCRIPT(script)));
	CHECK(!imap_list(talk.imap, false, &folders, &talk.err));
	CHECK_INT(talk.err.kind, ERR_PROTOCOL);
	CHECK_STR(talk.err.text, "LIST: more than 200000 folders");
	CHECK(clock_mono_ms() - from_ms < PATIENCE_MS);
}

static void folder_name_has_a_length(void)
{
	static const char *const script[] = {
		LOGGED_IN(""),
		"C: a LIST ...\n",
		"S: * LIST () \"/\" {10000}\n",
		"Z: 10000\n",
		"S: \n",
		"S: a OK\n",
	};
	CLEANUP(talk_end) struct talk talk = {0};
	CLEANUP(imap_folders_free) struct imap_folders folders = {0};

	CHECK_TALK(&talk, talk_begin(&talk, SCRIPT(script)));
	CHECK(!imap_list(talk.imap, false, &folders, &talk.err));
	CHECK_INT(talk.err.kind, ERR_PROTOCOL);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
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
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
