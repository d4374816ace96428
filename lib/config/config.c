#include "config/config.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "config/loading.h"
#include "config/places.h"

enum { WORKERS_DEFAULT = 4 };

static const char *const tls_words[] = {
	[CONFIG_TLS_IMPLICIT] = "implicit",
	[CONFIG_TLS_STARTTLS] = "starttls",
	[CONFIG_TLS_OFF] = "off",
};

static const char *const auth_words[] = {
	[CONFIG_AUTH_AUTO] = "auto",
	[CONFIG_AUTH_PLAIN] = "plain",
	[CONFIG_AUTH_LOGIN] = "login",
	[CONFIG_AUTH_SCRAM_SHA_256] = "scram-sha-256",
	[CONFIG_AUTH_SCRAM_SHA_1] = "scram-sha-1",
	[CONFIG_AUTH_XOAUTH2] = "xoauth2",
	[CONFIG_AUTH_OAUTHBEARER] = "oauthbearer",
};

const char *config_tls_word(enum config_tls tls)
{
	return tls_words[tls];
}

const char *config_auth_word(enum config_auth auth)
{
	return auth_words[auth];
}

/* What follows the kind in "kind NAME"; NULL: another kind. */
static const char *name_after(const char *section, const char *kind)
{
	size_t len = strlen(kind);

	return str_starts(section, kind) && section[len] == ' ' ? section + len + 1 : NULL;
}

static void load_section(struct loading *loading, const struct section *section)
{
	const char *account = name_after(section->name, "account");
	const char *list = name_after(section->name, "accounts-from");
	CLEANUP(freep) char *shown = str_printf("[%s]", section->name);

	if (account)
		loading_account(loading, section, account);
	else if (list)
		loading_list(loading, section, list);
	else if (strcmp(section->name, "mailstow") == 0)
		loading_set_section(loading, &general_keys, loading->config, section);
	else if (!name_after(section->name, "template"))
		problem_add(&loading->problems, (struct config_place){.line = section->line}, shown,
			"unknown section; [mailstow], [account NAME], [template NAME] and "
			"[accounts-from NAME] are accepted");
}

static void load_sections(struct loading *loading)
{
	struct document *document = &loading->document;

	for (size_t i = 0; i < document->count; i++) {
		struct section *section = &document->sections[i];
		const char *template = name_after(section->name, "template");

		if (template && !section->ignored)
			loading_template(loading, section, template);
	}
	for (size_t i = 0; i < document->count; i++)
		if (!document->sections[i].ignored)
			load_section(loading, &document->sections[i]);
}

static void finish(struct config *config)
{
	if (!config->archive_dir)
		config->archive_dir = default_archive_dir();
	for (size_t i = 0; i < config->accounts_count; i++)
		config->accounts[i].archive_path =
			str_printf("%s/%s", config->archive_dir, config->accounts[i].name);
}

static void loading_free(struct loading *loading)
{
	document_free(&loading->document);
	problems_free(&loading->problems);
	free(loading->origins);
	free(loading->folder);
	config_freep(&loading->config);
}

static void begin(struct loading *loading, const char *path)
{
	const char *slash = strrchr(path, '/');

	loading->config = xcalloc(1, sizeof(*loading->config));
	loading->config->file = xstrdup(path);
	loading->config->workers = WORKERS_DEFAULT;
	loading->folder = xstrndup(path, slash ? (size_t)(slash - path) : 0);
	(void)problems_file(&loading->problems, path);
}

static bool read_file(const char *path, struct buf *ret_text, struct err *err)
{
	if (fs_read(path, ret_text, err))
		return true;
	err->kind = ERR_CONFIG;
	return err_wrap(err, "configuration");
}

static bool load(struct loading *loading, const char *path, struct buf *text,
	struct str_list *problems, struct err *err)
{
	CLEANUP(str_list_free) struct str_list lines = {0};

	begin(loading, path);
	document_parse(buf_str(text), text->len, &loading->problems, &loading->document);
	load_sections(loading);
	accounts_find_repeated(loading);
	finish(loading->config);
	problems_list(&loading->problems, &lines);
	if (lines.count == 0)
		return true;
	for (size_t i = 0; problems && i < lines.count; i++)
		str_list_add(problems, lines.items[i]);
	return err_set(err, ERR_CONFIG, "%s", lines.items[0]);
}

bool config_load(
	const char *path, struct config **ret_config, struct str_list *problems, struct err *err)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT(CONFIG_FILE_BYTES_MAX);
	CLEANUP(loading_free) struct loading loading = {0};

	if (!read_file(path, &text, err) || !load(&loading, path, &text, problems, err))
		return false;
	*ret_config = TAKE(loading.config);
	return true;
}

bool config_load_with(const char *path, const char *section, struct config **ret_config,
	struct str_list *problems, struct err *err)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT(CONFIG_FILE_BYTES_MAX);
	CLEANUP(loading_free) struct loading loading = {0};

	if (!config_read_with(path, section, &text, err) ||
		!load(&loading, path, &text, problems, err))
		return false;
	*ret_config = TAKE(loading.config);
	return true;
}

bool config_check(const char *path, struct str_list *problems, struct err *err)
{
	CLEANUP(buf_free) struct buf text = BUF_INIT(CONFIG_FILE_BYTES_MAX);
	CLEANUP(loading_free) struct loading loading = {.look_at_files = true};

	return read_file(path, &text, err) && load(&loading, path, &text, problems, err);
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
