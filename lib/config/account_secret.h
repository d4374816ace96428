/* Passwords, passphrases and keys: where the configuration says they are, and how to fetch one. */
#ifndef MAILSTOW_CONFIG_ACCOUNT_SECRET_H
#define MAILSTOW_CONFIG_ACCOUNT_SECRET_H

#include "base/buf.h"
#include "base/err.h"
#include "base/wait.h"

/* Where a secret comes from; at most one member is set. Never the secret itself. */
struct config_secret {
	char *command;    /* run by /bin/sh; the secret is the first line of its output */
	char *file;       /* mode 0600 or stricter; the secret is the first line */
	char *credential; /* file name below $CREDENTIALS_DIRECTORY (systemd) */
};

/*
 * Fetches a secret into out, which the caller bounds and wipes with buf_wipe(). err never contains
 * any part of the secret. The command is killed, with its process group, when it takes longer than
 * CONFIG_SECRET_TIMEOUT_MS or cancel is set.
 * ERR_CONFIG: none configured, the file is accessible to others, or it is empty; ERR_AUTH: the
 * command failed; ERR_RETRY: the command timed out; ERR_CANCELLED.
 */
bool config_secret_read(const struct config_secret *secret, const char *what,
	const struct cancel *cancel, struct buf *out, struct err *err);

#endif
