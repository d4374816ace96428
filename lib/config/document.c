#include "config/document.h"

#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "config/lines.h"

enum { SECTION_BYTES_MAX = 100, KEY_BYTES_MAX = 40 };

struct parsing {
	struct document *document;
	struct problems *problems;
	struct lines lines;
};

/* One line for libinih, and what it made of it. */
struct feed {
	const char *line;
	size_t limit; /* bytes libinih takes of a line */
	bool given;
	char *key, *value; /* NULL: a comment, or nothing */
};

static char *give_line(char *into, int size, void *user)
{
	struct feed *feed = user;
	size_t len = strlen(feed->line);

	if (feed->given)
		return NULL;
	feed->given = true;
	feed->limit = (size_t)size - 1;
	if (len > feed->limit)
		return NULL;
	memcpy(into, feed->line, len + 1);
	return into;
}

static int take_key(void *user, const char *section, const char *key, const char *value)
{
	struct feed *feed = user;

	(void)section;
	feed->key = xstrdup(key);
	feed->value = xstrdup(value);
	return 1;
}

bool document_key_shown(const char *key)
{
	size_t len = strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return len > 0 && len <= KEY_BYTES_MAX && key[len] == '\0';
}

static void add_entry(struct parsing *parsing, struct section *section, struct feed *feed)
{
	struct config_place place = parsing->lines.place;
	const char *shown = document_key_shown(feed->key) ? feed->key : "key";
	const struct entry *before = section_entry(section, feed->key);

	if (before) {
		problem_add(parsing->problems, place, shown,
			"was there before in [%s], at line %u; once is accepted", section->name,
			before->line);
		return;
	}
	if (section->count == DOCUMENT_ENTRIES_MAX) {
		problem_add(parsing->problems, place, shown, "more than %d keys in one section",
			DOCUMENT_ENTRIES_MAX);
		section->ignored = true;
		return;
	}
	ARRAY_GROW(section->entries, section->count, section->cap);
	section->entries[section->count++] = (struct entry){
		.key = TAKE(feed->key), .value = TAKE(feed->value), .line = place.line};
}

static void not_understood(struct parsing *parsing)
{
	problem_add(parsing->problems, parsing->lines.place, "line",
		"not understood; [section], key = value and ; comment are");
}

static void parse_key(struct parsing *parsing, const char *line)
{
	struct document *document = parsing->document;
	struct section *section = document->count ? &document->sections[document->count - 1] : NULL;
	struct feed feed = {.line = line};
	bool understood = ini_parse_stream(give_line, &feed, take_key, &feed) == 0;

	if (strlen(line) > feed.limit)
		problem_add(parsing->problems, parsing->lines.place, "line",
			"longer than %zu bytes; a long command belongs into a script", feed.limit);
	else if (!understood || (feed.key && feed.key[0] == '\0'))
		not_understood(parsing);
	else if (feed.key && !section)
		problem_add(parsing->problems, parsing->lines.place,
			document_key_shown(feed.key) ? feed.key : "key",
			"stands before the first section; [mailstow] or [account NAME] goes first");
	else if (feed.key && !section->ignored)
		add_entry(parsing, section, &feed);
	free(feed.key);
	free(feed.value);
}

static bool plain(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (name[i] < ' ' || name[i] > '~')
			return false;
	return len <= SECTION_BYTES_MAX;
}

/* After one that cannot be read comes an ignored one: its keys belong nowhere else. */
static void parse_section(struct parsing *parsing, const char *line)
{
	struct document *document = parsing->document;
	size_t len = strcspn(line + 1, "]");
	const char *rest = line + 1 + len + (line[1 + len] == ']');
	bool good = line[1 + len] == ']' && plain(line + 1, len);

	rest += strspn(rest, " \t");
	good = good && (*rest == '\0' || *rest == ';' || *rest == '#');
	if (!good)
		not_understood(parsing);
	ARRAY_GROW(document->sections, document->count, document->cap);
	document->sections[document->count++] =
		(struct section){.name = good ? xstrndup(line + 1, len) : xstrdup(""),
			.line = parsing->lines.place.line,
			.ignored = !good};
}

static int by_name_and_line(const void *a, const void *b)
{
	const struct section *left = *(struct section *const *)a;
	const struct section *right = *(struct section *const *)b;
	int names = strcmp(left->name, right->name);

	return names ? names : (left->line > right->line) - (left->line < right->line);
}

/* Also tells of sections that are there twice: by name the second follows the first. */
static void find_repeated(struct document *document, struct problems *problems)
{
	CLEANUP(freep)
	struct section **sorted = xcalloc(document->count + 1, sizeof(struct section *));

	for (size_t i = 0; i < document->count; i++)
		sorted[i] = &document->sections[i];
	qsort(sorted, document->count, sizeof(struct section *), by_name_and_line);
	for (size_t i = 1; i < document->count; i++) {
		CLEANUP(freep) char *shown = NULL;

		if (sorted[i]->ignored || strcmp(sorted[i]->name, sorted[i - 1]->name) != 0)
			continue;
		shown = str_printf("[%s]", sorted[i]->name);
		problem_add(problems, (struct config_place){.line = sorted[i]->line}, shown,
			"was there before, at line %u; once is accepted", sorted[i - 1]->line);
		sorted[i]->ignored = true;
	}
}

/* false: there are too many sections, the rest is left out. */
static bool parse_line(struct parsing *parsing, const char *line)
{
	line += strspn(line, " \t");
	if (*line == '\0' || *line == ';' || *line == '#')
		return true;
	if (*line != '[') {
		parse_key(parsing, line);
	} else if (parsing->document->count < DOCUMENT_SECTIONS_MAX) {
		parse_section(parsing, line);
	} else {
		problem_add(parsing->problems, parsing->lines.place, "line",
			"more than %d sections", DOCUMENT_SECTIONS_MAX);
		return false;
	}
	return true;
}

void document_parse(
	const char *text, size_t len, struct problems *problems, struct document *ret_document)
{
	struct parsing parsing = {.document = ret_document,
		.problems = problems,
		.lines = {.text = text, .left = len, .line_bytes_max = SIZE_MAX}};
	bool more = true;
	char *line;

	while (more && (line = lines_next(&parsing.lines, problems))) {
		more = parse_line(&parsing, line);
		free(line);
	}
	find_repeated(ret_document, problems);
}

const struct entry *section_entry(const struct section *section, const char *key)
{
	for (size_t i = 0; i < section->count; i++)
		if (strcmp(section->entries[i].key, key) == 0)
			return &section->entries[i];
	return NULL;
}

static void section_free(struct section *section)
{
	for (size_t i = 0; i < section->count; i++) {
		free(section->entries[i].key);
		free(section->entries[i].value);
	}
	free(section->entries);
	free(section->name);
}

void document_free(struct document *document)
{
	for (size_t i = 0; i < document->count; i++)
		section_free(&document->sections[i]);
	free(document->sections);
	*document = (struct document){0};
}
