/*
 * What restores from one archive to one server remember: which bytes which message of the target
 * holds, and which messages were being sent. A SQLite file in the state directory.
 *
 * It holds hints. Every row is checked against the folder's UIDVALIDITY, UIDs, sizes and dates
 * before it is believed, and a journal that is lost costs time, never a duplicate. What it must
 * not lose is one thing: a message is written down as pending, durably, before it is sent
 * (ARCHITECTURE.md, invariant 6).
 *
 * One run at a time holds a journal (ERR_BUSY names the other). A damaged one is begun anew.
 */
#ifndef MAILSTOW_RESTORE_UPLOAD_RESTORE_JOURNAL_H
#define MAILSTOW_RESTORE_UPLOAD_RESTORE_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>

#include "archive/archive.h"
#include "base/crypto.h"
#include "base/err.h"

enum { JOURNAL_LOCK_TIMEOUT_MS = 2 * 1000 };

struct restore_journal;

/* STATE-DIR/restore/ARCHIVE-TARGET.db; the caller frees. */
char *restore_journal_path(const char *state_dir, const uint8_t archive_uuid[ARCHIVE_UUID_BYTES],
	const char *host, uint16_t port, const char *user);

/* Makes it, and the folder, when missing. */
bool restore_journal_open(const char *path, struct restore_journal **ret_journal, struct err *err);
/* The same for an encrypted archive: sealed with key (32 bytes; NULL: plain). */
bool restore_journal_open_encrypted(const char *path, const uint8_t *key,
	struct restore_journal **ret_journal, struct err *err);
/* What was not committed is given up. NULL is allowed. */
void restore_journal_freep(struct restore_journal **journal);

/* Remove all journals of an archive: they would tell of it in words, or under a key of before.
 * ERR_BUSY: one is being used. */
bool restore_journal_remove_all(
	const char *state_dir, const uint8_t archive_uuid[ARCHIVE_UUID_BYTES], struct err *err);

struct journal_row {
	int64_t id;
	uint32_t uidvalidity;
	uint32_t uidnext; /* of the folder before it was sent */
	uint32_t uid;     /* 0: pending */
	uint8_t sha256[SHA256_BYTES];
	bool seen;      /* size and unix_s are what the server showed */
	uint64_t size;  /* RFC822.SIZE */
	int64_t unix_s; /* INTERNALDATE, 0 when it has none */
};

/* All rows of a folder, in no order. The journal must not be changed meanwhile. */
bool restore_journal_each(struct restore_journal *journal, const char *wire_name,
	bool (*each)(void *context, const struct journal_row *row, struct err *err), void *context,
	struct err *err);

/* The changes below gather in one transaction until this makes them durable. */
bool restore_journal_commit(struct restore_journal *journal, struct err *err);

/* A message is about to be sent. row: uidvalidity, uidnext, sha256. */
bool restore_journal_pending(struct restore_journal *journal, const char *wire_name,
	const struct journal_row *row, int64_t *ret_id, struct err *err);
/* The server stored it under this UID. */
bool restore_journal_done(struct restore_journal *journal, int64_t id, uint32_t uidvalidity,
	uint32_t uid, struct err *err);
/* So the server shows it. */
bool restore_journal_seen(struct restore_journal *journal, int64_t id, uint64_t size,
	int64_t unix_s, struct err *err);
/* A message that was on the target already, found by its bytes. row: all but id and uidnext. */
bool restore_journal_known(struct restore_journal *journal, const char *wire_name,
	const struct journal_row *row, struct err *err);
/* The server refused it, or it was decided what became of it. */
bool restore_journal_remove(struct restore_journal *journal, int64_t id, struct err *err);
/* The folder has this UIDVALIDITY: what is known of others is worth nothing. */
bool restore_journal_forget_others(struct restore_journal *journal, const char *wire_name,
	uint32_t uidvalidity, struct err *err);

#endif
