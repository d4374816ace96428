/*
 * Which archives are unlocked in this process, and the keys made of their master keys (internal to
 * this room; archive.h has what callers use). Deriving a key from a passphrase takes half a second
 * and 134 MB: it is done once, and every opening of the archive finds it here, by the path. Any
 * thread.
 */
#ifndef MAILSTOW_ARCHIVE_KEYS_VAULT_H
#define MAILSTOW_ARCHIVE_KEYS_VAULT_H

#include "archive/keys/keyring.h"
#include "archive/volume/volume.h"

/* The keyring as it stands in its file, or, when that is lost, in the newest volume that has one.
 * ERR_NOT_FOUND: the archive is not encrypted. */
bool vault_read_keyring(const char *archive_path, struct keyring *ret_keyring, struct err *err);

/* Replace it, under the writer's lock. */
bool vault_write_keyring(const char *archive_path, struct keyring *keyring,
	const struct secret *master, struct err *err);

/*
 * What opens the archive's files now: its keyring, as it stands in the file, and the master keys.
 * ERR_AUTH: it is encrypted, and locked. ERR_BUSY: another process changed the master key since it
 * was unlocked here.
 */
struct vault_view {
	bool encrypted;          /* else the rest is nothing */
	struct keyring keyring;  /* of a lost one only the epoch is known */
	struct secret *master;   /* of its epoch */
	struct secret *previous; /* while a change is under way; NULL: before it was plain */
};
bool vault_look(const char *archive_path, struct vault_view *ret_view, struct err *err);
void vault_view_free(struct vault_view *view); /* also for CLEANUP() */

/* HKDF of a master key, with salt (16 bytes, may be NULL) and info. */
struct secret *vault_derive(const struct secret *master, const uint8_t *salt, const char *info);

/*
 * The key of a volume whose header names this epoch, 0: none. *ret_key NULL: it is plain.
 * *ret_outdated: it is of before a change that is under way, and to be written anew. A plain
 * volume, or one of another epoch, that is not, is ERR_CORRUPT: it was put there.
 */
bool vault_frame_key(const char *archive_path, const struct volume_id *id, uint32_t epoch,
	struct secret **ret_key, bool *ret_outdated, struct err *err);

/* The keyring's bytes, for a volume's header: they never say that a change is under way. Empty: the
 * archive is not encrypted. Changes the view. */
bool vault_keyring_bytes(
	const char *archive_path, struct vault_view *view, struct buf *ret_bytes, struct err *err);

/* Remember the master key of an archive. Takes a copy. */
void vault_put(const char *archive_path, uint32_t epoch, const struct secret *master);

/* Write the keyring of an archive that is being made, with one key, and remember its master key.
 * plain_until: its volumes up to this sequence are plain and to be encrypted; 0: it has none yet.
 */
bool vault_make(const char *archive_path, const uint8_t uuid[ARCHIVE_UUID_BYTES],
	const struct archive_secret *secret, int64_t plain_until, struct err *err);

/* The kind of slot for a secret, and the bytes such a slot is made of. ERR_AUTH: it is none. */
enum keyring_kind vault_kind(const struct archive_secret *secret);
bool vault_secret_bytes(
	const struct archive_secret *secret, struct secret **ret_bytes, struct err *err);

#endif
