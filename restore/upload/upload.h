/*
 * One folder's messages onto the target: found or appended, compared, decided.
 *
 * 1. What is there already is found (restore/upload/present.h).
 * 2. The rest is appended, pipelined, in batches that the journal names, durably, before they are
 *    sent.
 * 3. What the server refuses is offered again without its keywords, then also without its date;
 *    keywords that were left out are then stored one by one. What is refused even so stays
 *    refused, with the server's words, and the folder goes on.
 * 4. What was stored is compared with the archive (restore/upload/compare.h).
 *
 * When the connection is lost it begins again with 1, so that nothing is sent twice; messages that
 * were in flight are then sent one at a time, and one that ends the connection
 * UPLOAD_LOSSES_MAX times is refused.
 */
#ifndef MAILSTOW_RESTORE_UPLOAD_UPLOAD_H
#define MAILSTOW_RESTORE_UPLOAD_UPLOAD_H

#include "base/str.h"
#include "restore/match/item.h"
#include "restore/upload/restore_journal.h"
#include "restore/upload/target.h"

enum {
	UPLOAD_BATCH_MESSAGES = 256, /* named by one journal transaction */
	UPLOAD_BATCH_BYTES = 16 * 1024 * 1024,
	UPLOAD_COMPARE_MESSAGES = 2048, /* stored, before they are compared */
	UPLOAD_SETTLE_MAX = 10,         /* looks at a folder that still changes */
	UPLOAD_LOSSES_MAX = 2,          /* connections one message may cost when sent alone */
	UPLOAD_DELAYS_MAX = 3,          /* "not now" to one message */
	UPLOAD_DELAY_MS = 2 * 1000,
	UPLOAD_QUOTA_REFUSALS_MAX = 8, /* in a row: the rest is not tried */
};

/* What is learnt of the server on the way, and holds for all its folders. */
struct upload_lessons {
	struct str_list refused_keywords;
	unsigned quota_refusals; /* in a row */
};

struct upload {
	struct target *target;
	struct archive *archive;
	const char *archive_path;        /* opened again by the thread that reads ahead */
	struct restore_journal *journal; /* NULL: none */
	const char *wire_name;
	struct items *items;
	struct upload_lessons *lessons;
	/* A message is done with, for the progress line. May be NULL. */
	void (*done)(void *context, const struct item *item);
	void *context;
};

/*
 * Decides every item. False: the run cannot go on (no connection, our disk, cancelled); items
 * without an outcome were not done.
 */
bool upload_folder(const struct upload *upload, struct err *err);

#endif
