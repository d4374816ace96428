/*
 * One attempt to upload a folder over one connection: shared by upload.c, upload_attempt.c,
 * upload_refused.c and upload_stored.c.
 */
#ifndef MAILSTOW_RESTORE_UPLOAD_UPLOAD_INTERNAL_H
#define MAILSTOW_RESTORE_UPLOAD_UPLOAD_INTERNAL_H

#include "restore/upload/present.h"
#include "restore/upload/send.h"
#include "restore/upload/upload.h"

struct refusal {
	struct item *item;
	enum imap_code code;
	char *words;
};

struct attempt {
	const struct upload *upload;
	struct imap *imap;
	struct present present;
	struct sending sending;
	struct item **list; /* the items to send */
	size_t count;
	size_t batch_end; /* index in list: the items before it are in the journal */
	struct refusal *refusals;
	size_t refusals_count, refusals_cap;
	struct item **stored; /* accepted by the server in this order, not compared yet */
	size_t stored_count, stored_cap;
};

void attempt_free(struct attempt *attempt);

/* Whether the item may be sent: it is durably in the journal, or the folder has no journal. */
bool attempt_may_send(const struct attempt *attempt, const struct item *item);

/* Decides an item and reports progress. */
void attempt_decide(
	struct attempt *attempt, struct item *item, enum outcome outcome, const char *detail);

/* Removes the item's journal row. */
bool attempt_forget_row(struct attempt *attempt, struct item *item, struct err *err);

/* The flags to send with the item, as far as folder and server accept them; the caller frees. */
char *attempt_flags(void *attempt, const struct item *item);

/* upload_refused.c: notes a refusal for refused_retry(). */
void refused_add(
	struct attempt *attempt, struct item *item, enum imap_code code, const char *words);

/* upload_refused.c: offers refused items again with less, until each is accepted or given up. */
bool refused_retry(struct attempt *attempt, struct err *err);

/* upload_stored.c: finds the stored items, sets their keywords, compares. No answer may be due. */
bool stored_check(struct attempt *attempt, struct err *err);

/*
 * upload_stored.c: pairs items with listed messages if the server reports no UIDs. Pure. items in
 * the order sent, listed by UID: those new in the folder since. Sets target_uid where it is sure.
 */
struct listed;
void stored_pair(
	struct item **items, size_t items_count, const struct listed *listed, size_t listed_count);

#endif
