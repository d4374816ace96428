/*
 * Compares messages on the target with the archive: flags, date and size always; bytes where asked
 * for or where the size shows a change. Bytes are fetched back, digested and classified. Only what
 * was compared here may be called exact (item->compared).
 */
#ifndef MAILSTOW_RESTORE_UPLOAD_COMPARE_H
#define MAILSTOW_RESTORE_UPLOAD_COMPARE_H

#include "restore/match/item.h"
#include "restore/upload/listed.h"

enum compare_bytes {
	COMPARE_SUSPECT, /* if the size differs, or bytes were sent that servers replace */
	COMPARE_SAMPLE,  /* these, and one message in COMPARE_SAMPLE_EVERY */
	COMPARE_ALL,
};

enum { COMPARE_SAMPLE_EVERY = 50 };

struct compare_result {
	bool missing; /* no longer on the target; the others are then false */
	bool flags;
	bool date;
	bool bytes;
	char detail[ITEM_DETAIL_MAX]; /* "" if nothing differs */
};

struct compare_ask {
	struct imap *imap; /* the folder is selected */
	struct archive *archive;
	enum compare_bytes bytes;
	/* Called for each item, whether it differs or not. */
	bool (*result)(void *context, struct item *item, const struct listed *listed,
		const struct compare_result *found, struct err *err);
	void *context;
};

/* items: each with a target_uid; sorts them by it. Errors as the session's. */
bool compare_items(
	const struct compare_ask *ask, struct item **items, size_t count, struct err *err);

/* What differs, judged by what was fetched. Pure. source: of the archive's bytes; NULL: not taken.
 */
void compare_decide(const struct item *item, const struct listed *listed,
	const struct fingerprint_digests *source, struct compare_result *ret_result);

#endif
