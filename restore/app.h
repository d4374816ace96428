/*
 * What a command of `mailstow` is, and what it may ask of the program around it. HACKING.md says
 * how to add a command or an option.
 *
 * A command that fails returns false with err set; main() prints the error and exits with
 * err_exit_code(). A command that succeeded only in part sets app->partial (exit 3). Results go to
 * stdout, messages for people to stderr (restore/say.h).
 */
#ifndef MAILSTOW_RESTORE_APP_H
#define MAILSTOW_RESTORE_APP_H

#include "base/err.h"
#include "base/str.h"
#include "config/config.h"

struct app;

enum command_group { COMMAND_LOOK, COMMAND_RESTORE, COMMAND_SETUP, COMMAND_GROUPS };

struct command {
	const char *name;
	enum command_group group; /* its heading in --help */
	const char *summary;      /* one line, at most 56 columns */
	const char *usage;        /* what follows "mailstow NAME"; one line for each form */
	const char *help; /* the options explained, in lines of at most 78 columns; "" or ending
			     with a newline */
	/* argv[0] is the command's name; restore/options.h parses the rest. */
	bool (*run)(struct app *app, int argc, char **argv, struct err *err);
};

enum progress { PROGRESS_AUTO, PROGRESS_ALWAYS, PROGRESS_NEVER };

struct app {
	const struct command *command; /* the one that runs; NULL before it is known */
	const char *config_file;       /* -c; NULL: search the usual places */
	bool json;
	bool yes;
	bool help, version; /* --help or --version was given; options_parse() prints it */
	enum progress progress;
	bool partial;          /* set by the command: exit 3 if it succeeds otherwise */
	struct config *config; /* read through app_config() */
};

/* The configuration, read on first use. Valid as long as app. ERR_CONFIG. */
bool app_config(struct app *app, const struct config **ret_config, struct err *err);

/* Always false: prints all problems but the last, which becomes the error (ERR_CONFIG). */
bool app_bad_config(const struct str_list *problems, struct err *err);

/* Whether to show progress (on stderr). */
bool app_shows_progress(const struct app *app);

/*
 * Asks "question [y/N]" before a command writes to a server or removes anything, after it showed
 * its plan. True without asking with --yes and off a terminal.
 */
bool app_consents(const struct app *app, const char *question);

/* Whether app_consents() would ask: if so, the caller shows the plan first. */
bool app_asks(const struct app *app);

/*
 * Flushes stdout. ERR_LOCAL: what was printed did not arrive. If the reader of a pipe is gone the
 * program ends by SIGPIPE, as other programs do. main() calls this at the end.
 */
bool app_flush(struct err *err);

/* For callbacks that print one of many results: ends a long listing once stdout has failed. */
bool app_can_print(struct err *err);

#endif
