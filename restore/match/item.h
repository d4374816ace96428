/*
 * A message of the archive on its way to a folder of the target, and what became of it.
 */
#ifndef MAILSTOW_RESTORE_MATCH_ITEM_H
#define MAILSTOW_RESTORE_MATCH_ITEM_H

#include "archive/archive.h"

enum { ITEM_DETAIL_MAX = 400 };

enum outcome {
	OUTCOME_NONE, /* not decided yet */
	OUTCOME_EXACT,
	OUTCOME_ALREADY_THERE,
	OUTCOME_NORMALISED, /* stored, and the server changed something: detail */
	OUTCOME_REFUSED,    /* the server will not have it: detail */
	OUTCOME_SKIPPED,    /* could not be tried: detail */
	OUTCOMES
};

/* "exact", "already_there", ... */
const char *outcome_name(enum outcome outcome);

/* What is left out to get a message in. */
enum item_drop {
	ITEM_DROP_KEYWORDS = 1 << 0,
	ITEM_DROP_DATE = 1 << 1,
};

struct item {
	/* of the archive */
	int64_t message_id;
	uint64_t size;
	uint8_t sha256[SHA256_BYTES];
	size_t source; /* index of the folder it comes from */
	uint32_t uid;
	bool has_date;
	struct zoned_time date;
	char *flags;
	char *header_message_id;

	/* on the way */
	enum outcome outcome;
	char *detail;        /* NULL: nothing to say */
	bool is_there;       /* on the target, before or through this run */
	bool sent;           /* accepted by the server in this run */
	uint32_t target_uid; /* 0: not known */
	int64_t row;         /* of the journal, 0: none */
	uint32_t drop;       /* enum item_drop */
	bool suspect;        /* holds bytes that servers replace without changing the size */
	unsigned losses;     /* connections lost while it was being sent */
	unsigned delays;     /* times the server said "not now" to it alone */
};

struct items {
	struct item *items;
	size_t count;
	size_t cap;
};

void items_add(struct items *items, const struct archive_entry *entry, size_t source);
void items_free(struct items *items); /* also for CLEANUP() */

/* Decide, once: the first word stands. detail (NULL: none) is added to what was noted. */
void item_decide(struct item *item, enum outcome outcome, const char *detail);
/* Remember something for the detail. */
void item_note(struct item *item, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
