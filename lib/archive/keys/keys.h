/*
 * The unlocked keys of an archive, and the keys derived from its master key.
 *
 * struct archive_keys holds a master key and its key epoch. The keyring's file says what they are
 * good for now: keys_look() compares the two each time a file is opened, so that a change of the
 * master key by another process is noticed.
 */
#ifndef MAILSTOW_ARCHIVE_KEYS_KEYS_H
#define MAILSTOW_ARCHIVE_KEYS_KEYS_H

#include "archive/format/layout.h"
#include "archive/keys/keyring.h"
#include "archive/unlock.h"

/* What opens the archive's files now. */
struct keys_view {
	bool encrypted;          /* else nothing below is set */
	struct keyring keyring;  /* as in the file; of a lost file only the key epoch */
	struct secret *master;   /* of that key epoch */
	struct secret *previous; /* while the master key changes; NULL: it was plain before */
};

/* ERR_AUTH: the archive is encrypted and the keys are locked. ERR_BUSY: another process changed the
 * master key since they were unlocked. */
bool keys_look(const struct archive_ref *archive, struct keys_view *ret_view, struct err *err);
void keys_view_free(struct keys_view *view); /* also for CLEANUP() */

/* Unlock: hold a copy of this master key from now on. */
void keys_put(struct archive_keys *keys, uint32_t key_epoch, const struct secret *master);

/*
 * Write the keyring of a new archive, which the secret opens, and unlock the keys. plain_until: the
 * volumes up to this sequence are plain and still to be encrypted; 0: there are none yet.
 */
bool keys_create(const struct archive_ref *archive, const uint8_t uuid[ARCHIVE_UUID_BYTES],
	const struct archive_secret *secret, int64_t plain_until, struct err *err);

/* HKDF of a master key, with salt (16 bytes, may be NULL) and info. */
struct secret *keys_derive(const struct secret *master, const uint8_t *salt, const char *info);

/*
 * The key of a volume whose header names this key epoch; 0: plain. *ret_key NULL: the volume is
 * plain. *ret_outdated: it is still under the previous master key and has to be rewritten. Any
 * other key epoch is ERR_CORRUPT: the volume does not belong here.
 */
bool keys_volume_key(const struct archive_ref *archive, const struct volume_id *id,
	uint32_t key_epoch, struct secret **ret_key, bool *ret_outdated, struct err *err);

#endif
