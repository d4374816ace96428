/* What kind of secret a text is, and the bytes a keyring slot is made from. */
#ifndef MAILSTOW_ARCHIVE_KEYS_SECRETS_H
#define MAILSTOW_ARCHIVE_KEYS_SECRETS_H

#include "archive/keys/keyring.h"
#include "archive/unlock.h"

enum keyring_kind secrets_kind(const struct archive_secret *secret);

/* ERR_AUTH: the text is not a secret of its kind. */
bool secrets_bytes(const struct archive_secret *secret, struct secret **ret_bytes, struct err *err);

#endif
