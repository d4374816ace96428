/*
 * What of a folder's messages the target holds already.
 *
 * The folder is opened and its UIDs, sizes, dates and flags are fetched; the journal's rows are
 * checked against them; restore/match/match.h decides which source is which message. Only what it
 * asks for is fetched: nothing when the folder is empty or the journal explains everything.
 */
#ifndef MAILSTOW_RESTORE_UPLOAD_PRESENT_H
#define MAILSTOW_RESTORE_UPLOAD_PRESENT_H

#include "archive/archive.h"
#include "restore/match/item.h"
#include "restore/upload/restore_journal.h"
#include "restore/upload/target.h"

/* The folder as it was opened. */
struct present {
	uint32_t uidvalidity;  /* 0: the server tells none; nothing is remembered then */
	uint32_t uidnext;      /* never 0 */
	char *permanent_flags; /* NULL: not told */
	bool read_only;
	struct rangeset uids; /* of all its messages */
};
void present_free(struct present *present); /* also for CLEANUP() */

struct present_ask {
	struct archive *archive; /* for bytes of the source where sizes are no help */
	struct imap *imap;
	struct restore_journal *journal; /* NULL: nothing is remembered */
	const char *wire_name;
	bool for_writing; /* SELECT instead of EXAMINE; remembers what it found */
};

/*
 * Sets is_there, target_uid and row of each item (refused and skipped ones are left out). Errors as
 * the session's and the archive's.
 */
bool present_find(const struct present_ask *ask, struct items *items, struct present *ret_present,
	struct err *err);

#endif
