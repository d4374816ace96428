#include "restore/app.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "restore/say.h"

enum { ANSWER_BYTES_MAX = 16 };

bool app_bad_config(const struct str_list *problems, struct err *err)
{
	if (problems->count == 0)
		return false;
	for (size_t i = 0; i + 1 < problems->count; i++)
		say_note("%s", problems->items[i]);
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

bool app_can_print(struct err *err)
{
	return !ferror(stdout) || app_flush(err);
}
