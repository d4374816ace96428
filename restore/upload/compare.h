/*
 * Is a message on the target what it is in the archive? Flags, date and size are compared, and
 * bytes where asked or where the size tells of a change: fetched back, digested and classified.
 * Nothing a server did to a message stays unsaid.
 */
#ifndef MAILSTOW_RESTORE_UPLOAD_COMPARE_H
#define MAILSTOW_RESTORE_UPLOAD_COMPARE_H

#include "restore/match/item.h"
#include "restore/upload/listed.h"

enum compare_bytes {
	COMPARE_SUSPECT, /* where the size differs, or bytes servers replace were sent */
	COMPARE_SAMPLE,  /* and one message in COMPARE_SAMPLE_EVERY */
	COMPARE_ALL,
};

enum { COMPARE_SAMPLE_EVERY = 50 };

struct compare_result {
	bool missing; /* not there any more; the others are then false */
	bool flags;
	bool date;
	bool bytes;
	char detail[ITEM_DETAIL_MAX]; /* "" when nothing differs */
};

struct compare_ask {
	struct imap *imap; /* the folder is selected */
	struct archive *archive;
	enum compare_bytes bytes;
	/* Told of each item, differences or not. */
	bool (*told)(void *context, struct item *item, const struct listed *listed,
		const struct compare_result *difference, struct err *err);
	void *context;
};

/* items: each with a target_uid; they get another order. Errors as the session's. */
bool compare_items(
	const struct compare_ask *ask, struct item **items, size_t count, struct err *err);

/*
 * What differs, by what was fetched. Pure. source: fingerprint of the archive's bytes, NULL: not
 * taken.
 */
void compare_decide(const struct item *item, const struct listed *listed,
	const struct fingerprint_digests *source, struct compare_result *ret_difference);

#endif
