/*
 * Which archives are unlocked in this process, and the keys made of their master keys (internal to
 * this room; archive.h has what callers use). Deriving a key from a passphrase takes half a second
 * and 134 MB: it is done once, and every opening of the archive finds it here, by the path. Any
 * thread.
 */
#ifndef MAILSTOW_ARCHIVE_VAULT_H
#define MAILSTOW_ARCHIVE_VAULT_H

#include "archive/keyring.h"
#include "archive/volume.h"

char *vault_keyring_path(const char *archive_path); /* the caller frees */

/* The keyring as it stands in its file, or, when that is lost, in the newest volume that has one.
 * ERR_NOT_FOUND: the archive is not encrypted. */
bool vault_read_keyring(const char *archive_path, struct keyring *ret_keyring, struct err *err);

/* The keyring's bytes, for a volume's header. Empty: the archive is not encrypted. */
bool vault_keyring_bytes(const char *archive_path, struct buf *ret_bytes, struct err *err);

/*
 * A key of the archive: HKDF of the master key, with salt (16 bytes, may be NULL) and info.
 * *ret_key NULL: the archive is not encrypted. ERR_AUTH: it is, and locked.
 */
bool vault_key(const char *archive_path, const uint8_t *salt, const char *info,
	struct secret **ret_key, struct err *err);

/* Remember the master key of an archive. Takes a copy. */
void vault_put(const char *archive_path, const struct secret *master);

/* A copy of the master key. ERR_AUTH: locked. */
bool vault_master(const char *archive_path, struct secret **ret_master, struct err *err);

/* Write the keyring of an archive that is being made, with one key, and remember its master key. */
bool vault_make(const char *archive_path, const uint8_t uuid[ARCHIVE_UUID_BYTES],
	const struct archive_secret *secret, struct err *err);

#endif
