#include "config/load/document.h"

#include <ini.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "config/load/lines.h"

enum { SECTION_BYTES_MAX = 100, KEY_BYTES_MAX = 40 };

struct parsing {
	struct document *document;
	struct problems *problems;
	struct lines lines;
};

/* One line for libinih, and its result. */
struct ini_line {
	const char *line;
	size_t limit; /* bytes libinih reads of a line */
	bool given;
	char *key, *value; /* NULL: a comment, or an empty line */
};

static char *give_line(char *into, int size, void *user)
{
	struct ini_line *ini = user;
	size_t len = strlen(ini->line);

	if (ini->given)
		return NULL;
	ini->given = true;
	ini->limit = (size_t)size - 1;
	if (len > ini->limit)
		return NULL;
	memcpy(into, ini->line, len + 1);
	return into;
}

static int take_key(void *user, const char *section, const char *key, const char *value)
{
	struct ini_line *ini = user;

	(void)section;
	ini->key = xstrdup(key);
	ini->value = xstrdup(value);
	return 1;
}

bool document_key_shown(const char *key)
{
	size_t len = strspn(key, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return len > 0 && len <= KEY_BYTES_MAX && key[len] == '\0';
}

static void add_entry(struct parsing *parsing, struct section *section, struct ini_line *ini)
{
	struct config_place place = parsing->lines.place;
	const char *shown = document_key_shown(ini->key) ? ini->key : "key";
	const struct entry *before = section_entry(section, ini->key);

	if (before) {
		problem_add(parsing->problems, place, shown,
			"already set in [%s] at line %u; set it once", section->name, before->line);
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
		.key = TAKE(ini->key), .value = TAKE(ini->value), .line = place.line};
}

static void add_not_understood(struct parsing *parsing)
{
	problem_add(parsing->problems, parsing->lines.place, "line",
		"not understood; expected [section], key = value or ; comment");
}

static void parse_key(struct parsing *parsing, const char *line)
{
	struct document *document = parsing->document;
	struct section *section = document->count ? &document->sections[document->count - 1] : NULL;
	struct ini_line ini = {.line = line};
	bool understood = ini_parse_stream(give_line, &ini, take_key, &ini) == 0;

	if (strlen(line) > ini.limit)
		problem_add(parsing->problems, parsing->lines.place, "line",
			"longer than the limit of %zu bytes; move a long command into a script",
			ini.limit);
	else if (!understood || (ini.key && ini.key[0] == '\0'))
		add_not_understood(parsing);
	else if (ini.key && !section)
		problem_add(parsing->problems, parsing->lines.place,
			document_key_shown(ini.key) ? ini.key : "key",
			"before the first section; expected [mailstow] or [account NAME] first");
	else if (ini.key && !section->ignored)
		add_entry(parsing, section, &ini);
	free(ini.key);
	free(ini.value);
}

static bool is_section_name(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (name[i] < ' ' || name[i] > '~')
			return false;
	return len <= SECTION_BYTES_MAX;
}

/* A header that is not understood begins an ignored section: the keys after it must not count for
 * the section before. */
static void parse_section(struct parsing *parsing, const char *line)
{
	struct document *document = parsing->document;
	size_t len = strcspn(line + 1, "]");
	const char *rest = line + 1 + len + (line[1 + len] == ']');
	bool good = line[1 + len] == ']' && is_section_name(line + 1, len);

	rest += strspn(rest, " \t");
	good = good && (*rest == '\0' || *rest == ';' || *rest == '#');
	if (!good)
		add_not_understood(parsing);
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

/* Reports and ignores every repetition of a section. Sorted by name and line, it follows the first.
 */
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
			"already defined at line %u; define it once", sorted[i - 1]->line);
		sorted[i]->ignored = true;
	}
}

/* False: there are too many sections; the rest of the file is skipped. */
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
