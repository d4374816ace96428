/*
 * Unlocks or creates an account's archive with the configured secret: passphrase-command,
 * passphrase-file, key-file or key-credential. cancel (may be NULL) ends the wait for a command.
 */
#ifndef MAILSTOW_MIRROR_ACCOUNT_UNLOCK_H
#define MAILSTOW_MIRROR_ACCOUNT_UNLOCK_H

#include "archive/unlock.h"
#include "config/config.h"

/* Does the configuration name a secret for the account's archive? */
bool mirror_has_secret(const struct config_account *account);

/* Fetches the secret. The caller wipes ret_text (buf_wipe()), which owns ret_secret's text. Errors
 * as for config_secret_read(). */
bool mirror_read_secret(const struct config_account *account, const struct cancel *cancel,
	struct buf *ret_text, struct archive_secret *ret_secret, struct err *err);

/* Unlocks the keys of the account's archive, if it is encrypted and they are not unlocked yet.
 * ERR_AUTH: no secret is configured, or the wrong one. */
bool mirror_unlock(const struct config_account *account, struct archive_keys *keys,
	const struct cancel *cancel, struct err *err);

/* Creates the account's archive, encrypted when a secret is configured; or unlocks the existing
 * one. ERR_CONFIG: a secret is configured and the archive is not encrypted. */
bool mirror_make_or_unlock(const struct config_account *account, struct archive_keys *keys,
	const struct cancel *cancel, struct err *err);

#endif
