/* Accounts by the thousand: a template, and files with a line for each account. */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "config/lines.h"
#include "config/loading.h"
#include "config/texts.h"

enum { EXPANDED_BYTES_MAX = 4096, COLUMNS_MIN = 2, COLUMNS_MAX = 3 };

/* Whom %u and %d stand for: parts of an address. */
struct person {
	const char *local, *domain;
	size_t local_len;
};

static const struct person somebody = {.local = "user", .domain = "example.org", .local_len = 4};

static struct person person_of(const char *address)
{
	const char *at = strrchr(address, '@');

	return (struct person){
		.local = address, .local_len = (size_t)(at - address), .domain = at + 1};
}

/* One step of a value: *at moves past a plain character or past %u, %d, %%. */
static bool expand_step(const char **at, const struct person *person, struct buf *out)
{
	const char *from = *at;

	*at += from[0] == '%' && from[1] && strchr("ud%", from[1]) ? 2 : 1;
	if (*at == from + 1)
		return buf_add_byte(out, (uint8_t)from[0]);
	if (from[1] == 'u')
		return buf_add(out, person->local, person->local_len);
	return buf_add_str(out, from[1] == 'd' ? person->domain : "%");
}

/* NULL: too long. The caller frees. */
static char *expand(const char *value, const struct person *person)
{
	struct buf out = BUF_INIT(EXPANDED_BYTES_MAX);

	for (const char *at = value; *at;) {
		if (!expand_step(&at, person, &out)) {
			buf_free(&out);
			return NULL;
		}
	}
	return out.len ? buf_take_str(&out) : xstrdup("");
}

/* Is %u or %d in it, and not as a part of %%? */
static bool mentions(const char *value, char letter)
{
	for (const char *at = strchr(value, '%'); at; at = strchr(at, '%')) {
		if (at[1] == letter)
			return true;
		at += at[1] == '%' ? 2 : 1;
	}
	return false;
}

/* Only in names that go to the server as they are may anything stand. */
static bool takes_anything(const struct key *key)
{
	return key &&
	       (key->kind == VALUE_TEXT || key->kind == VALUE_MAYBE || key->kind == VALUE_ADDRESS);
}

static bool person_fits(
	struct loading *loading, const struct person *person, const struct setting *setting)
{
	bool local_good = text_is_plain(person->local, person->local_len);
	bool domain_good = text_is_plain(person->domain, strlen(person->domain));
	const char *part = NULL;

	if (!local_good && mentions(setting->value, 'u'))
		part = "local part cannot stand for %u";
	else if (!domain_good && mentions(setting->value, 'd'))
		part = "domain cannot stand for %d";
	if (part)
		problem_add(&loading->problems, setting->place, "address",
			"its %s in %s of [%s]; letters, digits and . _ + = - can, with no . or - "
			"first",
			part, setting->key, setting->section);
	return !part;
}

/* The template's keys for this person; problems stand at `place`, or in the template (NULL). */
static void set_template(struct loading *loading, const struct section *template,
	const struct person *person, const struct config_place *place,
	struct config_account *account)
{
	for (size_t i = 0; i < template->count; i++) {
		const struct entry *entry = &template->entries[i];
		struct setting setting = {.section = template->name,
			.key = entry->key,
			.value = entry->value,
			.place = place ? *place : (struct config_place){.line = entry->line}};
		CLEANUP(freep) char *value = expand(entry->value, person);

		if (!takes_anything(key_find(&account_keys, entry->key)) &&
			!person_fits(loading, person, &setting))
			continue;
		setting.value = value;
		if (value)
			loading_set(loading, &account_keys, account, &setting);
		else
			problem_add(&loading->problems, setting.place, entry->key,
				"longer than %d bytes with %%u and %%d filled in",
				EXPANDED_BYTES_MAX);
	}
}

void loading_template(struct loading *loading, struct section *section, const char *name)
{
	const struct origin origin = {.place = {.line = section->line}, .section = section};
	struct config_account account = {.name = xstrdup("user")};
	CLEANUP(freep) char *shown = str_printf("[%s]", section->name);
	size_t problems = loading->problems.count;

	if (!config_name_valid(name))
		problem_add(&loading->problems, origin.place, shown,
			"not a template's name; 1 to 64 of A-Z a-z 0-9 . _ + @ -, no leading dot, "
			"are accepted");
	account_defaults(&account);
	set_template(loading, section, &somebody, NULL, &account);
	account_check(loading, &account, &origin);
	account_clear(&account);
	section->ignored = loading->problems.count > problems;
}

/* A line cut at its tabs. */
struct columns {
	char *text[COLUMNS_MAX]; /* into the line */
	size_t count;            /* may be more than COLUMNS_MAX */
};

static struct columns cut(char *line)
{
	struct columns columns = {0};

	for (char *at = line; at; columns.count++) {
		char *tab = strchr(at, '\t');

		if (columns.count < COLUMNS_MAX)
			columns.text[columns.count] = at;
		if (tab)
			*tab = '\0';
		at = tab ? tab + 1 : NULL;
	}
	return columns;
}

/* What the columns hold is not repeated in problems: columns may have been mixed up. */
static bool columns_good(
	struct loading *loading, const struct columns *columns, struct config_place place)
{
	if (columns->count < COLUMNS_MIN || columns->count > COLUMNS_MAX)
		problem_add(&loading->problems, place, "line",
			"name<TAB>address<TAB>user is accepted, not %zu columns", columns->count);
	else if (!config_name_valid(columns->text[0]))
		problem_add(&loading->problems, place, "name",
			"not an account name; 1 to 64 of A-Z a-z 0-9 . _ + @ -, no leading dot, "
			"are accepted");
	else if (!text_is_address(columns->text[1]))
		problem_add(&loading->problems, place, "address",
			"not a mail address; one such as a@example.org is accepted");
	else
		return true;
	return false;
}

static void list_account(struct loading *loading, const struct section *template,
	const struct columns *columns, struct config_place place)
{
	const struct origin origin = {.place = place};
	const char *user = columns->count == COLUMNS_MAX ? columns->text[2] : "";
	struct config_account account = {.name = xstrdup(columns->text[0])};
	struct person person = person_of(columns->text[1]);

	account_defaults(&account);
	set_template(loading, template, &person, &place, &account);
	free(account.address);
	account.address = xstrdup(columns->text[1]);
	if (user[0]) {
		free(account.user);
		account.user = xstrdup(user);
	}
	account_complete(loading, &account, &origin, template);
	account_check(loading, &account, &origin);
	if (loading->look_at_files)
		account_look_at_files(loading, &account, &origin);
	account_keep(loading, &account, &origin);
}

static void read_line(struct loading *loading, const struct section *template, char *line,
	struct config_place place)
{
	struct columns columns;

	if (line[0] == '#' || line[strspn(line, " \t")] == '\0')
		return;
	columns = cut(line);
	if (columns_good(loading, &columns, place))
		list_account(loading, template, &columns, place);
}

static void read_list(struct loading *loading, const struct section *template, const char *path,
	struct config_place named_at)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT(CONFIG_FILE_BYTES_MAX);
	struct lines lines = {.line_bytes_max = CONFIG_LIST_LINE_BYTES_MAX};
	struct err err = ERR_INIT;
	char *line;

	if (!fs_read(path, &text, &err)) {
		problem_add(&loading->problems, named_at, "file", "%s", err.text);
		return;
	}
	lines.text = buf_str(&text);
	lines.left = text.len;
	lines.place.file = problems_file(&loading->problems, path);
	while (!loading->accounts_ended && (line = lines_next(&lines, &loading->problems))) {
		read_line(loading, template, line, lines.place);
		free(line);
	}
}

static const struct section *find_template(const struct loading *loading, const char *name)
{
	CLEANUP(freep) char *wanted = str_printf("template %s", name);

	for (size_t i = 0; i < loading->document.count; i++)
		if (strcmp(loading->document.sections[i].name, wanted) == 0)
			return &loading->document.sections[i];
	return NULL;
}

void loading_list(struct loading *loading, const struct section *section, const char *name)
{
	const struct section *template = find_template(loading, name);
	const struct origin origin = {.place = {.line = section->line}, .section = section};
	CLEANUP(freep) char *shown = str_printf("[%s]", section->name);
	struct accounts_from from = {0};

	loading_set_section(loading, &from_keys, &from, section);
	if (!template)
		problem_add(&loading->problems, origin.place, shown,
			"there is no [template %s]; one is needed", name);
	if (!section_entry(section, "file"))
		problem_add(&loading->problems, origin.place, "file", "missing in %s; %s is needed",
			shown, from_keys.keys[0].accepted);
	if (template && !template->ignored && from.file)
		read_list(loading, template, from.file, origin_place(&origin, "file"));
	key_table_free(&from_keys, &from);
}
