#include "config/load/account_list.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "config/config_limits.h"
#include "config/load/account_draft.h"
#include "config/load/account_keys.h"
#include "config/load/lines.h"
#include "config/load/texts.h"

enum { EXPANDED_BYTES_MAX = 4096, COLUMNS_MIN = 2, COLUMNS_MAX = 3 };

#define LIST_ACCEPTED "a file of lines name<TAB>address<TAB>user"

struct list_section {
	char *file;
};

static const struct config_key of_list[] = {
	{"file", offsetof(struct list_section, file), VALUE_PATH, 0, LIST_ACCEPTED},
};
static const struct key_table list_keys = {of_list, ARRAY_LEN(of_list)};

/* What %u and %d are replaced by: the parts of an address. */
struct address_parts {
	const char *local, *domain;
	size_t local_len;
};

static const struct address_parts example_parts = {
	.local = "user", .domain = "example.org", .local_len = 4};

static struct address_parts split_address(const char *address)
{
	const char *at = strrchr(address, '@');

	return (struct address_parts){
		.local = address, .local_len = (size_t)(at - address), .domain = at + 1};
}

/* Advances *at past one plain character, %u, %d or %%, and appends what replaces it. */
static bool expand_step(const char **at, const struct address_parts *parts, struct buf *out)
{
	const char *from = *at;

	*at += from[0] == '%' && from[1] && strchr("ud%", from[1]) ? 2 : 1;
	if (*at == from + 1)
		return buf_add_byte(out, (uint8_t)from[0]);
	if (from[1] == 'u')
		return buf_add(out, parts->local, parts->local_len);
	return buf_add_str(out, from[1] == 'd' ? parts->domain : "%");
}

/* NULL: too long. The caller frees. */
static char *expand(const char *value, const struct address_parts *parts)
{
	struct buf out = BUF_INIT(EXPANDED_BYTES_MAX);

	for (const char *at = value; *at;) {
		if (!expand_step(&at, parts, &out)) {
			buf_free(&out);
			return NULL;
		}
	}
	return out.len ? buf_take_str(&out) : xstrdup("");
}

/* Does the value contain %letter, not counting a %% before the letter? */
static bool mentions(const char *value, char letter)
{
	for (const char *at = strchr(value, '%'); at; at = strchr(at, '%')) {
		if (at[1] == letter)
			return true;
		at += at[1] == '%' ? 2 : 1;
	}
	return false;
}

/* Login names are sent to the server verbatim: any character is harmless in them. */
static bool takes_any_character(const struct config_key *key)
{
	return key &&
	       (key->kind == VALUE_TEXT || key->kind == VALUE_MAYBE || key->kind == VALUE_ADDRESS);
}

static bool parts_are_plain(
	struct config_load *load, const struct address_parts *parts, const struct setting *setting)
{
	bool local_good = text_is_plain(parts->local, parts->local_len);
	bool domain_good = text_is_plain(parts->domain, strlen(parts->domain));
	const char *part = NULL;

	if (!local_good && mentions(setting->value, 'u'))
		part = "local part cannot replace %u";
	else if (!domain_good && mentions(setting->value, 'd'))
		part = "domain cannot replace %d";
	if (part)
		problem_add(&load->problems, setting->place, "address",
			"its %s in %s of [%s]; expected letters, digits and . _ + = - only, with "
			"no . or - first",
			part, setting->key, setting->section);
	return !part;
}

/* Sets the template's keys for this address. Problems name `place`, or the template's own lines
 * when place is NULL. */
static void set_template(struct config_load *load, const struct section *template,
	const struct address_parts *parts, const struct config_place *place,
	struct config_account *account)
{
	for (size_t i = 0; i < template->count; i++) {
		const struct entry *entry = &template->entries[i];
		struct setting setting = {.section = template->name,
			.key = entry->key,
			.value = entry->value,
			.place = place ? *place : (struct config_place){.line = entry->line}};
		CLEANUP(freep) char *value = expand(entry->value, parts);

		if (!takes_any_character(key_find(&account_keys, entry->key)) &&
			!parts_are_plain(load, parts, &setting))
			continue;
		setting.value = value;
		if (value)
			load_set(load, &account_keys, account, &setting);
		else
			problem_add(&load->problems, setting.place, entry->key,
				"longer than %d bytes with %%u and %%d replaced; shorten it",
				EXPANDED_BYTES_MAX);
	}
}

void load_template(struct config_load *load, struct section *section, const char *name)
{
	const struct origin origin = {.place = {.line = section->line}, .section = section};
	struct config_account account = {.name = xstrdup("user")};
	CLEANUP(freep) char *shown = str_printf("[%s]", section->name);
	size_t problems = load->problems.count;

	if (!config_name_valid(name))
		problem_add(&load->problems, origin.place, shown,
			"not a valid template name; expected " ACCOUNT_NAME_ACCEPTED);
	account_defaults(&account);
	set_template(load, section, &example_parts, NULL, &account);
	account_check(load, &account, &origin);
	account_clear(&account);
	section->ignored = load->problems.count > problems;
}

/* A line split at its tabs. */
struct columns {
	char *text[COLUMNS_MAX]; /* into the line */
	size_t count;            /* may be more than COLUMNS_MAX */
};

static struct columns split_columns(char *line)
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

/* Problems do not repeat the columns: a secret may be in one by mistake. */
static bool columns_good(
	struct config_load *load, const struct columns *columns, struct config_place place)
{
	if (columns->count < COLUMNS_MIN || columns->count > COLUMNS_MAX)
		problem_add(&load->problems, place, "line",
			"has %zu columns; expected name<TAB>address<TAB>user", columns->count);
	else if (!config_name_valid(columns->text[0]))
		problem_add(&load->problems, place, "name",
			"not a valid account name; expected " ACCOUNT_NAME_ACCEPTED);
	else if (!text_is_address(columns->text[1]))
		problem_add(&load->problems, place, "address",
			"not a mail address; expected one such as a@example.org");
	else
		return true;
	return false;
}

static void add_listed_account(struct config_load *load, const struct section *template,
	const struct columns *columns, struct config_place place)
{
	const struct origin origin = {.place = place};
	const char *user = columns->count == COLUMNS_MAX ? columns->text[2] : "";
	struct config_account account = {.name = xstrdup(columns->text[0])};
	struct address_parts parts = split_address(columns->text[1]);

	account_defaults(&account);
	set_template(load, template, &parts, &place, &account);
	free(account.address);
	account.address = xstrdup(columns->text[1]);
	if (user[0]) {
		free(account.user);
		account.user = xstrdup(user);
	}
	account_finish(load, &account, &origin, template);
}

static void read_list_line(struct config_load *load, const struct section *template, char *line,
	struct config_place place)
{
	struct columns columns;

	if (line[0] == '#' || line[strspn(line, " \t")] == '\0')
		return;
	columns = split_columns(line);
	if (columns_good(load, &columns, place))
		add_listed_account(load, template, &columns, place);
}

static void read_list(struct config_load *load, const struct section *template, const char *path,
	struct config_place named_at)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT(CONFIG_FILE_BYTES_MAX);
	struct lines lines = {.line_bytes_max = CONFIG_LIST_LINE_BYTES_MAX};
	struct err err = ERR_INIT;
	char *line;

	if (!fs_read(path, &text, &err)) {
		problem_add(&load->problems, named_at, "file", "%s", err.text);
		return;
	}
	lines.text = buf_str(&text);
	lines.left = text.len;
	lines.place.file = problems_file(&load->problems, path);
	while (!load->accounts_full && (line = lines_next(&lines, &load->problems))) {
		read_list_line(load, template, line, lines.place);
		free(line);
	}
}

static const struct section *find_template(const struct config_load *load, const char *name)
{
	CLEANUP(freep) char *wanted = str_printf("template %s", name);

	for (size_t i = 0; i < load->document.count; i++)
		if (strcmp(load->document.sections[i].name, wanted) == 0)
			return &load->document.sections[i];
	return NULL;
}

void load_account_list(struct config_load *load, const struct section *section, const char *name)
{
	const struct section *template = find_template(load, name);
	const struct origin origin = {.place = {.line = section->line}, .section = section};
	CLEANUP(freep) char *shown = str_printf("[%s]", section->name);
	struct list_section list = {0};

	load_set_section(load, &list_keys, &list, section);
	if (!template)
		problem_add(&load->problems, origin.place, shown,
			"there is no [template %s]; expected a template of this name", name);
	if (!section_entry(section, "file"))
		problem_add(&load->problems, origin.place, "file", "missing in %s; expected %s",
			shown, LIST_ACCEPTED);
	if (template && !template->ignored && list.file)
		read_list(load, template, list.file, origin_place(&origin, "file"));
	key_table_free(&list_keys, &list);
}
