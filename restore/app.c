#include "restore/app.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sysexits.h>

#include "base/alloc.h"
#include "restore/when.h"

int app_fail(const struct err *err)
{
	(void)fprintf(stderr, "mailstow: %s\n", err->text);
	return err_exit_code(err->kind);
}

int app_usage(const char *command, const char *format, ...)
{
	va_list args;

	(void)fputs("mailstow: ", stderr);
	va_start(args, format);
	(void)vfprintf(stderr, format, args);
	va_end(args);
	(void)fprintf(stderr, "; see `mailstow %s --help`\n", command);
	return EX_USAGE;
}

bool app_config(struct app *app, struct err *err)
{
	CLEANUP(freep) char *path = NULL;

	if (app->config)
		return true;
	return config_find(app->config_file, &path, err) &&
	       config_load(path, &app->config, NULL, err);
}

bool app_account(struct app *app, const char *name, const struct config_account **ret_account,
	struct err *err)
{
	if (!app_config(app, err))
		return false;
	*ret_account = config_account(app->config, name);
	if (!*ret_account)
		return err_set(err, ERR_NOT_FOUND, "no account %s in %s", name, app->config->file);
	return true;
}

void moment_free(struct moment *moment)
{
	archive_freep(&moment->archive);
	freep(&moment->path);
}

static bool path_of(struct app *app, const char *name, char **ret_path, struct err *err)
{
	const struct config_account *account;

	if (strchr(name, '/')) {
		*ret_path = xstrdup(name);
		return true;
	}
	if (!app_account(app, name, &account, err))
		return false;
	*ret_path = xstrdup(account->archive_path);
	return true;
}

struct any_complete {
	bool found;
};

static bool see_complete(void *context, const struct archive_snapshot *snapshot, struct err *err)
{
	struct any_complete *any = context;

	(void)err;
	any->found = any->found || snapshot->complete;
	return true;
}

static bool warn_incomplete(struct moment *moment, struct err *err)
{
	struct any_complete any = {false};

	if (moment->at.complete)
		return true;
	if (!archive_each_snapshot(moment->archive, see_complete, &any, err))
		return false;
	if (!any.found)
		(void)fprintf(stderr, "mailstow: warning: no snapshot is complete yet\n");
	return true;
}

bool app_open(struct app *app, const char *text, struct moment *ret_moment, struct err *err)
{
	CLEANUP(moment_free) struct moment moment = {0};
	CLEANUP(freep) char *name = NULL;
	struct archive_when when;
	bool given;

	when_split(text, &name, &when, &given);
	if (!path_of(app, name, &moment.path, err) ||
		!archive_open(moment.path, &moment.archive, err) ||
		!archive_resolve(moment.archive, when, &moment.at, err))
		return false;
	if (when.kind == ARCHIVE_LATEST && !warn_incomplete(&moment, err))
		return false;
	*ret_moment = moment;
	moment = (struct moment){0};
	return true;
}
