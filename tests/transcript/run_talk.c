/*
 * Plays the conversations of a folder of .talk files (README.md), one promise a file:
 *
 *	run_talk FOLDER           prints TAP
 *	run_talk FOLDER NAME      only files whose name contains NAME; prints every result
 */
#include <glob.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "support/check.h"
#include "support/imap/script.h"
#include "transcript/talk_file.h"
#include "transcript/talk_play.h"

static glob_t found;
static bool show;

static bool play_file(const char *path, char **ret_fails, struct talk_failure *failure)
{
	CLEANUP(talk_file_free) struct talk_file file = {0};
	struct talk_cursor cursor = {0};
	size_t played = 0;

	if (!talk_file_read(path, &file, failure))
		return false;
	*ret_fails = TAKE(file.fails);
	for (;;) {
		CLEANUP(talk_lines_free) struct talk_lines lines = {0};

		if (!talk_file_next(&file, &cursor, &lines, failure))
			return false;
		if (lines.count == 0)
			break;
		if (!talk_play(&lines, show, failure))
			return false;
		played++;
	}
	return played > 0 || talk_fail(failure, 1, "no conversation");
}

/* The promises are run in the order of the files. */
static void play_next(void)
{
	static size_t next;
	const char *path = found.gl_pathv[next++];
	struct talk_failure failure = {0};
	CLEANUP(freep) char *fails = NULL;
	bool good = play_file(path, &fails, &failure);

	if (fails && !script_matches(fails, failure.text))
		check_fail(path, 1, "should fail with \"%s\", not \"%s\"", fails, failure.text);
	if (!fails && !good)
		check_fail(path, (int)failure.line, "%s", failure.text);
}

/* The first line of a file, else its path. */
static char *promise_of(const char *path)
{
	CLEANUP(talk_file_free) struct talk_file file = {0};
	struct talk_failure failure = {0};

	return talk_file_read(path, &file, &failure) ? TAKE(file.promise) : xstrdup(path);
}

int main(int argc, char **argv)
{
	CLEANUP(freep) char *pattern = NULL;
	CLEANUP(freep) struct promise *promises = NULL;
	struct str_list names = {0};
	int result;

	if (argc < 2 || argc > 3)
		return fputs("usage: run_talk FOLDER [NAME]\n", stderr), 2;
	show = argc == 3;
	pattern = str_printf("%s/*%s*.talk", argv[1], show ? argv[2] : "");
	if (glob(pattern, 0, NULL, &found) != 0) {
		(void)printf("1..0\nBail out! no file matches %s\n", pattern);
		return 1;
	}
	promises = xcalloc(found.gl_pathc, sizeof(*promises));
	for (size_t i = 0; i < found.gl_pathc; i++) {
		str_list_take(&names, promise_of(found.gl_pathv[i]));
		promises[i] = (struct promise){names.items[i], play_next};
	}
	result = check_main(1, argv, promises, found.gl_pathc);
	str_list_free(&names);
	globfree(&found);
	return result;
}
