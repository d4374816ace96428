/* mailstow: finds the command, runs it, reports its error. */
#include <langinfo.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/secret.h"
#include "base/str.h"
#include "restore/commands/commands.h"
#include "restore/help.h"
#include "restore/options.h"
#include "restore/say.h"

enum { EXIT_PARTIAL = 3, NAME_SHOWN_BYTES = 80 };

static const struct command *const commands[] = {
	&cmd_status,
	&cmd_snapshots,
	&cmd_folders,
	&cmd_ls,
	&cmd_cat,
	&cmd_diff,
	&cmd_restore,
	&cmd_copy,
	&cmd_check,
	&cmd_rebuild,
	&cmd_pin,
	&cmd_unpin,
	&cmd_prune,
	&cmd_seal,
	&cmd_forget,
	&cmd_account,
	&cmd_key,
	&cmd_config,
	NULL,
};

static const struct command *find_command(const char *name)
{
	for (const struct command *const *c = commands; *c; c++)
		if (strcmp((*c)->name, name) == 0)
			return *c;
	return NULL;
}

static bool report_unknown_command(const char *name, struct err *err)
{
	const struct command *nearest = help_nearest(commands, name);
	CLEANUP(freep) char *shown = str_printable(name, strlen(name), NAME_SHOWN_BYTES);

	if (nearest)
		return err_set(err, ERR_USAGE, "no command '%s'; did you mean '%s'?", shown,
			nearest->name);
	return err_set(err, ERR_USAGE, "no command '%s'; 'mailstow --help' lists all", shown);
}

static bool find_and_run(struct app *app, int argc, char **argv, struct err *err)
{
	int next = 1;

	if (!options_parse_common(app, argc, argv, &next, err))
		return false;
	if (next < argc) {
		app->command = find_command(argv[next]);
		if (!app->command)
			return report_unknown_command(argv[next], err);
		return app->command->run(app, argc - next, argv + next, err);
	}
	if (app->version)
		help_version();
	else
		help_overview(commands);
	return true;
}

/* All text is UTF-8, whatever the locale says; wcwidth() needs a UTF-8 locale to measure it. */
static void set_locale(void)
{
	if (!setlocale(LC_ALL, "") || strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
		(void)setlocale(LC_CTYPE, "C.UTF-8");
}

int main(int argc, char **argv)
{
	struct app app = {0};
	struct err err = ERR_INIT;
	bool good;

	secret_forbid_dumps();
	set_locale();
	(void)signal(SIGPIPE, SIG_IGN);
	good = find_and_run(&app, argc, argv, &err);
	if (!good && err.kind == ERR_NONE)
		good = true;
	if (good)
		good = app_flush(&err);
	else
		(void)fflush(stdout);
	config_freep(&app.config);
	if (good)
		return app.partial ? EXIT_PARTIAL : 0;
	say_note("%s", err.text);
	if (err.kind == ERR_USAGE && app.command)
		say_note("see: mailstow %s --help", app.command->name);
	return err_exit_code(err.kind);
}
