/*
 * Messages of the selected folder as the target shows them: fetched in bounded ranges, bodies
 * digested as they stream by and never kept.
 */
#ifndef MAILSTOW_RESTORE_MATCH_LISTED_H
#define MAILSTOW_RESTORE_MATCH_LISTED_H

#include "imap/session.h"
#include "restore/match/fingerprint.h"

enum { SHOWN_MESSAGES_MAX = 5 * 1000 * 1000 };

struct shown {
	uint32_t uid;
	bool came;     /* the server told of it */
	uint64_t size; /* RFC822.SIZE: a hint */
	bool has_date;
	struct zoned_time date;
	char *flags;                          /* canonical, NULL: not told */
	char *message_id;                     /* NULL: not asked for or not told; "": none */
	struct fingerprint_digests *likeness; /* of the body; NULL: not asked for or not told */
};

struct shown_list {
	struct shown *items; /* by UID */
	size_t count;
	struct fingerprint *likeness;
	bool body_came;
};

/* One entry for each UID, empty. ERR_PROTOCOL over SHOWN_MESSAGES_MAX. */
bool shown_init(struct shown_list *list, const struct rangeset *uids, struct err *err);
void shown_free(struct shown_list *list); /* also for CLEANUP() */

/* items: enum imap_item. What does not come leaves its entry as it is; no UIDs: nothing is asked.
 */
bool shown_fetch(struct shown_list *list, struct imap *imap, const struct rangeset *uids,
	uint32_t items, struct err *err);

struct shown *shown_find(const struct shown_list *list, uint32_t uid); /* NULL: none */

#endif
