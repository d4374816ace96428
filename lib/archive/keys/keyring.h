/*
 * The keyring of an encrypted archive: the master key, wrapped once for each secret that opens it.
 * The file, ARCHIVE/keyring, is replaced atomically; each volume has a copy from when it was
 * created. schema/README.md specifies the bytes. A MAC under the master key covers all of it, so an
 * attacker who can write the file can destroy it, but cannot add or remove a slot undetected.
 *
 * Errors: ERR_CORRUPT (damaged, figures out of bounds), ERR_NEWER, ERR_AUTH (this
 * secret opens no slot), ERR_NOT_FOUND (no such file, no such slot), ERR_LOCAL.
 */
#ifndef MAILSTOW_ARCHIVE_KEYS_KEYRING_H
#define MAILSTOW_ARCHIVE_KEYS_KEYRING_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/crypto.h"
#include "base/err.h"
#include "base/secret.h"

enum {
	KEYRING_UUID_BYTES = 16,
	KEYRING_MASTER_BYTES = 32,
	KEYRING_SALT_BYTES = 32,
	KEYRING_SLOTS_MAX = 16,
	KEYRING_FILE_BYTES_MAX = 4096,
	KEYRING_KEY_BYTES = 32,      /* of a key file, as 64 hexadecimal digits */
	KEYRING_RECOVERY_BYTES = 20, /* of a recovery key */
	KEYRING_RECOVERY_TEXT = 45,  /* nine groups of four and eight hyphens, NUL included */
};

/* The numbers are the format's. */
enum keyring_kind { KEYRING_PASSPHRASE = 1, KEYRING_KEY = 2, KEYRING_RECOVERY = 3 };

const char *keyring_kind_name(enum keyring_kind kind);

struct keyring_slot {
	enum keyring_kind kind;
	uint32_t id; /* never used twice in a keyring */
	int64_t created_ms;
	struct scrypt_cost cost; /* passphrase; zeros otherwise */
	uint8_t salt[KEYRING_SALT_BYTES];
	uint8_t nonce[GCM_NONCE_BYTES];
	uint8_t wrapped[KEYRING_MASTER_BYTES];
	uint8_t tag[GCM_TAG_BYTES];
};

/* While volumes are rewritten under this keyring's master key: the previous master key. */
struct keyring_change {
	bool under_way;
	uint32_t from_key_epoch; /* 0: plain */
	int64_t until;           /* later volumes are under the new key */
	uint8_t nonce[GCM_NONCE_BYTES];
	uint8_t wrapped[KEYRING_MASTER_BYTES]; /* the master key of from_key_epoch; zeros: plain */
	uint8_t tag[GCM_TAG_BYTES];
};

struct keyring {
	uint8_t archive[KEYRING_UUID_BYTES];
	uint32_t key_epoch;
	uint32_t last_id; /* of a slot */
	struct keyring_slot slots[KEYRING_SLOTS_MAX];
	size_t count;
	struct keyring_change change;
	uint8_t mac[SHA256_BYTES]; /* as read or last encoded */
};

/* For a new archive: a random master key and no slot yet. */
void keyring_make(const uint8_t archive[KEYRING_UUID_BYTES], struct keyring *ret_keyring,
	struct secret **ret_master);

/* Safe for any bytes. */
bool keyring_decode(const void *data, size_t len, struct keyring *ret_keyring, struct err *err);

/* The file's bytes, with a new MAC; out holds at least KEYRING_FILE_BYTES_MAX. */
void keyring_encode(struct keyring *keyring, const struct secret *master, struct buf *out);

/* Add a slot. A passphrase is any bytes, a key KEYRING_KEY_BYTES, a recovery key as many as
 * keyring_recovery_parse() gives. */
bool keyring_add(struct keyring *keyring, const struct secret *master, enum keyring_kind kind,
	const void *secret, size_t len, uint32_t *ret_id, struct err *err);

/* The last slot cannot be removed. */
bool keyring_remove(struct keyring *keyring, uint32_t id, struct err *err);

/* Open the first slot of this kind that the secret fits, and check the MAC. */
bool keyring_unwrap(const struct keyring *keyring, enum keyring_kind kind, const void *secret,
	size_t len, struct secret **ret_master, struct err *err);

/* Does the secret open this slot? ERR_LOCAL: not enough memory to find out. */
bool keyring_slot_fits(const struct keyring *keyring, const struct keyring_slot *slot,
	const void *secret, size_t len, bool *ret_fits, struct err *err);

/* Is this its master key? Checks the MAC. */
bool keyring_is_of(const struct keyring *keyring, const struct secret *master);

/* --- changing the master key --- */

/* Start encrypting a plain archive. */
void keyring_from_plain(struct keyring *keyring, int64_t until);

/* The next key epoch: a new random master key that wraps the previous one, and no slot yet. Slot
 * ids continue. */
void keyring_next_epoch(const struct keyring *before, const struct secret *master, int64_t until,
	struct keyring *ret_keyring, struct secret **ret_master);

/* Wrap the new master key for a slot of the previous epoch; it keeps its id and creation time. */
bool keyring_carry(struct keyring *keyring, const struct secret *master,
	const struct keyring_slot *slot, const void *secret, size_t len, struct err *err);

/* The previous master key, while a change is under way; *ret_previous NULL: plain. ERR_CORRUPT. */
bool keyring_previous(const struct keyring *keyring, const struct secret *master,
	struct secret **ret_previous, struct err *err);

/* The change is complete: drop the previous master key. */
void keyring_finish_change(struct keyring *keyring);

/* --- secrets as text --- */

/* 64 hexadecimal digits. */
bool keyring_key_parse(const char *text, size_t len, uint8_t out[KEYRING_KEY_BYTES]);

/* Crockford's base 32, whose letters and digits cannot be confused; the last four are a checksum.
 * Parsing ignores case, hyphens and blanks, and reads O as 0, I and L as 1. */
void keyring_recovery_print(
	const uint8_t key[KEYRING_RECOVERY_BYTES], char out[KEYRING_RECOVERY_TEXT]);
bool keyring_recovery_parse(const char *text, size_t len, uint8_t out[KEYRING_RECOVERY_BYTES]);

#endif
