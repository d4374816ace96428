/*
 * One attempt at a folder over one connection: what restore/upload/upload.c, refused.c and stored.c
 * share.
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
	struct item **list; /* what is being sent */
	size_t count;
	size_t batch_end; /* index in list: what is before it is in the journal */
	struct refusal *refusals;
	size_t refusals_count, refusals_cap;
	struct item **stored; /* accepted, in the order sent, not compared yet */
	size_t stored_count, stored_cap;
};

void attempt_free(struct attempt *attempt);

/* Decide an item and tell whoever watches. */
void attempt_decide(
	struct attempt *attempt, struct item *item, enum outcome outcome, const char *detail);

/* Its journal row is of no use any more. */
bool attempt_forget_row(struct attempt *attempt, struct item *item, struct err *err);

/* The flags the folder and what was learnt allow to send with it; the caller frees. */
char *attempt_flags(void *attempt, const struct item *item);

/* refused.c: keep a refusal for later. */
void refused_add(
	struct attempt *attempt, struct item *item, enum imap_code code, const char *words);

/* refused.c: offer what was refused again, in a form that may please, until nothing is left. */
bool refused_retry(struct attempt *attempt, struct err *err);

/* stored.c: find, complete and compare what was stored; every answer has been taken. */
bool stored_check(struct attempt *attempt, struct err *err);

/*
 * stored.c: which message is which when the server gives no UIDs. Pure. items in the order sent,
 * listed by UID, both new since. Sets target_uid where it is sure.
 */
struct listed;
void stored_pair(
	struct item **items, size_t items_count, const struct listed *listed, size_t listed_count);

#endif
