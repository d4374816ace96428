/* The keyring, from its file or from the copies that volumes carry. */
#ifndef MAILSTOW_ARCHIVE_VOLUME_KEYRING_COPY_H
#define MAILSTOW_ARCHIVE_VOLUME_KEYRING_COPY_H

#include "archive/keys/keyring.h"
#include "base/buf.h"

/* The copy in the newest volume that has one. Empty: the archive is plain. */
bool keyring_copy_newest(const char *archive_path, struct buf *ret_bytes, struct err *err);

/* The keyring's file, or the newest copy when that is lost. ERR_NOT_FOUND: it is not encrypted. */
bool keyring_file_or_copy(const char *archive_path, struct keyring *ret_keyring, struct err *err);

#endif
