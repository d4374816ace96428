#include "transcript/talk_file.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"

enum { FIELDS_MAX = 9, TEXT_MAX = 64 * 1024, REPEAT_MAX = 1000 };

#define SECTION_END "---"
#define IMPLIED     "implied: "

#define GREETED_SASL_PLAIN                                                                         \
	"S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready\n"                                \
	"C: a AUTHENTICATE PLAIN AGZyZWQAczNjcmV0LWNhbmFyeQ==\n"

#define LOGGED_IN(caps)                                                                            \
	IMPLIED "login\n" GREETED_SASL_PLAIN "S: a OK [CAPABILITY IMAP4rev1 " caps "] in\n"        \
		"C: a LIST \"\" \"\"\n"                                                            \
		"S: * LIST (\\Noselect) \"/\" \"\"\n"                                              \
		"S: a OK\n"

static const struct opening {
	const char *name;
	size_t fields;
	const char *text;
} openings[] = {
	{"GREETED", 1, "S: * OK [CAPABILITY IMAP4rev1 $1] ready\n"},
	{"NO_NAMESPACE", 0, "C: a LIST \"\" \"\"\nS: * LIST (\\Noselect) \".\" \"\"\nS: a OK\n"},
	{"LOGGED_IN", 1, LOGGED_IN("$1")},
	{"EXAMINED", 2,
		LOGGED_IN("$2") IMPLIED "examine INBOX\n"
					"C: a EXAMINE INBOX...\n"
					"S: * $1 EXISTS\n"
					"S: * OK [UIDVALIDITY 7]\n"
					"S: a OK [READ-ONLY] done\n"},
	{"NAMESPACE", 2,
		IMPLIED "login\n" GREETED_SASL_PLAIN
			"S: a OK [CAPABILITY IMAP4rev1 NAMESPACE $2] in\n"
			"C: a NAMESPACE\n"
			"S: * NAMESPACE $1\n"
			"S: a OK\n"},
	{"QRESYNC", 0,
		IMPLIED "login\n" GREETED_SASL_PLAIN
			"S: a OK [CAPABILITY IMAP4rev1 ENABLE QRESYNC UNSELECT ESEARCH] in\n"
			"C: b ENABLE QRESYNC\n"
			"C: c LIST \"\" \"\"\n"
			"S: * ENABLED QRESYNC\n"
			"S: b OK\n"
			"S: c OK\n"},
	{"STARTTLS", 0, "S: * OK [CAPABILITY IMAP4rev1 STARTTLS] ready\nC: a STARTTLS\n"},
};

/* "A | B | C", split in place. */
struct fields {
	char *text; /* malloc'ed */
	const char *items[FIELDS_MAX];
	size_t count;
	unsigned used; /* bit i: items[i] was put in */
};

bool talk_fail(struct talk_failure *failure, size_t line, const char *format, ...)
{
	va_list args;

	if (failure->text[0])
		return false;
	failure->line = line;
	va_start(args, format);
	(void)vsnprintf(failure->text, sizeof(failure->text), format, args);
	va_end(args);
	return false;
}

void talk_lines_add(struct talk_lines *lines, size_t number, char *text)
{
	ARRAY_GROW(lines->items, lines->count, lines->cap);
	lines->items[lines->count++] = (struct talk_line){number, text};
}

void talk_lines_free(struct talk_lines *lines)
{
	for (size_t i = 0; i < lines->count; i++)
		free(lines->items[i].text);
	free(lines->items);
	*lines = (struct talk_lines){0};
}

/* --- the file --- */

static void take_line(struct talk_file *file, size_t number, const char *text)
{
	if (number == 1)
		file->promise = xstrdup(text);
	else if (str_starts(text, "fails: ") && !file->fails)
		file->fails = xstrdup(text + strlen("fails: "));
	else if (*text && *text != '#')
		talk_lines_add(&file->lines, number, xstrdup(text));
}

bool talk_file_read(const char *path, struct talk_file *ret_file, struct talk_failure *failure)
{
	FILE *stream = fopen(path, "r");
	CLEANUP(freep) char *text = NULL;
	size_t size = 0, number = 0;
	ssize_t len;

	*ret_file = (struct talk_file){0};
	if (!stream)
		return talk_fail(failure, 0, "cannot be read: %s", strerror(errno));
	while ((len = getline(&text, &size, stream)) > 0) {
		if (text[len - 1] == '\n')
			text[--len] = '\0';
		if (strlen(text) != (size_t)len || (len > 0 && text[len - 1] == ' '))
			(void)talk_fail(failure, number + 1,
				"a NUL or a blank at the end of a line (write \\0, \\x20)");
		take_line(ret_file, ++number, text);
	}
	(void)fclose(stream);
	if (!ret_file->promise || !ret_file->promise[0] || ret_file->promise[0] == '#')
		return talk_fail(failure, 1, "the first line has to name the promise");
	return failure->text[0] == '\0';
}

void talk_file_free(struct talk_file *file)
{
	free(file->promise);
	free(file->fails);
	talk_lines_free(&file->lines);
	*file = (struct talk_file){0};
}

/* --- fields --- */

static void fields_free(struct fields *fields)
{
	free(fields->text);
}

static bool fields_split(const char *text, struct fields *ret_fields)
{
	char *at, *bar;

	*ret_fields = (struct fields){.text = xstrdup(text)};
	for (at = ret_fields->text; ret_fields->count < FIELDS_MAX; at = bar + strlen(" | ")) {
		ret_fields->items[ret_fields->count++] = at;
		bar = strstr(at, " | ");
		if (!bar)
			return true;
		*bar = '\0';
	}
	return false;
}

/* $1 ... $9 replaced by the fields. NULL: there is no such field. */
static char *fill_in(const char *text, struct fields *fields)
{
	struct buf out = BUF_INIT(TEXT_MAX);
	bool fits = true;

	for (; *text && fits; text++) {
		size_t field = (size_t)(text[1] - '1');

		if (text[0] != '$' || text[1] < '1' || text[1] > '9') {
			fits = buf_add_byte(&out, (uint8_t)*text);
			continue;
		}
		fits = field < fields->count && buf_add_str(&out, fields->items[field]);
		fields->used |= 1U << field;
		text++;
	}
	if (fits)
		return buf_take_str(&out);
	buf_free(&out);
	return NULL;
}

/* --- expanding --- */

static const struct opening *find_opening(const char *text, size_t *ret_len)
{
	*ret_len = strcspn(text, " ");
	for (size_t i = 0; i < ARRAY_LEN(openings); i++)
		if (strlen(openings[i].name) == *ret_len &&
			strncmp(text, openings[i].name, *ret_len) == 0)
			return &openings[i];
	return NULL;
}

/* A field that is left out is "". */
static bool expand_opening(const struct talk_line *line, const struct opening *opening,
	const char *words, struct talk_lines *ret_lines, struct talk_failure *failure)
{
	CLEANUP(fields_free) struct fields fields = {0};
	CLEANUP(freep) char *text = NULL;
	bool fits = fields_split(words, &fields);

	if (!fits || fields.count > opening->fields + (*words == '\0'))
		return talk_fail(failure, line->number, "%s takes %zu fields", opening->name,
			opening->fields);
	while (fields.count < opening->fields)
		fields.items[fields.count++] = "";
	text = fill_in(opening->text, &fields);
	for (const char *at = text; *at; at += strcspn(at, "\n") + 1)
		talk_lines_add(ret_lines, line->number, xstrndup(at, strcspn(at, "\n")));
	return true;
}

static bool expand_line(const struct talk_line *line, struct fields *with,
	struct talk_lines *ret_lines, struct talk_failure *failure)
{
	CLEANUP(freep) char *text = with ? fill_in(line->text, with) : xstrdup(line->text);
	const struct opening *opening;
	size_t len;

	if (!text)
		return talk_fail(failure, line->number, "\"with:\" has fewer fields");
	if (str_starts(text, IMPLIED))
		return talk_fail(failure, line->number, "unknown line: %s", text);
	opening = find_opening(text, &len);
	if (opening)
		return expand_opening(
			line, opening, text + len + (text[len] == ' '), ret_lines, failure);
	talk_lines_add(ret_lines, line->number, TAKE(text));
	return true;
}

/* The lines between "repeat: COUNT" at *at and "end:"; *at is left at the latter. */
static bool expand_repeat(const struct talk_file *file, size_t *at, size_t last,
	struct fields *with, struct talk_lines *ret_lines, struct talk_failure *failure)
{
	const struct talk_line *items = file->lines.items;
	size_t from = *at, to = from + 1;
	uint64_t count;

	while (to < last && strcmp(items[to].text, "end:") != 0)
		to++;
	if (to == last || !str_parse_u64(items[from].text + strlen("repeat: "), &count) ||
		count == 0 || count > REPEAT_MAX)
		return talk_fail(failure, items[from].number,
			"\"repeat:\" needs a number up to %d and an \"end:\"", REPEAT_MAX);
	for (uint64_t i = 0; i < count; i++)
		for (size_t line = from + 1; line < to; line++)
			if (!expand_line(&items[line], with, ret_lines, failure))
				return false;
	*at = to;
	return true;
}

static bool expand_section(const struct talk_file *file, size_t first, size_t last,
	struct fields *with, struct talk_lines *ret_lines, struct talk_failure *failure)
{
	for (size_t i = first; i < last; i++) {
		const struct talk_line *line = &file->lines.items[i];
		bool good;

		if (str_starts(line->text, "with: "))
			continue;
		good = str_starts(line->text, "repeat: ")
			       ? expand_repeat(file, &i, last, with, ret_lines, failure)
			       : expand_line(line, with, ret_lines, failure);
		if (!good)
			return false;
	}
	return true;
}

/* Line of the n-th "with:" of a section, or last. *ret_count: how many there are. */
static size_t find_with(
	const struct talk_file *file, size_t first, size_t last, size_t n, size_t *ret_count)
{
	size_t found = last;

	*ret_count = 0;
	for (size_t i = first; i < last; i++)
		if (str_starts(file->lines.items[i].text, "with: ") && (*ret_count)++ == n)
			found = i;
	return found;
}

bool talk_file_next(const struct talk_file *file, struct talk_cursor *cursor,
	struct talk_lines *ret_lines, struct talk_failure *failure)
{
	CLEANUP(fields_free) struct fields with = {0};
	const struct talk_line *items = file->lines.items;
	size_t first = cursor->section, last = first, line, count;

	*ret_lines = (struct talk_lines){0};
	if (first >= file->lines.count)
		return true;
	while (last < file->lines.count && strcmp(items[last].text, SECTION_END) != 0)
		last++;
	line = find_with(file, first, last, cursor->with, &count);
	if (count > 0 && !fields_split(items[line].text + strlen("with: "), &with))
		return talk_fail(failure, items[line].number, "too many fields");
	if (!expand_section(file, first, last, count > 0 ? &with : NULL, ret_lines, failure))
		return false;
	if (with.used != (1U << with.count) - 1)
		return talk_fail(failure, items[line].number, "not every field is used");
	if (ret_lines->count == 0)
		return talk_fail(failure, items[first].number, "an empty conversation");
	if (++cursor->with >= count)
		*cursor = (struct talk_cursor){.section = last + 1};
	return true;
}
