/*
 * Finds out which messages the target's folder already holds.
 *
 * Opens the folder, fetches UIDs, sizes, dates and flags, and checks the journal's rows against
 * them. restore/match/match.h then decides which item is which message. Headers and bodies are
 * fetched only as far as it asks: none if the folder is empty or the journal explains everything.
 */
#ifndef MAILSTOW_RESTORE_UPLOAD_PRESENT_H
#define MAILSTOW_RESTORE_UPLOAD_PRESENT_H

#include "archive/archive.h"
#include "restore/match/item.h"
#include "restore/upload/restore_journal.h"
#include "restore/upload/target.h"

/* The folder as it was opened. */
struct present {
	uint32_t uidvalidity;  /* 0: the server reports none; the journal is not used then */
	uint32_t uidnext;      /* never 0 */
	char *permanent_flags; /* NULL: not reported */
	bool read_only;
	struct rangeset uids; /* of all its messages */
};
void present_free(struct present *present); /* also for CLEANUP() */

struct present_ask {
	struct archive *archive; /* for fingerprints where sizes do not decide */
	struct imap *imap;
	struct restore_journal *journal; /* NULL: none */
	const char *wire_name;
	bool for_writing; /* SELECT instead of EXAMINE */
};

/*
 * Sets is_there, target_uid and row of each item except refused and skipped ones, and journals what
 * it found. Errors as the session's and the archive's.
 */
bool present_find(const struct present_ask *ask, struct items *items, struct present *ret_present,
	struct err *err);

#endif
