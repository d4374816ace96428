/* Tables as a terminal shows them, and as a file gets them. */
#include "restore/ui/table.h"

#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fs.h"
#include "base/str.h"
#include "support/check.h"

enum { OUT_MAX = 1024 * 1024 };

#define ELLIPSIS "\xe2\x80\xa6"
#define NIHONGO  "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e" /* three characters, six columns */

/* stdout into a file while something prints. */
struct capture {
	char *path;
	int saved;
};

static void begin(struct capture *capture)
{
	int fd;

	capture->path = str_printf("%s/out", check_temp_dir());
	(void)fflush(stdout);
	capture->saved = dup(STDOUT_FILENO);
	fd = open(capture->path, O_CREAT | O_TRUNC | O_WRONLY | O_CLOEXEC, 0600);
	CHECK(capture->saved >= 0 && fd >= 0 && dup2(fd, STDOUT_FILENO) >= 0);
	(void)close(fd);
}

/* What was printed; the caller frees. */
static char *end(struct capture *capture)
{
	struct buf text = BUF_INIT(OUT_MAX);
	struct err err = ERR_INIT;

	(void)fflush(stdout);
	CHECK(dup2(capture->saved, STDOUT_FILENO) >= 0);
	(void)close(capture->saved);
	CHECK_OK(fs_read(capture->path, &text, &err));
	freep(&capture->path);
	return buf_take_str(&text);
}

static const struct table_column columns[] = {
	{"UID", TEXT_RIGHT}, {"FROM", TEXT_LEFT, 6}, {"SUBJECT", TEXT_LEFT, 8}};

typedef const char *row[3];

static char *print(size_t terminal_columns, row *rows, size_t count)
{
	struct capture capture;
	struct table table;

	begin(&capture);
	table_init(&table, columns, ARRAY_LEN(columns));
	table.terminal_columns = terminal_columns;
	for (size_t i = 0; i < count; i++)
		table_row(&table, rows[i]);
	table_end(&table);
	return end(&capture);
}

static void columns_are_as_wide_as_their_cells(void)
{
	row rows[] = {{"1", "ann", "hello"}, {"1000", "bartholomew", "x"}};
	CLEANUP(freep) char *text = print(80, rows, ARRAY_LEN(rows));

	CHECK_STR(text, " UID  FROM         SUBJECT\n"
			"   1  ann          hello\n"
			"1000  bartholomew  x\n");
}

static void nothing_is_a_table_of_titles(void)
{
	CLEANUP(freep) char *text = print(80, NULL, 0);

	CHECK_STR(text, "UID  FROM  SUBJECT\n");
}

static void wide_and_combining_characters_keep_columns_straight(void)
{
	row rows[] = {{"1", NIHONGO, "a"}, {"2", "e\xcc\x81tude", "b"}, {"3", "plain", "c"}};
	CLEANUP(freep) char *text = print(80, rows, ARRAY_LEN(rows));

	CHECK_STR(text, "UID  FROM    SUBJECT\n"
			"  1  " NIHONGO "  a\n"
			"  2  e\xcc\x81tude   b\n"
			"  3  plain   c\n");
}

static void what_does_not_fit_is_cut(void)
{
	row rows[] = {{"1", "bartholomew", "a subject that goes on"}, {"2", NIHONGO NIHONGO, "b"}};
	CLEANUP(freep) char *text = print(28, rows, ARRAY_LEN(rows));

	CHECK_STR(text, "UID  FROM        SUBJECT\n"
			"  1  bartholom" ELLIPSIS "  a subject " ELLIPSIS "\n"
			"  2  \xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e\xe6\x97\xa5" ELLIPSIS "   b\n");
}

static size_t widest_line(const char *text)
{
	size_t widest = 0;

	while (*text) {
		size_t len = strcspn(text, "\n");
		CLEANUP(freep) char *line = strndup(text, len);
		size_t width = text_width(line);

		widest = width > widest ? width : widest;
		text += len + (text[len] == '\n');
	}
	return widest;
}

static void no_line_is_wider_than_the_terminal(void)
{
	row rows[] = {{"1", NIHONGO NIHONGO NIHONGO, "a " NIHONGO " b " NIHONGO},
		{"22", "somebody with a name", NIHONGO NIHONGO NIHONGO NIHONGO}};

	for (size_t width = 21; width < 60; width++) {
		CLEANUP(freep) char *text = print(width, rows, ARRAY_LEN(rows));

		if (widest_line(text) > width)
			check_fail(__FILE__, __LINE__, "%zu columns: %s", width, text);
	}
}

static void columns_that_must_not_shrink_are_whole(void)
{
	row rows[] = {{"4294967295", "ann", "hello"}};
	CLEANUP(freep) char *text = print(10, rows, ARRAY_LEN(rows));

	CHECK_STR(text, "       UID  FROM  SUBJECT\n4294967295  ann   hello\n");
}

static void a_file_gets_all_of_it(void)
{
	row rows[] = {{"1", "bartholomew",
		"a subject that goes on and on and on and on and on and "
		"on until it is wider than terminals are"}};
	CLEANUP(freep) char *text = print(0, rows, ARRAY_LEN(rows));

	CHECK(strstr(text, rows[0][2]) && !strstr(text, ELLIPSIS));
}

/* Their widths are not known when the first ones are printed. */
static void later_rows_are_told_whole_where_nothing_may_be_cut(void)
{
	struct capture capture;
	struct table table;
	CLEANUP(freep) char *text = NULL;

	begin(&capture);
	table_init(&table, columns, ARRAY_LEN(columns));
	table.terminal_columns = 80;
	for (int uid = 1; uid <= 2 * TABLE_ROWS_MAX; uid++) {
		CLEANUP(freep) char *number = str_printf("%d", uid * uid);

		table_row(&table, (row){number, "ann", "x"});
	}
	table_row(&table, (row){"4294967295", "bartholomew", "x"});
	table_end(&table);
	text = end(&capture);
	CHECK(strstr(text, "\n160000  ann   x\n"));
	CHECK(strstr(text, "\n4294967295  bar" ELLIPSIS "  x\n"));
}

static void nothing_steers_the_terminal(void)
{
	static const char *const evil[] = {"\x1b[2J", "\x1b]52;c;eA==\x07", "a\rb", "a\nb", "a\tb",
		"\x7f",
		"\xc2\x9b"
		"2J",
		"\x9b"
		"2J",
		"\xe2\x80\xae"
		"evil",
		"\xe2\x81\xa6"
		"x",
		"\b\b"};

	for (size_t i = 0; i < ARRAY_LEN(evil); i++) {
		row rows[] = {{"1", evil[i], evil[i]}};
		CLEANUP(freep) char *text = print(i % 2 ? 80 : 0, rows, ARRAY_LEN(rows));
		CLEANUP(freep) char *shown = NULL;
		size_t lines = 0;

		for (char *at = text; *at; at++) {
			lines += *at == '\n';
			*at = *at == '\n' ? ' ' : *at;
		}
		shown = str_printable(text, strlen(text), OUT_MAX);
		CHECK_INT(lines, 2);
		CHECK_STR(text, shown);
	}
}

static void no_line_ends_in_blanks(void)
{
	row rows[] = {{"1", "ann", ""}, {"2", "", NULL}};
	CLEANUP(freep) char *text = print(80, rows, ARRAY_LEN(rows));

	CHECK(!strstr(text, " \n"));
}

static void numbers_are_grouped(void)
{
	char text[TABLE_NUMBER_MAX];

	table_number(0, text);
	CHECK_STR(text, "0");
	table_number(999, text);
	CHECK_STR(text, "999");
	table_number(1234567, text);
	CHECK_STR(text, "1 234 567");
	table_number(UINT64_MAX, text);
	CHECK_STR(text, "18 446 744 073 709 551 615");
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(columns_are_as_wide_as_their_cells),
		PROMISE(nothing_is_a_table_of_titles),
		PROMISE(wide_and_combining_characters_keep_columns_straight),
		PROMISE(what_does_not_fit_is_cut),
		PROMISE(no_line_is_wider_than_the_terminal),
		PROMISE(columns_that_must_not_shrink_are_whole),
		PROMISE(a_file_gets_all_of_it),
		PROMISE(later_rows_are_told_whole_where_nothing_may_be_cut),
		PROMISE(nothing_steers_the_terminal),
		PROMISE(no_line_ends_in_blanks),
		PROMISE(numbers_are_grouped),
	};

	(void)setlocale(LC_CTYPE, "C.UTF-8");
	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
