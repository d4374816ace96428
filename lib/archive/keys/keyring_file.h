/* The keyring's file, ARCHIVE/keyring. Its copies in volumes: volume/keyring_copy.h. */
#ifndef MAILSTOW_ARCHIVE_KEYS_KEYRING_FILE_H
#define MAILSTOW_ARCHIVE_KEYS_KEYRING_FILE_H

#include "archive/keys/keyring.h"

bool keyring_file_exists(const char *archive_path);

/* ERR_NOT_FOUND: there is none. */
bool keyring_file_read(const char *archive_path, struct keyring *ret_keyring, struct err *err);

/* Replace it atomically. The caller holds the writer lock. */
bool keyring_file_write(const char *archive_path, struct keyring *keyring,
	const struct secret *master, struct err *err);

/* The same with the bytes of a copy, which decode. */
bool keyring_file_write_copy(const char *archive_path, const struct buf *bytes, struct err *err);

#endif
