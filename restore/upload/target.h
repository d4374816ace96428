/*
 * The server a restore writes to: a session that is reopened when it is lost, after growing pauses
 * and a limited number of times in a row.
 */
#ifndef MAILSTOW_RESTORE_UPLOAD_TARGET_H
#define MAILSTOW_RESTORE_UPLOAD_TARGET_H

#include "base/wait.h"
#include "imap/session.h"

enum {
	TARGET_LOSSES_MAX = 8, /* connections lost in a row without progress */
	TARGET_PAUSE_MS = 500, /* after the first loss; doubled after each further one */
	TARGET_PAUSE_MAX_MS = 30 * 1000,
};

struct target {
	/* Opens a session. Errors as imap_connect(). */
	bool (*connect)(void *context, struct imap **ret_imap, struct err *err);
	void *context;
	const struct cancel *cancel; /* NULL: none */
	int pause_ms;                /* 0: TARGET_PAUSE_MS */

	struct imap *imap; /* NULL: not connected */
	unsigned losses;   /* in a row */
};

/* Opens a session unless there is one; pauses first if one was lost. */
bool target_need(struct target *target, struct err *err);

/*
 * A call on the session failed with err; closes the session. True: try again with target_need().
 * False: err says why a retry is pointless (not the network's fault, or too many losses).
 */
bool target_lost(struct target *target, struct err *err);

/* There was progress since the last loss. */
void target_achieved(struct target *target);

/* Logs out. */
void target_close(struct target *target);

#endif
