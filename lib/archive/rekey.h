/*
 * Changing the master key: encrypting a plain archive, or rotating the key of an encrypted one.
 * Rewrites all volumes, one after the other, and then the catalogue.
 *
 * A change begins with a keyring that knows both master keys (schema/README.md, "Changing the
 * master key"). From then on nothing is added under the previous key, and every file's header
 * names its key epoch. So the archive stays readable and writable, and an interrupted run can be
 * continued. Takes the writer lock briefly for each volume.
 *
 *	NONE --archive_encrypt_begin()--> ENCRYPTING --archive_rekey() to its end--> NONE
 *	NONE --archive_rotate_begin()---> ROTATING ----archive_rekey() to its end--> NONE
 */
#ifndef MAILSTOW_ARCHIVE_REKEY_H
#define MAILSTOW_ARCHIVE_REKEY_H

#include "archive/unlock.h"

enum { REKEY_TRIES = 20 }; /* for a volume that another process keeps changing */

/* Is a change running or interrupted? As the keyring says; works on a locked archive too. */
enum archive_rekey_state { ARCHIVE_REKEY_NONE, ARCHIVE_REKEY_ENCRYPTING, ARCHIVE_REKEY_ROTATING };
enum archive_rekey_state archive_rekey_state(const char *path);

/* Begin to encrypt a plain archive under this secret. The archive is unlocked afterwards.
 * ERR_USAGE: it is already encrypted. */
bool archive_encrypt_begin(const struct archive_ref *archive, const struct archive_secret *secret,
	int timeout_ms, struct err *err);

/* A secret that also opens the archive under the next master key. */
struct archive_carried {
	uint32_t id; /* its current id; 0: a new key */
	struct archive_secret secret;
};

/*
 * Begin to rotate to the next master key, which exactly the given secrets open (at least one). The
 * archive is unlocked before, and unlocked with the new key afterwards. ERR_BUSY: another process
 * changed the keys meanwhile.
 */
bool archive_rotate_begin(const struct archive_ref *archive, const struct archive_carried *carried,
	size_t count, int timeout_ms, struct err *err);

struct archive_rekey {
	const struct cancel *cancel; /* NULL: cannot be cancelled */
	/* Bytes rewritten, of all bytes. May be NULL. */
	void (*progress)(void *context, uint64_t bytes, uint64_t total);
	/* Remove files beside the archive that reveal its mail (archive_side_key()). If this fails,
	 * the next run calls it again. May be NULL. */
	bool (*beside)(void *context, const uint8_t uuid[ARCHIVE_UUID_BYTES], struct err *err);
	void *context;
};

struct archive_rekeyed {
	uint32_t key_epoch;
	uint64_t volumes; /* rewritten in this run */
	uint64_t bytes;   /* their size */
};

/*
 * Complete the change that was begun. The archive is unlocked. ERR_USAGE: no change was begun.
 * ERR_BUSY: the lock is held, or a reader does not finish. ERR_CORRUPT: a volume cannot be read
 * completely. After any error, another run continues.
 */
bool archive_rekey(const struct archive_ref *archive, const struct archive_rekey *options,
	int timeout_ms, struct archive_rekeyed *ret_rekeyed, struct err *err);

#endif
