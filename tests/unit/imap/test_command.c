#include <string.h>

#include "imap/command_internal.h"
#include "support/check.h"

/* The command after its tag. */
static const char *body_of(const struct imap_command *command)
{
	return strchr(buf_str(&command->bytes), ' ') + 1;
}

static void tags_cannot_be_guessed(void)
{
	CLEANUP(command_free) struct imap_command one;
	CLEANUP(command_free) struct imap_command two;

	command_start(&one, "NOOP", COMMAND_LITERAL_SYNC);
	command_start(&two, "NOOP", COMMAND_LITERAL_SYNC);
	CHECK_INT(strlen(one.tag), 10);
	CHECK(strcmp(one.tag, two.tag) != 0);
	CHECK(strncmp(buf_str(&one.bytes), one.tag, 10) == 0);
}

static void arguments_are_separated_by_one_blank(void)
{
	CLEANUP(command_free) struct imap_command command;
	CLEANUP(rangeset_free) struct rangeset set = {0};

	rangeset_add(&set, 1, 5);
	rangeset_add(&set, 9, 9);
	command_start(&command, "UID FETCH", COMMAND_LITERAL_SYNC);
	command_set(&command, &set);
	command_open(&command);
	command_text(&command, "FLAGS");
	command_text(&command, "BODY.PEEK[]");
	command_close(&command);
	command_open(&command);
	command_text(&command, "CHANGEDSINCE");
	command_number(&command, 7);
	command_close(&command);
	command_end(&command);
	CHECK_STR(body_of(&command), "UID FETCH 1:5,9 (FLAGS BODY.PEEK[]) (CHANGEDSINCE 7)\r\n");
}

static void an_open_set_ends_with_a_star(void)
{
	CLEANUP(command_free) struct imap_command command;
	CLEANUP(rangeset_free) struct rangeset set = {0};

	rangeset_add(&set, 3, 4);
	rangeset_add(&set, 100, UINT32_MAX);
	command_start(&command, "X", COMMAND_LITERAL_SYNC);
	command_set(&command, &set);
	rangeset_clear(&set);
	rangeset_add(&set, 1, UINT32_MAX);
	command_set(&command, &set);
	CHECK_STR(body_of(&command), "X 3:4,100:* 1:*");
}

static void strings_take_the_form_they_need(void)
{
	static const struct {
		const char *text, *form;
	} forms[] = {
		{"INBOX", "INBOX"},
		{"INBOX/a.b&-c", "INBOX/a.b&-c"},
		{"", "\"\""},
		{"nil", "\"nil\""},
		{"a b", "\"a b\""},
		{"a\"b\\c", "\"a\\\"b\\\\c\""},
		{"a*%]{(", "\"a*%]{(\""},
		{"a\r\nb", "{4}\r\na\r\nb"},
		{"\xc3\xa4", "{2}\r\n\xc3\xa4"},
	};

	for (size_t i = 0; i < ARRAY_LEN(forms); i++) {
		CLEANUP(command_free) struct imap_command command;

		command_start(&command, "X", COMMAND_LITERAL_SYNC);
		command_astring(&command, forms[i].text);
		CHECK_STR(body_of(&command) + 2, forms[i].form);
	}
}

static void a_literal_waits_unless_the_server_allows_otherwise(void)
{
	static const struct {
		enum command_literals literals;
		uint64_t size;
		bool wait;
		const char *form;
	} cases[] = {
		{COMMAND_LITERAL_SYNC, 5, true, "X {5}\r\n"},
		{COMMAND_LITERAL_PLUS, 1ull << 33, false, "X {8589934592+}\r\n"},
		{COMMAND_LITERAL_MINUS, 4096, false, "X {4096+}\r\n"},
		{COMMAND_LITERAL_MINUS, 4097, true, "X {4097}\r\n"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(command_free) struct imap_command command;

		command_start(&command, "X", cases[i].literals);
		CHECK_INT(command_literal(&command, cases[i].size), cases[i].wait);
		CHECK_STR(body_of(&command), cases[i].form);
	}
}

static void secret_is_marked_in_every_form(void)
{
	static const char *const secrets[] = {"plain", "with blank", "8bit \xc3\xa4"};

	for (size_t i = 0; i < ARRAY_LEN(secrets); i++) {
		CLEANUP(command_free) struct imap_command command;
		const struct command_mark *mark;

		command_start(&command, "LOGIN", COMMAND_LITERAL_SYNC);
		command_secret(&command, secrets[i]);
		mark = &command.marks[command.marks_count - 1];
		CHECK_INT(mark->kind, COMMAND_SECRET);
		CHECK_INT(mark->at + mark->len, command.bytes.len);
		CHECK(mark->len >= strlen(secrets[i]));
		CHECK(mark->at >= strlen(command.tag) + strlen(" LOGIN "));
	}
}

static void flag_that_is_no_atom_is_a_fault(void)
{
	CLEANUP(command_free) struct imap_command good;
	CLEANUP(command_free) struct imap_command bad;

	command_start(&good, "X", COMMAND_LITERAL_SYNC);
	command_flags(&good, "$Forwarded \\Seen a]b");
	CHECK_STR(body_of(&good), "X ($Forwarded \\Seen a]b)");
	CHECK(!good.fault);
	command_start(&bad, "X", COMMAND_LITERAL_SYNC);
	command_flags(&bad, "a\r\nb LOGOUT");
	CHECK(bad.fault);
	CHECK(!strchr(body_of(&bad), '\n'));
}

static void line_that_is_too_long_is_a_fault(void)
{
	CLEANUP(command_free) struct imap_command command;
	static char text[COMMAND_LENGTH_MAX + 1];

	memset(text, 'x', sizeof(text) - 1);
	command_start(&command, "X", COMMAND_LITERAL_SYNC);
	command_astring(&command, text);
	CHECK(command.fault);
}

static void date_is_quoted(void)
{
	CLEANUP(command_free) struct imap_command command;
	static const struct zoned_time date = {.unix_s = 837596665, .offset_min = -420};

	command_start(&command, "X", COMMAND_LITERAL_SYNC);
	command_date(&command, &date);
	CHECK_STR(body_of(&command), "X \"17-Jul-1996 02:44:25 -0700\"");
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(tags_cannot_be_guessed),
		PROMISE(arguments_are_separated_by_one_blank),
		PROMISE(an_open_set_ends_with_a_star),
		PROMISE(strings_take_the_form_they_need),
		PROMISE(a_literal_waits_unless_the_server_allows_otherwise),
		PROMISE(secret_is_marked_in_every_form),
		PROMISE(flag_that_is_no_atom_is_a_fault),
		PROMISE(line_that_is_too_long_is_a_fault),
		PROMISE(date_is_quoted),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
