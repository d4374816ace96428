#include "mirror/folder/rename.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "support/check.h"

enum { SIDE_MAX = 6, TEXT_MAX = 500, MANY = 40, ALL_ONE = 7 };

/* What a folder holds: a letter for its messages, a capital when the server reports their sizes
 * wrong; '-': none, '?': they cannot be compared. */
struct row {
	const char *path;
	uint32_t uidvalidity, uidnext;
	uint64_t highestmodseq;
	uint32_t messages;
	char holds;
};

struct example {
	const char *promise;
	struct row known[SIDE_MAX], server[SIDE_MAX];
	const char *matches; /* in the order of known */
	unsigned compared;
};

struct contents {
	const struct row *known, *server;
	unsigned compared;
};

static bool compare_contents(void *context, size_t known, size_t server,
	enum rename_verdict *ret_verdict, struct err *err)
{
	struct contents *contents = context;
	char here = contents->known[known].holds, there = contents->server[server].holds;

	(void)err;
	contents->compared++;
	if (here == '-')
		*ret_verdict = RENAME_EMPTY;
	else if (here == '?' || there == '?' || there == '-')
		*ret_verdict = RENAME_UNCLEAR;
	else if (here == there)
		*ret_verdict = RENAME_SAME;
	else
		*ret_verdict = here == tolower(there) ? RENAME_SIMILAR : RENAME_OTHER;
	return true;
}

static size_t fill(const struct row *rows, struct rename_folder *items)
{
	size_t count = 0;

	for (; count < SIDE_MAX && rows[count].path; count++)
		items[count] = (struct rename_folder){.path = rows[count].path,
			.uidvalidity = rows[count].uidvalidity,
			.uidnext = rows[count].uidnext,
			.highestmodseq = rows[count].highestmodseq,
			.messages = rows[count].messages};
	return count;
}

static char *matches_text(const struct rename_side *known, const struct rename_side *server)
{
	struct buf text = BUF_INIT(TEXT_MAX);

	CHECK(buf_add_str(&text, ""));
	for (size_t i = 0; i < known->count; i++) {
		size_t match = known->items[i].match;
		bool none = match == RENAME_NONE;

		CHECK(none || server->items[match].match == i);
		CHECK(buf_printf(&text, "%s%s>%s", i ? " " : "", known->items[i].path,
			none ? "" : server->items[match].path));
	}
	return buf_take_str(&text);
}

static void check_example(const struct example *example)
{
	struct rename_folder here[SIDE_MAX], there[SIDE_MAX];
	struct rename_side known = {here, fill(example->known, here)};
	struct rename_side server = {there, fill(example->server, there)};
	struct contents contents = {example->known, example->server, 0};
	struct err err = ERR_INIT;
	CLEANUP(freep) char *got = NULL;

	CHECK_OK(rename_match(&known, &server, compare_contents, &contents, &err));
	got = matches_text(&known, &server);
	if (strcmp(got, example->matches) != 0 || contents.compared != example->compared)
		check_fail(__FILE__, __LINE__, "%s: %s after %u comparisons", example->promise, got,
			contents.compared);
}

static const struct example examples[] = {
	{"nothing happened", {{"A", 1, 5, 9, 4, 'a'}, {"B", 2, 5, 9, 4, 'b'}},
		{{"A", 1, 5, 9, 4, 'a'}, {"B", 2, 6, 10, 5, 'b'}}, "A>A B>B", 0},
	{"a folder was renamed", {{"A", 1, 5, 9, 4, 'a'}}, {{"B", 1, 5, 9, 4, 'a'}}, "A>B", 1},
	{"a folder was renamed and got new messages", {{"A", 1, 5, 9, 4, 'a'}},
		{{"B", 1, 9, 12, 8, 'a'}}, "A>B", 1},
	{"another folder has the same UIDVALIDITY", {{"A", 1, 5, 9, 4, 'a'}},
		{{"B", 1, 5, 9, 4, 'b'}}, "A>", 1},
	{"messages cannot be compared: no match", {{"A", 1, 5, 9, 4, 'a'}},
		{{"B", 1, 5, 9, 4, '?'}}, "A>", 1},
	{"UIDNEXT never decreases", {{"A", 1, 5, 9, 4, 'a'}}, {{"B", 1, 4, 9, 3, 'a'}}, "A>", 0},
	{"HIGHESTMODSEQ never decreases", {{"A", 1, 5, 9, 4, 'a'}}, {{"B", 1, 5, 8, 4, 'a'}}, "A>",
		0},
	{"a folder was deleted and another created", {{"A", 1, 5, 9, 4, 'a'}},
		{{"B", 2, 5, 9, 4, 'a'}}, "A>", 0},
	{"a tree was renamed", {{"T/x", 1, 2, 2, 1, 'x'}, {"T/y", 2, 2, 2, 1, 'y'}},
		{{"U/x", 1, 2, 2, 1, 'x'}, {"U/y", 2, 2, 2, 1, 'y'}}, "T/x>U/x T/y>U/y", 2},
	{"a tree created in one second: equal names are compared first",
		{{"T", 1, 2, 2, 1, 't'}, {"T/x", 1, 2, 2, 1, 'x'}, {"T/y", 1, 2, 2, 1, 'y'}},
		{{"U", 1, 2, 2, 1, 't'}, {"U/x", 1, 2, 2, 1, 'x'}, {"U/y", 1, 2, 2, 1, 'y'}},
		"T>U T/x>U/x T/y>U/y", 3},
	{"two folders swapped their names", {{"A", 1, 5, 9, 4, 'a'}, {"B", 2, 3, 3, 2, 'b'}},
		{{"A", 2, 3, 3, 2, 'b'}, {"B", 1, 5, 9, 4, 'a'}}, "A>B B>A", 2},
	{"two of one UIDVALIDITY swapped their names",
		{{"A", 1, 5, 9, 4, 'a'}, {"B", 1, 3, 3, 2, 'b'}},
		{{"A", 1, 3, 3, 2, 'b'}, {"B", 1, 5, 9, 4, 'a'}}, "A>B B>A", 4},
	{"two with equal numbers swapped: not noticed",
		{{"A", 1, 5, 9, 4, 'a'}, {"B", 1, 5, 9, 4, 'b'}},
		{{"A", 1, 5, 9, 4, 'b'}, {"B", 1, 5, 9, 4, 'a'}}, "A>A B>B", 0},
	{"a swap of equal numbers is noticed when one changes",
		{{"A", 1, 5, 9, 4, 'a'}, {"B", 1, 5, 9, 4, 'b'}},
		{{"A", 1, 6, 10, 5, 'b'}, {"B", 1, 5, 9, 4, 'a'}}, "A>B B>A", 4},
	{"two swapped, and one now has the numbers the other had",
		{{"A", 1, 5, 9, 4, 'a'}, {"B", 1, 4, 8, 3, 'b'}},
		{{"A", 1, 5, 9, 4, 'b'}, {"B", 1, 5, 9, 4, 'a'}}, "A>B B>A", 4},
	{"two of one UIDVALIDITY stayed", {{"A", 1, 5, 9, 4, 'a'}, {"B", 1, 3, 3, 2, 'b'}},
		{{"A", 1, 5, 9, 4, 'a'}, {"B", 1, 3, 3, 2, 'b'}}, "A>A B>B", 0},
	{"of those, only the changed one is compared",
		{{"A", 1, 5, 9, 4, 'a'}, {"B", 1, 3, 3, 2, 'b'}},
		{{"A", 1, 5, 9, 4, 'a'}, {"B", 1, 4, 4, 3, 'b'}}, "A>A B>B", 1},
	{"all are compared when the changed one cannot be",
		{{"A", 1, 5, 9, 4, 'a'}, {"B", 1, 3, 3, 2, 'b'}},
		{{"A", 1, 5, 9, 4, 'a'}, {"B", 1, 4, 4, 3, '?'}}, "A>A B>B", 2},
	{"similar messages are enough under the same name",
		{{"A", 1, 5, 9, 4, 'a'}, {"B", 1, 3, 3, 2, 'b'}},
		{{"A", 1, 5, 9, 4, 'A'}, {"B", 1, 4, 4, 3, 'B'}}, "A>A B>B", 1},
	{"similar messages are not enough under another name", {{"A", 1, 5, 9, 4, 'a'}},
		{{"B", 1, 5, 9, 4, 'A'}}, "A>", 1},
	{"an empty folder swapped with one whose numbers it has now",
		{{"A", 1, 2, 2, 1, 'a'}, {"B", 1, 1, 1, 0, '-'}},
		{{"A", 1, 2, 2, 1, 'b'}, {"B", 1, 3, 3, 2, 'a'}}, "A>B B>", 3},
	{"a new folder has the old name", {{"A", 1, 5, 9, 4, 'a'}},
		{{"A", 2, 1, 1, 0, '-'}, {"B", 1, 5, 9, 4, 'a'}}, "A>B", 1},
	{"a new folder has the old name and UIDVALIDITY", {{"A", 1, 5, 9, 4, 'a'}},
		{{"A", 1, 2, 2, 1, 'n'}, {"B", 1, 5, 9, 4, 'a'}}, "A>B", 2},
	{"a new folder has the old name and numbers", {{"A", 1, 2, 2, 1, 'a'}},
		{{"A", 1, 2, 2, 1, 'n'}, {"B", 1, 3, 3, 2, 'a'}}, "A>B", 2},
	{"a folder was renamed to the name of a deleted one",
		{{"A", 1, 5, 9, 4, 'a'}, {"B", 2, 3, 3, 2, 'b'}}, {{"A", 2, 3, 3, 2, 'b'}},
		"A> B>A", 1},
	{"the same, with one UIDVALIDITY", {{"A", 1, 2, 2, 1, 'a'}, {"B", 1, 3, 3, 2, 'b'}},
		{{"A", 1, 3, 3, 2, 'b'}}, "A> B>A", 2},
	{"a new folder has the name and UIDVALIDITY of a deleted one", {{"A", 1, 5, 9, 4, 'a'}},
		{{"A", 1, 2, 2, 1, 'n'}}, "A>", 1},
	{"a folder has a new UIDVALIDITY", {{"A", 1, 5, 9, 4, 'a'}}, {{"A", 2, 5, 9, 4, 'a'}},
		"A>A", 0},
	{"UIDNEXT decreased with the last message", {{"A", 1, 5, 9, 4, 'a'}},
		{{"A", 1, 4, 9, 3, 'a'}}, "A>A", 1},
	{"an empty folder, and only one match is possible", {{"A", 1, 1, 1, 0, '-'}},
		{{"B", 1, 1, 1, 0, '-'}}, "A>B", 1},
	{"two empty folders: no match", {{"A", 1, 1, 1, 0, '-'}, {"B", 1, 1, 1, 0, '-'}},
		{{"C", 1, 1, 1, 0, '-'}, {"D", 1, 1, 1, 0, '-'}}, "A> B>", 2},
	{"an empty folder without UIDNEXT", {{"A", 1, 0, 0, 0, '-'}}, {{"B", 1, 1, 1, 0, '-'}},
		"A>", 1},
	{"a first pass was interrupted: no mark", {{"A", 1, 0, 0, 0, 'a'}},
		{{"B", 1, 5, 9, 4, 'a'}}, "A>B", 1},
	{"a folder matched by name alone stays, and no other matches it",
		{{"A", 1, 5, 9, 4, 'a'}, {"INBOX", 0, 0, 0, 0, 'i'}},
		{{"INBOX", 0, 0, 0, 0, 'a'}, {"old", 3, 5, 9, 4, 'i'}}, "A> INBOX>INBOX", 0},
	{"a pass was interrupted: two of one name",
		{{"A", 1, 5, 9, 4, 'a'}, {"A", 2, 3, 3, 2, 'b'}}, {{"A", 2, 3, 3, 2, 'b'}},
		"A> A>A", 0},
	{"a pass was interrupted: two of one name and UIDVALIDITY",
		{{"A", 1, 5, 9, 4, 'a'}, {"A", 1, 2, 2, 1, 'b'}}, {{"A", 1, 2, 2, 1, 'b'}},
		"A> A>A", 2},
};

static void renamed_folders_are_recognised(void)
{
	for (size_t i = 0; i < ARRAY_LEN(examples); i++)
		check_example(&examples[i]);
}

/* On servers that give all folders one UIDVALIDITY, however many were renamed. */
static void comparisons_are_bounded(void)
{
	struct row known[MANY], server[MANY];
	struct rename_folder here[MANY], there[MANY];
	char names[2 * MANY][16];
	struct contents contents = {known, server, 0};
	struct err err = ERR_INIT;

	for (int i = 0; i < MANY; i++) {
		(void)snprintf(names[i], sizeof(names[i]), "old%02d", i);
		(void)snprintf(names[MANY + i], sizeof(names[MANY + i]), "was%02d", i);
		known[i] = (struct row){names[i], ALL_ONE, 2, 2, 1, 'a'};
		server[i] = (struct row){names[MANY + i], ALL_ONE, 2, 2, 1, 'b'};
		here[i] = (struct rename_folder){names[i], ALL_ONE, 2, 2, 1, 0};
		there[i] = (struct rename_folder){names[MANY + i], ALL_ONE, 2, 2, 1, 0};
	}
	CHECK_OK(rename_match(&(struct rename_side){here, MANY}, &(struct rename_side){there, MANY},
		compare_contents, &contents, &err));
	CHECK_INT(contents.compared, MANY * RENAME_TRIES);
	for (int i = 0; i < MANY; i++)
		CHECK(here[i].match == RENAME_NONE && there[i].match == RENAME_NONE);
}

static bool fail(void *context, size_t known, size_t server, enum rename_verdict *ret_verdict,
	struct err *err)
{
	(void)context;
	(void)known;
	(void)server;
	(void)ret_verdict;
	return err_set(err, ERR_RETRY, "connection lost");
}

static void a_failed_comparison_ends_the_matching(void)
{
	struct rename_folder here = {"A", 1, 2, 2, 1, 0}, there = {"B", 1, 2, 2, 1, 0};
	struct err err = ERR_INIT;

	CHECK(!rename_match(&(struct rename_side){&here, 1}, &(struct rename_side){&there, 1}, fail,
		NULL, &err));
	CHECK_INT(err.kind, ERR_RETRY);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(renamed_folders_are_recognised),
		PROMISE(comparisons_are_bounded),
		PROMISE(a_failed_comparison_ends_the_matching),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
