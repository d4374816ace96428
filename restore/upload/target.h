/*
 * The server a restore writes to: a session that is made again when it is lost, with growing
 * pauses, a bounded number of times in a row.
 */
#ifndef MAILSTOW_RESTORE_UPLOAD_TARGET_H
#define MAILSTOW_RESTORE_UPLOAD_TARGET_H

#include "base/wait.h"
#include "imap/session.h"

enum {
	TARGET_LOSSES_MAX = 8, /* connections lost in a row, nothing achieved between */
	TARGET_PAUSE_MS = 500, /* before the second attempt; doubled each time */
	TARGET_PAUSE_MAX_MS = 30 * 1000,
	TARGET_SETTLE_MS = 1000, /* a server may still work on what a lost connection had sent */
};

struct target {
	/* Log in. Errors as imap_connect(). */
	bool (*connect)(void *context, struct imap **ret_imap, struct err *err);
	void *context;
	const struct cancel *cancel; /* NULL: none */
	int pause_ms;                /* 0: TARGET_PAUSE_MS */
	int settle_ms;               /* 0: TARGET_SETTLE_MS */

	struct imap *imap; /* NULL: not connected */
	unsigned losses;   /* in a row */
};

/* Make sure that there is a session. Pauses first when one was lost. */
bool target_need(struct target *target, struct err *err);

/*
 * A call on the session failed. True: it is dropped, try again with target_need(). False: err says
 * why trying again is no use (not the network's fault, or too often).
 */
bool target_lost(struct target *target, struct err *err);

/* Something was achieved since the last loss. */
void target_achieved(struct target *target);

/* Log out. */
void target_close(struct target *target);

#endif
