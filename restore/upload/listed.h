/*
 * Messages of the selected folder as the target lists them. Fetched in ranges of limited size;
 * bodies are digested as they arrive and not kept.
 */
#ifndef MAILSTOW_RESTORE_UPLOAD_LISTED_H
#define MAILSTOW_RESTORE_UPLOAD_LISTED_H

#include "imap/session.h"
#include "restore/match/fingerprint.h"

enum { LISTED_MESSAGES_MAX = 5 * 1000 * 1000 };

struct listed {
	uint32_t uid;
	bool came;     /* the server sent a FETCH reply for it */
	uint64_t size; /* RFC822.SIZE: a hint */
	bool has_date;
	struct zoned_time date;
	char *flags;                             /* canonical; NULL: not sent */
	char *message_id;                        /* NULL: not asked for or not sent; "": none */
	struct fingerprint_digests *fingerprint; /* of the body; NULL: as message_id */
};

struct listed_set {
	struct listed *items; /* by UID */
	size_t count;
	struct fingerprint *fingerprint;
	bool body_came;
};

/* One empty entry for each UID. ERR_PROTOCOL: more than LISTED_MESSAGES_MAX. */
bool listed_init(struct listed_set *list, const struct rangeset *uids, struct err *err);
void listed_free(struct listed_set *list); /* also for CLEANUP() */

/* Fills in `items` (enum imap_item) of the entries. Entries the server sends no reply for stay as
 * they are. Without UIDs nothing is sent. */
bool listed_fetch(struct listed_set *list, struct imap *imap, const struct rangeset *uids,
	uint32_t items, struct err *err);

struct listed *listed_find(const struct listed_set *list, uint32_t uid); /* NULL: none */

#endif
