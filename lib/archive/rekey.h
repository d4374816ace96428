/*
 * Changing the master key: a plain archive is encrypted, or an encrypted one gets another master
 * key. All volumes are written anew, one after the other; then the catalogue is made anew, and what
 * was before is gone.
 *
 * It begins with a keyring that says what was before (schema/README.md, "Keyring"). From then on
 * nothing is added under the old key or in plain, and every file says by its header which key it is
 * of: the archive can be read and written all the time, and whoever was stopped goes on where he
 * was. The writer's lock is taken for a moment each.
 */
#ifndef MAILSTOW_ARCHIVE_REKEY_H
#define MAILSTOW_ARCHIVE_REKEY_H

#include "archive/archive.h"

enum { REKEY_TRIES = 20 }; /* of a volume that others change meanwhile */

/* Is one under way, or was it stopped? What the keyring says; it need not be unlocked. */
enum archive_rekey_state { ARCHIVE_REKEY_NONE, ARCHIVE_REKEY_ENCRYPTING, ARCHIVE_REKEY_ROTATING };
enum archive_rekey_state archive_rekey_state(const char *path);

/* Begin to encrypt a plain archive, which this secret opens from now on. It is unlocked
 * afterwards. ERR_USAGE: it is encrypted already. */
bool archive_encrypt_begin(
	const char *path, const struct archive_secret *secret, int timeout_ms, struct err *err);

/* A secret that is to open the archive under the next master key as well. */
struct archive_carried {
	uint32_t id; /* of the key it is now; 0: a new one */
	struct archive_secret secret;
};

/*
 * Begin to give the archive the next master key, which the secrets given open, at least one, and no
 * other. It is unlocked before, and with the new key afterwards. ERR_BUSY: the keys were changed
 * meanwhile.
 */
bool archive_rotate_begin(const char *path, const struct archive_carried *carried, size_t count,
	int timeout_ms, struct err *err);

struct archive_rekey {
	const struct cancel *cancel; /* NULL: cannot be stopped */
	/* So many bytes of so many, before; may be NULL. */
	void (*progress)(void *context, uint64_t bytes, uint64_t total);
	/* Files beside the archive that tell of its mail (archive_side_key()): they go now, or it
	 * fails and another run comes back here. May be NULL. */
	bool (*beside)(void *context, const uint8_t uuid[ARCHIVE_UUID_BYTES], struct err *err);
	void *context;
};

struct archive_rekeyed {
	uint32_t epoch;   /* of the master key */
	uint64_t volumes; /* written anew, in this run */
	uint64_t bytes;   /* of them */
};

/*
 * Do what was begun, to its end. The archive is unlocked. ERR_USAGE: nothing was begun. ERR_BUSY:
 * the lock, or somebody reads all the time; ERR_CORRUPT: a volume cannot be read in whole. In any
 * case another run goes on.
 */
bool archive_rekey(const char *path, const struct archive_rekey *wish, int timeout_ms,
	struct archive_rekeyed *ret_rekeyed, struct err *err);

#endif
