#include "mirror/rename.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "support/check.h"

enum { SIDE_MAX = 6, TEXT_MAX = 500, MANY = 40, ALL_ONE = 7 };

/* What a folder holds: a letter for its messages, as a capital when their sizes are told wrong; '-'
 * for none, '?' when they tell nothing. */
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
	unsigned looks;
};

struct contents {
	const struct row *known, *server;
	unsigned looks;
};

static bool look(void *context, size_t known, size_t server,
	enum rename_fingerprint *ret_fingerprint, struct err *err)
{
	struct contents *contents = context;
	char here = contents->known[known].holds, there = contents->server[server].holds;

	(void)err;
	contents->looks++;
	if (here == '-')
		*ret_fingerprint = RENAME_EMPTY;
	else if (here == '?' || there == '?' || there == '-')
		*ret_fingerprint = RENAME_UNCLEAR;
	else if (here == there)
		*ret_fingerprint = RENAME_SAME;
	else
		*ret_fingerprint = here == tolower(there) ? RENAME_LIKE : RENAME_OTHER;
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

	CHECK_OK(rename_match(&known, &server, look, &contents, &err));
	got = matches_text(&known, &server);
	if (strcmp(got, example->matches) != 0 || contents.looks != example->looks)
		check_fail(__FILE__, __LINE__, "%s: %s after %u looks", example->promise, got,
			contents.looks);
}

static const struct example examples[] = {
	{"nothing happened", {{"A", 1, 5, 9, 4, 'a'}, {"B", 2, 5, 9, 4, 'b'}},
		{{"A", 1, 5, 9, 4, 'a'}, {"B", 2, 6, 10, 5, 'b'}}, "A>A B>B", 0},
	{"a folder was renamed", {{"A", 1, 5, 9, 4, 'a'}}, {{"B", 1, 5, 9, 4, 'a'}}, "A>B", 1},
	{"with mail that came meanwhile", {{"A", 1, 5, 9, 4, 'a'}}, {{"B", 1, 9, 12, 8, 'a'}},
		"A>B", 1},
	{"it only has the same UIDVALIDITY", {{"A", 1, 5, 9, 4, 'a'}}, {{"B", 1, 5, 9, 4, 'b'}},
		"A>", 1},
	{"there is no telling", {{"A", 1, 5, 9, 4, 'a'}}, {{"B", 1, 5, 9, 4, '?'}}, "A>", 1},
	{"UIDNEXT never falls", {{"A", 1, 5, 9, 4, 'a'}}, {{"B", 1, 4, 9, 3, 'a'}}, "A>", 0},
	{"nor does HIGHESTMODSEQ", {{"A", 1, 5, 9, 4, 'a'}}, {{"B", 1, 5, 8, 4, 'a'}}, "A>", 0},
	{"a folder was removed and another made", {{"A", 1, 5, 9, 4, 'a'}},
		{{"B", 2, 5, 9, 4, 'a'}}, "A>", 0},
	{"a tree was renamed", {{"T/x", 1, 2, 2, 1, 'x'}, {"T/y", 2, 2, 2, 1, 'y'}},
		{{"U/x", 1, 2, 2, 1, 'x'}, {"U/y", 2, 2, 2, 1, 'y'}}, "T/x>U/x T/y>U/y", 2},
	{"a tree made in one second: its names are tried first",
		{{"T", 1, 2, 2, 1, 't'}, {"T/x", 1, 2, 2, 1, 'x'}, {"T/y", 1, 2, 2, 1, 'y'}},
		{{"U", 1, 2, 2, 1, 't'}, {"U/x", 1, 2, 2, 1, 'x'}, {"U/y", 1, 2, 2, 1, 'y'}},
		"T>U T/x>U/x T/y>U/y", 3},
	{"two folders swapped their names", {{"A", 1, 5, 9, 4, 'a'}, {"B", 2, 3, 3, 2, 'b'}},
		{{"A", 2, 3, 3, 2, 'b'}, {"B", 1, 5, 9, 4, 'a'}}, "A>B B>A", 2},
	{"two of one UIDVALIDITY did", {{"A", 1, 5, 9, 4, 'a'}, {"B", 1, 3, 3, 2, 'b'}},
		{{"A", 1, 3, 3, 2, 'b'}, {"B", 1, 5, 9, 4, 'a'}}, "A>B B>A", 4},
	{"two with equal numbers did: nothing tells",
		{{"A", 1, 5, 9, 4, 'a'}, {"B", 1, 5, 9, 4, 'b'}},
		{{"A", 1, 5, 9, 4, 'b'}, {"B", 1, 5, 9, 4, 'a'}}, "A>A B>B", 0},
	{"until one changes", {{"A", 1, 5, 9, 4, 'a'}, {"B", 1, 5, 9, 4, 'b'}},
		{{"A", 1, 6, 10, 5, 'b'}, {"B", 1, 5, 9, 4, 'a'}}, "A>B B>A", 4},
	{"two did, and the numbers of one are those of the other before",
		{{"A", 1, 5, 9, 4, 'a'}, {"B", 1, 4, 8, 3, 'b'}},
		{{"A", 1, 5, 9, 4, 'b'}, {"B", 1, 5, 9, 4, 'a'}}, "A>B B>A", 4},
	{"two of one UIDVALIDITY stayed", {{"A", 1, 5, 9, 4, 'a'}, {"B", 1, 3, 3, 2, 'b'}},
		{{"A", 1, 5, 9, 4, 'a'}, {"B", 1, 3, 3, 2, 'b'}}, "A>A B>B", 0},
	{"of those one that changed is looked at", {{"A", 1, 5, 9, 4, 'a'}, {"B", 1, 3, 3, 2, 'b'}},
		{{"A", 1, 5, 9, 4, 'a'}, {"B", 1, 4, 4, 3, 'b'}}, "A>A B>B", 1},
	{"and all of them when it tells nothing", {{"A", 1, 5, 9, 4, 'a'}, {"B", 1, 3, 3, 2, 'b'}},
		{{"A", 1, 5, 9, 4, 'a'}, {"B", 1, 4, 4, 3, '?'}}, "A>A B>B", 2},
	{"what is alike is itself under its own name",
		{{"A", 1, 5, 9, 4, 'a'}, {"B", 1, 3, 3, 2, 'b'}},
		{{"A", 1, 5, 9, 4, 'A'}, {"B", 1, 4, 4, 3, 'B'}}, "A>A B>B", 1},
	{"and under no other", {{"A", 1, 5, 9, 4, 'a'}}, {{"B", 1, 5, 9, 4, 'A'}}, "A>", 1},
	{"an empty one swapped with one whose numbers it has now",
		{{"A", 1, 2, 2, 1, 'a'}, {"B", 1, 1, 1, 0, '-'}},
		{{"A", 1, 2, 2, 1, 'b'}, {"B", 1, 3, 3, 2, 'a'}}, "A>B B>", 3},
	{"a new folder has the old name", {{"A", 1, 5, 9, 4, 'a'}},
		{{"A", 2, 1, 1, 0, '-'}, {"B", 1, 5, 9, 4, 'a'}}, "A>B", 1},
	{"and the old UIDVALIDITY", {{"A", 1, 5, 9, 4, 'a'}},
		{{"A", 1, 2, 2, 1, 'n'}, {"B", 1, 5, 9, 4, 'a'}}, "A>B", 2},
	{"and the old numbers", {{"A", 1, 2, 2, 1, 'a'}},
		{{"A", 1, 2, 2, 1, 'n'}, {"B", 1, 3, 3, 2, 'a'}}, "A>B", 2},
	{"a folder came in the place of one that was removed",
		{{"A", 1, 5, 9, 4, 'a'}, {"B", 2, 3, 3, 2, 'b'}}, {{"A", 2, 3, 3, 2, 'b'}},
		"A> B>A", 1},
	{"of one UIDVALIDITY", {{"A", 1, 2, 2, 1, 'a'}, {"B", 1, 3, 3, 2, 'b'}},
		{{"A", 1, 3, 3, 2, 'b'}}, "A> B>A", 2},
	{"a new folder came in the place of one removed, of its UIDVALIDITY",
		{{"A", 1, 5, 9, 4, 'a'}}, {{"A", 1, 2, 2, 1, 'n'}}, "A>", 1},
	{"a folder has a new UIDVALIDITY", {{"A", 1, 5, 9, 4, 'a'}}, {{"A", 2, 5, 9, 4, 'a'}},
		"A>A", 0},
	{"UIDNEXT fell with the last message", {{"A", 1, 5, 9, 4, 'a'}}, {{"A", 1, 4, 9, 3, 'a'}},
		"A>A", 1},
	{"an empty folder, and no other can be meant", {{"A", 1, 1, 1, 0, '-'}},
		{{"B", 1, 1, 1, 0, '-'}}, "A>B", 1},
	{"two empty folders may be either", {{"A", 1, 1, 1, 0, '-'}, {"B", 1, 1, 1, 0, '-'}},
		{{"C", 1, 1, 1, 0, '-'}, {"D", 1, 1, 1, 0, '-'}}, "A> B>", 2},
	{"an empty folder without UIDNEXT", {{"A", 1, 0, 0, 0, '-'}}, {{"B", 1, 1, 1, 0, '-'}},
		"A>", 1},
	{"a first pass was cut: no mark", {{"A", 1, 0, 0, 0, 'a'}}, {{"B", 1, 5, 9, 4, 'a'}}, "A>B",
		1},
	{"a folder told by its name alone stays, and nothing becomes it",
		{{"A", 1, 5, 9, 4, 'a'}, {"INBOX", 0, 0, 0, 0, 'i'}},
		{{"INBOX", 0, 0, 0, 0, 'a'}, {"old", 3, 5, 9, 4, 'i'}}, "A> INBOX>INBOX", 0},
	{"a pass was cut: two of one name", {{"A", 1, 5, 9, 4, 'a'}, {"A", 2, 3, 3, 2, 'b'}},
		{{"A", 2, 3, 3, 2, 'b'}}, "A> A>A", 0},
	{"a pass was cut: two of one name and UIDVALIDITY",
		{{"A", 1, 5, 9, 4, 'a'}, {"A", 1, 2, 2, 1, 'b'}}, {{"A", 1, 2, 2, 1, 'b'}},
		"A> A>A", 2},
};

static void who_is_who(void)
{
	for (size_t i = 0; i < ARRAY_LEN(examples); i++)
		check_example(&examples[i]);
}

/* Servers that give one UIDVALIDITY to all: looks are few, however many were renamed. */
static void looks_are_bounded(void)
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
		look, &contents, &err));
	CHECK_INT(contents.looks, MANY * RENAME_TRIES);
	for (int i = 0; i < MANY; i++)
		CHECK(here[i].match == RENAME_NONE && there[i].match == RENAME_NONE);
}

static bool fail(void *context, size_t known, size_t server,
	enum rename_fingerprint *ret_fingerprint, struct err *err)
{
	(void)context;
	(void)known;
	(void)server;
	(void)ret_fingerprint;
	return err_set(err, ERR_RETRY, "connection lost");
}

static void a_look_that_fails_ends_it(void)
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
		PROMISE(who_is_who),
		PROMISE(looks_are_bounded),
		PROMISE(a_look_that_fails_ends_it),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
