/*
 * What every command of `mailstow` gets: the global options, the configuration when it is needed,
 * and the archive an ACCOUNT[@WHEN] names.
 */
#ifndef MAILSTOW_RESTORE_APP_H
#define MAILSTOW_RESTORE_APP_H

#include "archive/archive.h"
#include "config/config.h"

enum { EXIT_PARTIAL = 3 };

enum progress_mode { PROGRESS_AUTO, PROGRESS_ALWAYS, PROGRESS_NEVER };

struct app {
	const char *config_file; /* as given; NULL: the default places */
	bool json;
	bool yes;
	enum progress_mode progress;
	struct config *config; /* NULL: not loaded yet */
};

struct command {
	const char *name;
	const char *summary;
	const char *usage; /* text of `mailstow NAME --help` */
	/* argv[0] is the command's name. Returns the exit code; errors go through app_fail(). */
	int (*run)(struct app *app, int argc, char **argv);
};

/* Print "mailstow: text" and return the kind's exit code. */
int app_fail(const struct err *err);

/* The command line is wrong: print it with a pointer to --help, return 64. */
int app_usage(const char *command, const char *format, ...) PRINTF_LIKE(2, 3);

bool app_config(struct app *app, struct err *err);

/* The configured account; ERR_NOT_FOUND names the file. */
bool app_account(struct app *app, const char *name, const struct config_account **ret_account,
	struct err *err);

/* An archive at a moment of its history. */
struct moment {
	char *path;
	struct archive *archive;
	struct archive_snapshot at;
};
void moment_free(struct moment *moment); /* also for CLEANUP() */

/* Open what ACCOUNT[@WHEN] names: a configured name or address, or a path (it contains a '/').
 * Warns on stderr when the newest state is asked for and no snapshot is complete yet. */
bool app_open(struct app *app, const char *text, struct moment *ret_moment, struct err *err);

int cmd_status(struct app *app, int argc, char **argv);
int cmd_snapshots(struct app *app, int argc, char **argv);
int cmd_folders(struct app *app, int argc, char **argv);
int cmd_ls(struct app *app, int argc, char **argv);
int cmd_cat(struct app *app, int argc, char **argv);
int cmd_config(struct app *app, int argc, char **argv);
int cmd_restore(struct app *app, int argc, char **argv);

#endif
