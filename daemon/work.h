/*
 * What a worker thread does for one account: connect when needed, one mirror pass, and watch INBOX
 * by IDLE. Blocking code with deadlines; one owner at a time.
 */
#ifndef MAILSTOW_DAEMON_WORK_H
#define MAILSTOW_DAEMON_WORK_H

#include "config/config.h"
#include "imap/session.h"
#include "mirror/pass.h"
#include "state/state.h"

struct account_work {
	const struct config_account *account;
	const char *state_dir;
	const struct cancel *cancel;
	struct imap *imap; /* NULL: not connected */
	bool idling;       /* IDLE is under way on INBOX */
};

/* One pass over the account, connecting when there is no session; logs what it did, records the
 * account's state. On failure the session is closed and the state says why. */
bool work_pass(struct account_work *work, struct mirror_result *ret_result, struct err *err);

/*
 * One turn of the running daemon: end IDLE if it is under way, pass until nothing is new, watch
 * INBOX again. INBOX is selected before the last comparison, so that no change falls between the
 * two. False: the session is closed and the state says why. work->idling false after success: the
 * server offers no IDLE, poll it.
 */
bool work_turn(struct account_work *work, struct err *err);

/* Note a change of state. Best effort: a full disk must not stop a mirror, it is logged. */
void work_state(
	struct account_work *work, enum account_state state, const char *push, const char *detail);

void work_close(struct account_work *work);

#endif
