/* The whole configuration: sections in, struct config out. */
#include "config/config.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "config/load/account_draft.h"
#include "config/load/account_list.h"
#include "config/load/load.h"

enum { WORKERS_DEFAULT = 4, WORKERS_MAX = 64 };

#define GENERAL(member) offsetof(struct config, member)

static const struct config_key general[] = {
	{"archive-dir", GENERAL(archive_dir), VALUE_PATH, 0, "a folder"},
	{"workers", GENERAL(workers), VALUE_NUMBER, WORKERS_MAX, "a number from 1 to 64"},
	{"metrics-listen", GENERAL(metrics_listen), VALUE_LISTEN, 0,
		"ADDRESS:PORT such as 127.0.0.1:9477, or nothing"},
	{"metrics-textfile", GENERAL(metrics_textfile), VALUE_MAYBE_PATH, 0, "a file"},
	{"notify-command", GENERAL(notify_command), VALUE_COMMAND, 0, "a shell command"},
};
static const struct key_table general_keys = {general, ARRAY_LEN(general)};

/* NAME of a section "kind NAME"; NULL: another kind. */
static const char *section_argument(const char *section, const char *kind)
{
	size_t len = strlen(kind);

	return str_starts(section, kind) && section[len] == ' ' ? section + len + 1 : NULL;
}

static void load_section(
	struct config_load *load, struct config *config, const struct section *section)
{
	const char *account = section_argument(section->name, "account");
	const char *list = section_argument(section->name, "accounts-from");
	CLEANUP(freep) char *shown = str_printf("[%s]", section->name);

	if (account)
		load_account(load, section, account);
	else if (list)
		load_account_list(load, section, list);
	else if (strcmp(section->name, "mailstow") == 0)
		load_set_section(load, &general_keys, config, section);
	else if (!section_argument(section->name, "template"))
		problem_add(&load->problems, (struct config_place){.line = section->line}, shown,
			"unknown section; expected [mailstow], [account NAME], [template NAME] or "
			"[accounts-from NAME]");
}

/* Templates first: a list may come before its template in the file. */
static void load_sections(struct config_load *load, struct config *config)
{
	struct document *document = &load->document;

	for (size_t i = 0; i < document->count; i++) {
		struct section *section = &document->sections[i];
		const char *template = section_argument(section->name, "template");

		if (template && !section->ignored)
			load_template(load, section, template);
	}
	for (size_t i = 0; i < document->count; i++)
		if (!document->sections[i].ignored)
			load_section(load, config, &document->sections[i]);
}

static void take_accounts(struct config *config, struct config_load *load)
{
	config->accounts = TAKE(load->accounts);
	config->accounts_count = load->accounts_count;
	load->accounts_count = 0;
	if (!config->archive_dir)
		config->archive_dir = config_default_archive_dir();
	for (size_t i = 0; i < config->accounts_count; i++)
		config->accounts[i].archive_path =
			str_printf("%s/%s", config->archive_dir, config->accounts[i].name);
}

static bool load_text(const char *path, const struct buf *text, bool check_files,
	struct config **ret_config, struct str_list *problems, struct err *err)
{
	CLEANUP(config_freep) struct config *config = xcalloc(1, sizeof(*config));
	CLEANUP(load_free) struct config_load load = {.check_files = check_files};
	CLEANUP(str_list_free) struct str_list lines = {0};

	config->file = xstrdup(path);
	config->workers = WORKERS_DEFAULT;
	load_begin(&load, path);
	document_parse(buf_str(text), text->len, &load.problems, &load.document);
	load_sections(&load, config);
	load_find_repeated_accounts(&load);
	take_accounts(config, &load);
	problems_list(&load.problems, &lines);
	if (lines.count == 0) {
		*ret_config = TAKE(config);
		return true;
	}
	for (size_t i = 0; problems && i < lines.count; i++)
		str_list_add(problems, lines.items[i]);
	return err_set(err, ERR_CONFIG, "%s", lines.items[0]);
}

bool config_load(
	const char *path, struct config **ret_config, struct str_list *problems, struct err *err)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT(CONFIG_FILE_BYTES_MAX);

	return config_read_file(path, &text, err) &&
	       load_text(path, &text, false, ret_config, problems, err);
}

bool config_load_with(const char *path, const char *section, struct config **ret_config,
	struct str_list *problems, struct err *err)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT(CONFIG_FILE_BYTES_MAX);

	return config_read_with(path, section, &text, err) &&
	       load_text(path, &text, false, ret_config, problems, err);
}

bool config_check(const char *path, struct str_list *problems, struct err *err)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT(CONFIG_FILE_BYTES_MAX);
	CLEANUP(config_freep) struct config *config = NULL;

	return config_read_file(path, &text, err) &&
	       load_text(path, &text, true, &config, problems, err);
}

void config_freep(struct config **config)
{
	struct config *old = *config;

	if (!old)
		return;
	for (size_t i = 0; i < old->accounts_count; i++)
		account_clear(&old->accounts[i]);
	key_table_free(&general_keys, old);
	free(old->accounts);
	free(old->file);
	free(old);
	*config = NULL;
}

const struct config_account *config_account(const struct config *config, const char *name)
{
	const struct config_account *found = NULL;

	for (size_t i = 0; i < config->accounts_count; i++)
		if (strcmp(config->accounts[i].name, name) == 0)
			return &config->accounts[i];
	for (size_t i = 0; name[0] && i < config->accounts_count; i++) {
		if (!str_equal_case(config->accounts[i].address, name))
			continue;
		if (found)
			return NULL;
		found = &config->accounts[i];
	}
	return found;
}
