/* The argument ACCOUNT[@WHEN]: which archive a command works on, and which state of it. */
#ifndef MAILSTOW_RESTORE_ACCOUNT_REF_H
#define MAILSTOW_RESTORE_ACCOUNT_REF_H

#include "archive/archive.h"
#include "restore/app.h"

struct account_ref {
	char *name;                 /* as written, without @WHEN */
	struct archive_ref archive; /* path and keys are this struct's own; locked at first */
	const struct config_account *account; /* NULL: an archive named by its path */
	bool when_given;
	struct archive_when when; /* latest unless given */
};

/*
 * Text with a '/' is the path of an archive; the configuration is then not read. Anything else
 * names an account of the configuration. ERR_NOT_FOUND: no such account; ERR_CONFIG.
 */
bool account_ref_find(
	struct app *app, const char *text, struct account_ref *ret_place, struct err *err);

/* The same for commands that work on the whole archive. ERR_USAGE: @WHEN was given. */
bool account_ref_find_whole(
	struct app *app, const char *text, struct account_ref *ret_place, struct err *err);

void account_ref_free(struct account_ref *place); /* also for CLEANUP() */

#endif
