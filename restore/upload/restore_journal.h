/*
 * The journal of restores from one archive to one server: which bytes a message of the target
 * holds, and which messages were being sent. A SQLite file in the state directory.
 *
 * Each row is about one message of the target and is in one of these states:
 *
 *     no row --pending()--> pending --done()--> stored --seen()--> seen
 *        |                  (no UID)       (UID, no size)      (UID, size, date)
 *        |                                                           ^
 *        `----- known(): found on the target by its bytes -----------'
 *
 *     any state --remove(), or another UIDVALIDITY: forget_others()--> no row
 *
 * Rows are hints. Each is checked against the folder's UIDVALIDITY, UIDs, sizes and dates before
 * it is believed. One promise must hold: a message is durably pending before it is sent
 * (ARCHITECTURE.md: "Restore journals before it sends"). After a crash the next run then knows
 * that a message on the target with a UID from uidnext on may be this one, and looks for it before
 * sending it again. A lost journal costs time: messages are then found by their bytes. Only one
 * that was being sent and that the server changed beyond the fingerprints is then sent twice.
 *
 * One run at a time holds a journal (ERR_BUSY names the other). A damaged file is replaced by an
 * empty one.
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

/* Opens the journal; creates the file and its folder if they are missing. */
bool restore_journal_open(const char *path, struct restore_journal **ret_journal, struct err *err);
/* The same for an encrypted archive: encrypted with key (32 bytes; NULL: plain). */
bool restore_journal_open_encrypted(const char *path, const uint8_t *key,
	struct restore_journal **ret_journal, struct err *err);
/* Closes the journal; changes not committed are lost. NULL is allowed. */
void restore_journal_freep(struct restore_journal **journal);

/*
 * Removes all journals of an archive, after its keys changed: they describe its mail in plain text
 * or under the old key. ERR_BUSY: one is in use.
 */
bool restore_journal_remove_all(
	const char *state_dir, const uint8_t archive_uuid[ARCHIVE_UUID_BYTES], struct err *err);

struct journal_row {
	int64_t id;
	uint32_t uidvalidity;
	uint32_t uidnext; /* UIDNEXT of the folder before the message was sent */
	uint32_t uid;     /* 0: pending */
	uint8_t sha256[SHA256_BYTES];
	bool seen;      /* size and unix_s are known, as the server lists them */
	uint64_t size;  /* RFC822.SIZE */
	int64_t unix_s; /* INTERNALDATE, 0 without one */
};

/* All rows of a folder, unordered. The callback must not change the journal. */
bool restore_journal_each(struct restore_journal *journal, const char *wire_name,
	bool (*each)(void *context, const struct journal_row *row, struct err *err), void *context,
	struct err *err);

/* Makes the changes below durable; they collect in one transaction until then. */
bool restore_journal_commit(struct restore_journal *journal, struct err *err);

/* The message with this row is durably pending, or further: it may be sent. */
bool restore_journal_is_durable(const struct restore_journal *journal, int64_t id);

/* A message is about to be sent. row: uidvalidity, uidnext, sha256. */
bool restore_journal_pending(struct restore_journal *journal, const char *wire_name,
	const struct journal_row *row, int64_t *ret_id, struct err *err);
/* The server stored it under this UID. */
bool restore_journal_done(struct restore_journal *journal, int64_t id, uint32_t uidvalidity,
	uint32_t uid, struct err *err);
/* The server lists it with this size and date. */
bool restore_journal_seen(struct restore_journal *journal, int64_t id, uint64_t size,
	int64_t unix_s, struct err *err);
/* A message was already on the target, found by its bytes. row: all but id and uidnext. */
bool restore_journal_known(struct restore_journal *journal, const char *wire_name,
	const struct journal_row *row, struct err *err);
/* The server refused the message, or does not hold it any more. */
bool restore_journal_remove(struct restore_journal *journal, int64_t id, struct err *err);
/* The folder has this UIDVALIDITY: rows under any other one are void. */
bool restore_journal_forget_others(struct restore_journal *journal, const char *wire_name,
	uint32_t uidvalidity, struct err *err);

#endif
