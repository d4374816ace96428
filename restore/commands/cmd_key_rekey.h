/*
 * `mailstow key encrypt` and `mailstow key rotate` (archive/rekey.h): explains and asks first,
 * resumes an interrupted run, and removes or re-encrypts files outside the archive that describe
 * its mail. The archive must exist.
 */
#ifndef MAILSTOW_RESTORE_COMMANDS_CMD_KEY_REKEY_H
#define MAILSTOW_RESTORE_COMMANDS_CMD_KEY_REKEY_H

#include "restore/account_ref.h"
#include "restore/app.h"

/* ERR_USAGE: it is already encrypted; ERR_CONFIG: no secret is configured. */
bool rekey_encrypt(const struct app *app, const struct account_ref *place, struct err *err);

/* recovery: also creates a recovery key and prints it. ERR_NOT_FOUND: it is not encrypted. */
bool rekey_rotate(
	const struct app *app, const struct account_ref *place, bool recovery, struct err *err);

#endif
