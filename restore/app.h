/*
 * The frame around the commands of `mailstow`: what a command is, what it is given, and what it
 * may ask of the program. A new command is a file cmd_NAME.c with one struct command, a line below
 * and a line in the table of main.c.
 *
 * A command returns false with err set; main() prints it and exits with err_exit_code(). What went
 * only partly sets app->partial (exit 3). Results go to stdout, words for people to stderr.
 */
#ifndef MAILSTOW_RESTORE_APP_H
#define MAILSTOW_RESTORE_APP_H

#include "archive/archive.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/err.h"
#include "config/config.h"

struct app;

enum command_group { COMMAND_LOOK, COMMAND_RESTORE, COMMAND_SETUP, COMMAND_GROUPS };

struct command {
	const char *name;
	enum command_group group; /* where --help lists it */
	const char *summary;      /* one line, at most 56 columns */
	const char *usage;        /* what follows "mailstow NAME"; a line for each way to call it */
	const char *help; /* options and what they mean, lines up to 78 columns, "" or ends with
			     a line end */
	/* argv[0] is the command's name. See options.h for taking arguments apart. */
	bool (*run)(struct app *app, int argc, char **argv, struct err *err);
};

extern const struct command cmd_account, cmd_cat, cmd_seal, cmd_check, cmd_config, cmd_copy,
	cmd_diff, cmd_pin, cmd_prune, cmd_forget, cmd_rebuild, cmd_unpin, cmd_folders, cmd_key,
	cmd_ls, cmd_restore, cmd_snapshots, cmd_status;

enum progress { PROGRESS_AUTO, PROGRESS_ALWAYS, PROGRESS_NEVER };

struct app {
	const struct command *command; /* that runs */
	const char *config_file;       /* -c, NULL: the usual places */
	bool json;
	bool yes;
	bool help, version; /* was given: options_parse() shows it */
	enum progress progress;
	bool partial;          /* out: exit 3 when all else went well */
	struct config *config; /* use app_config() */
};

/* The configuration, read on first use. Lives as long as app. ERR_CONFIG. */
bool app_config(struct app *app, const struct config **ret_config, struct err *err);

/* Problems of a configuration, all but the last told; that becomes the error. */
bool app_bad_config(const struct str_list *problems, struct err *err);

/* What ACCOUNT[@WHEN] stands for. */
struct account_ref {
	char *name; /* as written, without @WHEN */
	char *archive_path;
	const struct config_account *account; /* NULL: named by the path of its archive */
	bool when_given;
	struct archive_when when; /* latest when not given */
};

/*
 * Finds the account; the configuration is not looked at when text names a path (has a '/').
 * ERR_NOT_FOUND: no such account; ERR_CONFIG.
 */
bool app_find_account(
	struct app *app, const char *text, struct account_ref *ret_place, struct err *err);
void account_ref_free(struct account_ref *place); /* also for CLEANUP() */

/*
 * Unlock a place's archive, if it is encrypted: with the secret of the configuration, or, where
 * there is none, with what a person types at the terminal (not shown): a passphrase, key or
 * recovery key. ERR_AUTH: wrong, or nobody to ask.
 */
bool app_unlock(const struct account_ref *place, struct err *err);

/* That secret itself. text is wiped by the caller and owns ret_secret's. */
bool app_read_secret(const struct account_ref *place, struct buf *text,
	struct archive_secret *ret_secret, struct err *err);

/* A new passphrase, or a key, asked for twice. text as above. */
bool app_ask_new_passphrase(struct buf *text, struct archive_secret *ret_secret, struct err *err);

/* Ask for a secret at the terminal, without showing what is typed. out is wiped by the caller. */
bool app_ask_secret(const char *question, struct buf *out, struct err *err);

/*
 * What the text looks like: a recovery key, a key, or else a passphrase. Which it is, too, where
 * only as that it opens the archive: a passphrase may be made of the digits of a key.
 */
struct archive_secret app_secret_of(const char *archive_path, const struct buf *text);

/*
 * Whatever a crash kept from an unlocked archive's catalogue is entered, if that can be done now;
 * warns where it cannot. Commands that write do so by themselves.
 */
void app_catch_up(const struct account_ref *place);

/* A place's archive, opened to read, in its newest state. ERR_NOT_FOUND: none yet. */
bool app_open_archive(
	const struct account_ref *place, struct archive **ret_archive, struct err *err);

/*
 * A place's archive, opened to read, and the moment meant. Warns when that is the newest state and
 * no snapshot is complete yet. ERR_NOT_FOUND: no archive yet, no such moment.
 */
bool app_open(const struct account_ref *place, struct archive **ret_archive,
	struct archive_snapshot *ret_snapshot, struct err *err);

/* A folder by its path at a generation. ERR_NOT_FOUND. `INBOX` in any case. */
bool app_folder(struct archive *archive, int64_t generation, const char *path, int64_t *ret_id,
	struct err *err);

/* For `status`, which tells who has no copy: `place` holds all of the archive now. A copy is a copy
 * without it: what fails is warned of. */
void app_remember_copy(const char *archive_path, const char *place);

/* "mailstow: text" on stderr; app_warn() puts "warning: " before it. Printable text only. */
void app_note(const char *format, ...) PRINTF_LIKE(1, 2);
void app_warn(const char *format, ...) PRINTF_LIKE(1, 2);

/* Is progress to be shown (on stderr)? */
bool app_shows_progress(const struct app *app);

/*
 * Before writing to a server or removing anything, after the plan was shown: asks "question [y/N]"
 * when a person sits there. True with --yes or off a terminal.
 */
bool app_consents(const struct app *app, const char *question);
/* Would it ask? The plan is shown before. */
bool app_asks(const struct app *app);

/* Everything printed has arrived. ERR_LOCAL; a reader of stdout that left ends the program as
 * SIGPIPE does. Call it where output is long, main() does at the end. */
bool app_flush(struct err *err);

#endif
