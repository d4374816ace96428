/*
 * Encrypted archives: their keys, and the secrets that open them.
 *
 * A person has secrets: passphrases, keys, recovery keys. Each of them unwraps the archive's one
 * master key, from which all other keys are derived. The wrapped copies are the keyring, a file of
 * the archive; each volume carries the keyring as it was when the volume was created.
 *
 * A struct archive_keys holds the master key in memory. Unlocking fills it, changing the master key
 * (rekey.h) replaces what it holds, freeing it wipes it. Everything that opens files of the archive
 * takes the keys in its struct archive_ref.
 *
 * Errors: ERR_AUTH (no keys, a wrong secret, or not a secret at all), ERR_BUSY (another process
 * changed the master key since it was unlocked: unlock again), ERR_CORRUPT, ERR_NEWER, ERR_LOCAL.
 */
#ifndef MAILSTOW_ARCHIVE_UNLOCK_H
#define MAILSTOW_ARCHIVE_UNLOCK_H

#include "archive/archive.h"
#include "base/secret.h"

/* Any thread, at any time. Locked at first. */
struct archive_keys *archive_keys_new(void);
/* NULL is allowed. Nothing that was opened with the keys is open any more. */
void archive_keys_freep(struct archive_keys **keys);

/* Text as a person has it: a passphrase, 64 hexadecimal digits, a recovery key. */
struct archive_secret {
	enum { ARCHIVE_PASSPHRASE, ARCHIVE_KEY, ARCHIVE_RECOVERY_KEY } kind;
	const char *text;
	size_t len;
};

/* What kind of secret the text has the form of: a recovery key, a key, else a passphrase. Refers to
 * the text. */
struct archive_secret archive_secret_by_form(const char *text, size_t len);

/* Create an empty encrypted archive that this secret opens, and unlock its keys. Folder, waiting
 * and errors: see archive_create(). */
bool archive_create_encrypted(const struct archive_ref *archive,
	const struct archive_secret *secret, int timeout_ms, struct err *err);

/* Does it have a keyring, or are the keys unlocked? */
bool archive_is_encrypted(const struct archive_ref *archive);

/* Is its keyring lost? The copy in the newest volume unlocks it all the same. */
bool archive_lacks_keyring(const char *path);

/* Either: it cannot be opened with locked keys. */
bool archive_needs_secret(const struct archive_ref *archive);

/* Restore a lost keyring from the newest volume that has a copy. A plain archive stays as it is. */
bool archive_mend_keyring(const char *path, struct err *err);

/*
 * Unlock the archive's keys. ERR_NOT_FOUND: it is not encrypted. ERR_AUTH: a wrong secret. A
 * passphrase takes half a second and 134 MB.
 */
bool archive_unlock(
	const struct archive_ref *archive, const struct archive_secret *secret, struct err *err);

/* False also when another process changed the master key since. */
bool archive_is_unlocked(const struct archive_ref *archive);

/*
 * For files beside the archive that reveal something about its mail.
 *
 * archive_side_key(): a key for one of them, by its name; NULL when the archive is plain. The
 * caller frees.
 * archive_hide_name(): a name that reveals nothing. For an encrypted archive this is a keyed digest
 * of text in hexadecimal, else text itself. The caller frees.
 * archive_name_before(): the same under the previous master key while that changes (rekey.h).
 */
bool archive_side_key(const struct archive_ref *archive, const char *name, struct secret **ret_key,
	struct err *err);
bool archive_hide_name(
	const struct archive_ref *archive, const char *text, char **ret_name, struct err *err);
bool archive_name_before(
	const struct archive_ref *archive, const char *text, char **ret_name, struct err *err);

/* --- the list of keys --- */

struct archive_key {
	uint32_t id;
	const char *kind; /* passphrase, key, recovery */
	int64_t created_ms;
};

/* Needs no unlocked keys. */
bool archive_each_key(const char *path,
	bool (*each)(void *context, const struct archive_key *key, struct err *err), void *context,
	struct err *err);

/* Both need unlocked keys. A volume keeps the keyring it was created with: an old copy of the
 * archive can still be read with a secret that was removed since. */
bool archive_add_key(const struct archive_ref *archive, const struct archive_secret *secret,
	uint32_t *ret_id, struct err *err);
bool archive_remove_key(const struct archive_ref *archive, uint32_t id, struct err *err);

/* Which key is this secret? Needs no unlocked keys. ERR_AUTH: none of them. */
bool archive_find_key(
	const char *path, const struct archive_secret *secret, uint32_t *ret_id, struct err *err);

enum { ARCHIVE_RECOVERY_KEY_TEXT = 45 };
void archive_new_recovery_key(char out[ARCHIVE_RECOVERY_KEY_TEXT]); /* a secret: wipe it */

#endif
