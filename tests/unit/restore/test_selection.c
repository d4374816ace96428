/* Which folders and messages --folder, --since, --from and the others mean. */
#include "restore/selection.h"

#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/check.h"

enum { RULES_MAX = 4 };

struct folders {
	const char *globs[RULES_MAX];
	const char *path;
	bool wanted;
};

static const struct folders folder_cases[] = {
	{{NULL}, "Work", true},
	{{"Work"}, "Work", true},
	{{"Work"}, "Work/2026", false},
	{{"Work"}, "work", false},
	{{"Work*"}, "Work/2026/a", true},
	{{"*"}, "", true},
	{{"W?rk"}, "W\xc3\xb6rk", true},
	{{"W??rk"}, "W\xc3\xb6rk", false},
	{{"inbox"}, "INBOX", true},
	{{"Inbox"}, "Inbox/x", false},
	{{"!inbox"}, "INBOX", false},
	{{"!Spam"}, "Work", true},
	{{"!Spam"}, "Spam", false},
	{{"!Spam*"}, "Spam/a", false},
	{{"*", "!Spam"}, "Spam", false},
	{{"!Spam", "*"}, "Spam", false},
	{{"!Spam", "*"}, "Work", true},
	{{"Work", "Sent"}, "Sent", true},
	{{"Work", "!Sent"}, "Drafts", false},
	{{"!Work/*", "Work*"}, "Work", true},
	{{"!Work/*", "Work*"}, "Work/a", false},
	{{"a*b*c"}, "axxbxxbc", true},
	{{"a*b*c"}, "axxbxxcb", false},
	{{"!!x"}, "!x", false},
};

static void add(struct selection *selection, enum select_option option, const char *value)
{
	struct err err = ERR_INIT;

	CHECK_OK(selection_set(selection, option, value, &err));
}

static void folders_are_globs_and_excluding_wins(void)
{
	for (size_t i = 0; i < ARRAY_LEN(folder_cases); i++) {
		const struct folders *wanted = &folder_cases[i];
		CLEANUP(selection_free) struct selection selection = {0};

		for (size_t k = 0; k < RULES_MAX && wanted->globs[k]; k++)
			add(&selection, SELECT_FOLDER, wanted->globs[k]);
		if (selection_wants_folder(&selection, wanted->path) != wanted->wanted)
			check_fail(__FILE__, __LINE__, "case %zu: %s", i, wanted->path);
	}
}

/* 2026-11-20T09:00:00Z, added an hour later. */
static struct archive_entry an_entry(void)
{
	return (struct archive_entry){.folder_path = "INBOX",
		.has_date = true,
		.date = {.unix_s = 1795165200, .offset_min = 60},
		.added_ms = 1795168800000,
		.from = "J\xc3\xbcrgen <j@example.org>",
		.subject = "Re: \xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e news",
		.header_message_id = "<two@example.org>"};
}

static bool wants(enum select_option option, const char *value)
{
	CLEANUP(selection_free) struct selection selection = {0};
	const struct archive_entry entry = an_entry();

	add(&selection, option, value);
	return selection_wants_entry(&selection, &entry);
}

static void since_is_included_and_before_is_not(void)
{
	CHECK(wants(SELECT_SINCE, "2026-11-20T09:00Z"));
	CHECK(!wants(SELECT_SINCE, "2026-11-20T09:00:00.001Z"));
	CHECK(!wants(SELECT_BEFORE, "2026-11-20T09:00Z"));
	CHECK(wants(SELECT_BEFORE, "2026-11-20T09:00:00.001Z"));
	CHECK(wants(SELECT_SINCE, "2026-11-20") && !wants(SELECT_SINCE, "2026-11-21"));
	CHECK(wants(SELECT_BEFORE, "2026-11-21") && !wants(SELECT_BEFORE, "2026-11-20"));
}

static void a_bare_date_is_a_local_day(void)
{
	CHECK(setenv("TZ", "<+14>-14", 1) == 0);
	tzset();
	CHECK(wants(SELECT_BEFORE, "2026-11-21") && wants(SELECT_SINCE, "2026-11-20"));
	CHECK(!wants(SELECT_SINCE, "2026-11-21"));
	CHECK(setenv("TZ", "<-12>12", 1) == 0);
	tzset();
	CHECK(wants(SELECT_BEFORE, "2026-11-20") && !wants(SELECT_SINCE, "2026-11-20"));
	CHECK(setenv("TZ", "UTC0", 1) == 0);
	tzset();
}

static void without_a_date_it_counts_when_it_came(void)
{
	CLEANUP(selection_free) struct selection selection = {0};
	struct archive_entry entry = an_entry();

	add(&selection, SELECT_SINCE, "2026-11-20T10:00Z");
	CHECK(!selection_wants_entry(&selection, &entry));
	entry.has_date = false;
	CHECK(selection_wants_entry(&selection, &entry));
}

static void sender_and_subject_are_found_in_any_case(void)
{
	CHECK(wants(SELECT_FROM, "j\xc3\x9cRGEN") && wants(SELECT_FROM, "EXAMPLE.org"));
	CHECK(wants(SELECT_FROM, "") && !wants(SELECT_FROM, "jurgen"));
	CHECK(!wants(SELECT_FROM, "J\xc3\xbcrgen <j@example.org> "));
	CHECK(wants(SELECT_SUBJECT, "\xe6\x9c\xac") && wants(SELECT_SUBJECT, "NEWS"));
	CHECK(!wants(SELECT_SUBJECT, "newsy"));
	CHECK(!wants(SELECT_SUBJECT, "*"));
}

static void a_message_id_may_lack_its_brackets(void)
{
	CHECK(wants(SELECT_MESSAGE_ID, "two@example.org"));
	CHECK(wants(SELECT_MESSAGE_ID, "<two@example.org>"));
	CHECK(!wants(SELECT_MESSAGE_ID, "two@example.or") && !wants(SELECT_MESSAGE_ID, "two"));
	CHECK(!wants(SELECT_MESSAGE_ID, "<two@example.org") && !wants(SELECT_MESSAGE_ID, ""));
}

static void all_that_is_said_must_fit(void)
{
	CLEANUP(selection_free) struct selection selection = {0};
	struct archive_entry entry = an_entry();

	add(&selection, SELECT_FOLDER, "INBOX");
	add(&selection, SELECT_FROM, "j@");
	add(&selection, SELECT_SUBJECT, "news");
	CHECK(selection_wants_entry(&selection, &entry));
	entry.folder_path = "Work";
	CHECK(!selection_wants_entry(&selection, &entry));
	entry.folder_path = "INBOX";
	entry.subject = "";
	CHECK(!selection_wants_entry(&selection, &entry));
}

static void check_refused(enum select_option option, const char *value, const char *words)
{
	CLEANUP(selection_free) struct selection selection = {0};
	struct err err = ERR_INIT;

	CHECK(!selection_set(&selection, option, value, &err));
	CHECK_INT(err.kind, ERR_USAGE);
	if (!strstr(err.text, words))
		check_fail(__FILE__, __LINE__, "%s", err.text);
	CHECK(!selection.has_since && !selection.has_before);
}

static void what_cannot_be_meant_is_refused(void)
{
	check_refused(SELECT_SINCE, "yesterday", "2026-11-20");
	check_refused(SELECT_BEFORE, "\x1b[2J", "\\x1b[2J");
	check_refused(SELECT_SINCE, "17", "--since");
	check_refused(SELECT_FOLDER, "", "empty");
	check_refused(SELECT_FOLDER, "!", "empty");
}

static void a_named_folder_that_is_missing_is_found(void)
{
	CLEANUP(selection_free) struct selection selection = {0};
	CLEANUP(str_list_free) struct str_list seen = {0};

	str_list_add(&seen, "INBOX");
	add(&selection, SELECT_FOLDER, "inbox");
	add(&selection, SELECT_FOLDER, "!Nowhere");
	add(&selection, SELECT_FOLDER, "No*");
	CHECK(!selection_missing_folder(&selection, &seen));
	add(&selection, SELECT_FOLDER, "Nowhere");
	CHECK_STR(selection_missing_folder(&selection, &seen), "Nowhere");
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(folders_are_globs_and_excluding_wins),
		PROMISE(since_is_included_and_before_is_not),
		PROMISE(a_bare_date_is_a_local_day),
		PROMISE(without_a_date_it_counts_when_it_came),
		PROMISE(sender_and_subject_are_found_in_any_case),
		PROMISE(a_message_id_may_lack_its_brackets),
		PROMISE(all_that_is_said_must_fit),
		PROMISE(what_cannot_be_meant_is_refused),
		PROMISE(a_named_folder_that_is_missing_is_found),
	};

	CHECK(setenv("TZ", "UTC0", 1) == 0);
	(void)setlocale(LC_CTYPE, "C.UTF-8");
	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
