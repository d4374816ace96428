/*
 * `mailstow key encrypt` and `mailstow key rotate` (archive/rekey.h), as a person meets them: what
 * will be is told and asked about, what was stopped goes on, files beside the archive go.
 */
#ifndef MAILSTOW_RESTORE_COMMANDS_CMD_KEY_REKEY_H
#define MAILSTOW_RESTORE_COMMANDS_CMD_KEY_REKEY_H

#include "restore/account_ref.h"
#include "restore/app.h"

/* The archive is there. ERR_USAGE: it is encrypted already; ERR_CONFIG: no secret is configured. */
bool rekey_encrypt(const struct app *app, const struct account_ref *place, struct err *err);

/* The archive is there. recovery: a new recovery key is made with it, and printed. ERR_NOT_FOUND:
 * it is not encrypted. */
bool rekey_rotate(
	const struct app *app, const struct account_ref *place, bool recovery, struct err *err);

#endif
