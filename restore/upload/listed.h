/*
 * Messages of the selected folder as the target shows them: fetched in bounded ranges, bodies
 * digested as they stream by and never kept.
 */
#ifndef MAILSTOW_RESTORE_UPLOAD_LISTED_H
#define MAILSTOW_RESTORE_UPLOAD_LISTED_H

#include "imap/session.h"
#include "restore/match/fingerprint.h"

enum { LISTED_MESSAGES_MAX = 5 * 1000 * 1000 };

struct listed {
	uint32_t uid;
	bool came;     /* the server told of it */
	uint64_t size; /* RFC822.SIZE: a hint */
	bool has_date;
	struct zoned_time date;
	char *flags;                             /* canonical, NULL: not told */
	char *message_id;                        /* NULL: not asked for or not told; "": none */
	struct fingerprint_digests *fingerprint; /* of the body; NULL: not asked for or not told */
};

struct listed_set {
	struct listed *items; /* by UID */
	size_t count;
	struct fingerprint *fingerprint;
	bool body_came;
};

/* One entry for each UID, empty. ERR_PROTOCOL over LISTED_MESSAGES_MAX. */
bool listed_init(struct listed_set *list, const struct rangeset *uids, struct err *err);
void listed_free(struct listed_set *list); /* also for CLEANUP() */

/* items: enum imap_item. What does not come leaves its entry as it is; no UIDs: nothing is asked.
 */
bool listed_fetch(struct listed_set *list, struct imap *imap, const struct rangeset *uids,
	uint32_t items, struct err *err);

struct listed *listed_find(const struct listed_set *list, uint32_t uid); /* NULL: none */

#endif
