/*
 * One message of the archive to be restored into a folder of the target, and its outcome.
 *
 *     NONE --found before it was sent---------------------------------> ALREADY_THERE
 *     NONE --sent--> OK --found, compared, equal----------------------> EXACT
 *                    |--found, compared, different--------------------> NORMALISED
 *                    |--not found again-------------------------------> NORMALISED
 *                    `--listed no longer------------------------------> REFUSED
 *                    NO --> sent without keywords, then without date --> as above, or REFUSED
 *                    connection lost --> searched for, sent alone -----> as above, or REFUSED
 *     NONE --does not fit into an APPEND------------------------------> REFUSED
 *     NONE --unreadable in the archive--------------------------------> SKIPPED
 *     NONE --folder unusable or run ended, even if sent but not compared-> SKIPPED
 *
 * An outcome never changes again. EXACT implies `compared`.
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
	OUTCOME_REFUSED,    /* the server does not take it: detail */
	OUTCOME_SKIPPED,    /* could not be tried: detail */
	OUTCOMES
};

/* "exact", "already_there", ... */
const char *outcome_name(enum outcome outcome);

/* What is left out of APPEND after a refusal. */
enum item_drop {
	ITEM_DROP_KEYWORDS = 1 << 0,
	ITEM_DROP_DATE = 1 << 1,
};

struct item {
	/* in the archive */
	int64_t message_id;
	uint64_t size;
	uint8_t sha256[SHA256_BYTES];
	size_t source; /* index of the folder it comes from */
	uint32_t uid;
	bool has_date;
	struct zoned_time date;
	char *flags;
	char *header_message_id;

	/* on the target */
	enum outcome outcome;
	char *detail;        /* NULL: none */
	bool is_there;       /* found on the target, stored before or by this run */
	bool sent;           /* accepted by the server in this run */
	uint32_t target_uid; /* 0: not known */
	int64_t row;         /* id of its journal row, 0: none */
	uint32_t drop;       /* enum item_drop */
	bool suspect;        /* holds bytes that servers replace without changing the size */
	bool compared;       /* compared with what the target lists: may be exact */
	unsigned losses;     /* connections lost while it was being sent */
	unsigned delays;     /* times the server answered UNAVAILABLE or INUSE */
};

struct items {
	struct item *items;
	size_t count;
	size_t cap;
};

void items_add(struct items *items, const struct archive_entry *entry, size_t source);
void items_free(struct items *items); /* also for CLEANUP() */

/* Sets the outcome; ignored if it is already set. Adds detail (NULL: none) to the notes. */
void item_decide(struct item *item, enum outcome outcome, const char *detail);
/* Adds a note to the detail. */
void item_note(struct item *item, const char *format, ...) PRINTF_LIKE(2, 3);

#endif
