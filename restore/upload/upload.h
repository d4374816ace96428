/*
 * Uploads the messages of one folder.
 *
 * 1. Find the messages that are already there (restore/upload/present.h).
 * 2. Append the others, pipelined, in batches that are durably in the journal before they are sent.
 * 3. Offer refused messages again without their keywords, then also without their date; set the
 *    keywords afterwards, one by one. A message that is still refused counts as refused, with the
 *    server's words, and the folder goes on.
 * 4. Compare what was stored with the archive (restore/upload/compare.h).
 *
 * After a lost connection all of this starts over, so that nothing is sent twice. Messages that
 * were in flight are then sent one at a time; one that ends the connection more than
 * UPLOAD_LOSSES_MAX times is refused. restore/match/item.h draws what may become of a message.
 */
#ifndef MAILSTOW_RESTORE_UPLOAD_UPLOAD_H
#define MAILSTOW_RESTORE_UPLOAD_UPLOAD_H

#include "base/str.h"
#include "restore/match/item.h"
#include "restore/upload/restore_journal.h"
#include "restore/upload/target.h"

enum {
	UPLOAD_BATCH_MESSAGES = 256, /* journalled in one transaction */
	UPLOAD_BATCH_BYTES = 16 * 1024 * 1024,
	UPLOAD_COMPARE_MESSAGES = 2048, /* compare after so many were stored */
	UPLOAD_LOSSES_MAX = 2,          /* connections one message may cost */
	UPLOAD_DELAYS_MAX = 3,          /* retries of one message after UNAVAILABLE or INUSE */
	UPLOAD_DELAY_MS = 2 * 1000,
	UPLOAD_QUOTA_REFUSALS_MAX = 8, /* in a row: skip the rest of the folder */
};

/* What the upload learnt of the server; kept from folder to folder. */
struct upload_lessons {
	struct str_list refused_keywords;
	unsigned quota_refusals; /* in a row */
};

struct upload {
	struct target *target;
	struct archive *archive;
	const struct archive_ref *ref;   /* for the thread that reads ahead */
	struct restore_journal *journal; /* NULL: none */
	const char *wire_name;
	struct items *items;
	struct upload_lessons *lessons;
	/* A message was decided: for the progress line. May be NULL. */
	void (*done)(void *context, const struct item *item);
	void *context;
};

/*
 * Decides every item. False: the run cannot continue (no connection, local disk, cancelled); items
 * without an outcome were not decided.
 */
bool upload_folder(const struct upload *upload, struct err *err);

#endif
