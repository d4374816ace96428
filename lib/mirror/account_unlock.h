/*
 * Archives and the secrets of the configuration: passphrase-command, passphrase-file, key-file,
 * key-credential. cancel ends waiting for a command; NULL: nobody does.
 */
#ifndef MAILSTOW_MIRROR_ACCOUNT_UNLOCK_H
#define MAILSTOW_MIRROR_ACCOUNT_UNLOCK_H

#include "archive/archive.h"
#include "config/config.h"

/* Does the configuration name a secret for the account's archive? */
bool mirror_has_secret(const struct config_account *account);

/*
 * Fetch it. ret_text is wiped by the caller (buf_wipe()) and owns ret_secret's text. Errors as of
 * config_secret_read().
 */
bool mirror_read_secret(const struct config_account *account, const struct cancel *cancel,
	struct buf *ret_text, struct archive_secret *ret_secret, struct err *err);

/* Unlock the account's archive for this process, if it is encrypted and still locked. ERR_AUTH: no
 * secret is configured, or a wrong one. */
bool mirror_unlock(
	const struct config_account *account, const struct cancel *cancel, struct err *err);

/* Make the account's archive, encrypted when a secret is configured; or unlock the one that is
 * there. ERR_CONFIG: a secret is configured and the archive is plain. */
bool mirror_make_or_unlock(
	const struct config_account *account, const struct cancel *cancel, struct err *err);

#endif
