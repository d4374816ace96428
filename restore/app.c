#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/str.h"
#include "restore/app.h"
#include "restore/ui/when.h"

enum { NOTE_BYTES_MAX = 4096, SHOWN_BYTES = 200, NAMES_SHOWN_MAX = 8, ANSWER_BYTES_MAX = 16 };

/* Texts were made printable where they came in; controls that slip through are masked here. */
PRINTF_LIKE(2, 0) static void say(const char *before, const char *format, va_list args)
{
	char text[NOTE_BYTES_MAX];

	(void)vsnprintf(text, sizeof(text), format, args);
	for (char *c = text; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			*c = '?';
	(void)fprintf(stderr, "mailstow: %s%s\n", before, text);
}

void app_note(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("", format, args);
	va_end(args);
}

void app_warn(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	say("warning: ", format, args);
	va_end(args);
}

bool app_bad_config(const struct str_list *problems, struct err *err)
{
	if (problems->count == 0)
		return false;
	for (size_t i = 0; i + 1 < problems->count; i++)
		app_note("%s", problems->items[i]);
	return err_set(err, ERR_CONFIG, "%s", problems->items[problems->count - 1]);
}

bool app_config(struct app *app, const struct config **ret_config, struct err *err)
{
	CLEANUP(str_list_free) struct str_list problems = {0};
	CLEANUP(freep) char *path = NULL;

	if (!app->config) {
		if (!config_find(app->config_file, &path, err))
			return false;
		if (!config_load(path, &app->config, &problems, err))
			return app_bad_config(&problems, err);
	}
	*ret_config = app->config;
	return true;
}

/* "alice@yesterday": what stands behind the account was meant as WHEN. */
static bool names_account_before_at(const struct config *config, const char *name)
{
	const char *at = strrchr(name, '@');
	CLEANUP(freep) char *before = at ? xstrndup(name, (size_t)(at - name)) : NULL;

	return before && config_account(config, before);
}

static bool no_account(const struct config *config, const char *name, struct err *err)
{
	CLEANUP(buf_free) struct buf names = BUF_INIT(NOTE_BYTES_MAX);
	CLEANUP(freep) char *shown = str_printable(name, strlen(name), SHOWN_BYTES);
	size_t count =
		config->accounts_count < NAMES_SHOWN_MAX ? config->accounts_count : NAMES_SHOWN_MAX;

	if (names_account_before_at(config, name))
		return err_set(err, ERR_NOT_FOUND,
			"no account '%s'; @WHEN is a snapshot number, a date such as 2026-11-20 or "
			"a time such as 2026-11-20T10:00",
			shown);
	if (count == 0)
		return err_set(
			err, ERR_NOT_FOUND, "no account '%s': %s has none", shown, config->file);
	for (size_t i = 0; i < count; i++)
		if (!buf_printf(&names, "%s%s", i ? ", " : "", config->accounts[i].name))
			break;
	return err_set(err, ERR_NOT_FOUND, "no account '%s'; there %s %s%s", shown,
		count == 1 ? "is" : "are", buf_str(&names),
		count < config->accounts_count ? ", ..." : "");
}

static bool find_account(struct app *app, struct account_ref *place, struct err *err)
{
	const struct config *config = NULL;

	if (!app_config(app, &config, err))
		return false;
	assert(config);
	place->account = config_account(config, place->name);
	if (!place->account)
		return no_account(config, place->name, err);
	place->archive_path = xstrdup(place->account->archive_path);
	return true;
}

bool app_find_account(
	struct app *app, const char *text, struct account_ref *ret_place, struct err *err)
{
	CLEANUP(account_ref_free) struct account_ref place = {0};

	place.when_given = when_split(text, &place.name, &place.when);
	if (strchr(place.name, '/'))
		place.archive_path = xstrdup(place.name);
	else if (!find_account(app, &place, err))
		return false;
	*ret_place = place;
	place = (struct account_ref){0};
	return true;
}

void account_ref_free(struct account_ref *place)
{
	free(place->name);
	free(place->archive_path);
	*place = (struct account_ref){0};
}

void app_catch_up(const struct account_ref *place)
{
	struct err err = ERR_INIT;
	bool behind;

	if (!archive_catch_up(place->archive_path, &behind, &err))
		app_warn("%s", err.text);
	else if (behind)
		app_warn("%s: what came last may be missing: its catalogue is behind its volumes, "
			 "and cannot be written where it is",
			place->name);
}

bool app_open_archive(
	const struct account_ref *place, struct archive **ret_archive, struct err *err)
{
	if (!app_unlock(place, err))
		return false;
	if (archive_open_newest(place->archive_path, ret_archive))
		return true;
	app_catch_up(place);
	return archive_open(place->archive_path, ret_archive, err);
}

bool app_open(const struct account_ref *place, struct archive **ret_archive,
	struct archive_snapshot *ret_snapshot, struct err *err)
{
	CLEANUP(archive_freep) struct archive *archive = NULL;

	if (!app_open_archive(place, &archive, err))
		return false;
	if (!archive_resolve(archive, place->when, ret_snapshot, err))
		return err_wrap(err, "%s", place->name);
	if (place->when.kind == ARCHIVE_LATEST && !ret_snapshot->complete)
		app_warn("%s: the newest state is not a complete snapshot", place->name);
	*ret_archive = TAKE(archive);
	return true;
}

struct folder_search {
	const char *path;
	int64_t id;
};

static bool is_inbox(const char *path)
{
	return str_equal_case(path, "INBOX");
}

static bool look_at_folder(void *context, const struct archive_folder *folder, struct err *err)
{
	struct folder_search *search = context;

	(void)err;
	if (strcmp(folder->path, search->path) == 0 ||
		(is_inbox(folder->path) && is_inbox(search->path)))
		search->id = folder->id;
	return true;
}

bool app_folder(struct archive *archive, int64_t generation, const char *path, int64_t *ret_id,
	struct err *err)
{
	struct folder_search search = {.path = path};
	CLEANUP(freep) char *shown = str_printable(path, strlen(path), SHOWN_BYTES);

	if (!archive_each_folder(archive, generation, look_at_folder, &search, err))
		return false;
	if (search.id == 0)
		return err_set(err, ERR_NOT_FOUND, "no folder '%s'", shown);
	*ret_id = search.id;
	return true;
}

bool app_shows_progress(const struct app *app)
{
	if (app->progress == PROGRESS_AUTO)
		return isatty(STDERR_FILENO) && !app->json;
	return app->progress == PROGRESS_ALWAYS;
}

bool app_asks(const struct app *app)
{
	return !app->yes && isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
}

bool app_consents(const struct app *app, const char *question)
{
	char answer[ANSWER_BYTES_MAX];

	if (!app_asks(app))
		return true;
	(void)fprintf(stderr, "%s [y/N] ", question);
	(void)fflush(stderr);
	if (!fgets(answer, sizeof(answer), stdin))
		return false;
	answer[strcspn(answer, "\r\n")] = '\0';
	return str_equal_case(answer, "y") || str_equal_case(answer, "yes");
}

bool app_flush(struct err *err)
{
	bool failed = fflush(stdout) == EOF;
	int error = failed ? errno : EIO;

	if (!failed && !ferror(stdout))
		return true;
	if (error == EPIPE) {
		(void)signal(SIGPIPE, SIG_DFL);
		(void)raise(SIGPIPE);
	}
	return err_errno(err, ERR_LOCAL, error, "standard output");
}
