/*
 * Passphrases, keys and recovery keys: read from the configuration or typed at the terminal, and
 * used to unlock archives. The caller wipes every `text`; a struct archive_secret points into it.
 */
#ifndef MAILSTOW_RESTORE_APP_SECRETS_H
#define MAILSTOW_RESTORE_APP_SECRETS_H

#include "archive/unlock.h"
#include "restore/account_ref.h"

/*
 * Unlocks an encrypted archive with its configured secret; if none is configured, asks for a
 * passphrase, key or recovery key at the terminal. Does nothing for a plain archive. ERR_AUTH: the
 * secret is wrong, or there is no terminal to ask at.
 */
bool app_unlock(const struct account_ref *place, struct err *err);

/* The same, but never asks. False: the archive stays locked. */
bool app_unlock_unasked(const struct account_ref *place);

/* The secret app_unlock() would use. */
bool app_read_secret(const struct account_ref *place, struct buf *text,
	struct archive_secret *ret_secret, struct err *err);

/* Asks twice for a new passphrase or key. ERR_AUTH: the answers differ; ERR_USAGE: too short. */
bool app_ask_new_passphrase(struct buf *text, struct archive_secret *ret_secret, struct err *err);

/* Asks for a secret at the terminal without echo. ERR_AUTH: no terminal, or nothing typed. */
bool app_ask_secret(const char *question, struct buf *out, struct err *err);

/*
 * Which kind of secret the text is, by its form: recovery key, key, else passphrase. A passphrase
 * may have the form of a key: it counts as a passphrase if the archive opens only with that.
 */
struct archive_secret app_secret_of(const char *archive_path, const struct buf *text);

/* "'mailstow key rotate NAME' ...": how to finish an interrupted change of keys; the caller frees.
 * NULL: none was interrupted. */
char *app_interrupted_rekey(const struct account_ref *place);

#endif
