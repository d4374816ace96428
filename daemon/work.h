/*
 * What a worker thread does for one account: connect when needed, mirror passes, and watch INBOX
 * by IDLE. Blocking code with deadlines; one owner at a time.
 */
#ifndef MAILSTOW_DAEMON_WORK_H
#define MAILSTOW_DAEMON_WORK_H

#include <stdio.h>

#include "config/config.h"
#include "daemon/busy.h"
#include "daemon/slots.h"
#include "imap/session.h"
#include "mirror/pass.h"
#include "state/state.h"

struct account_work {
	const struct config_account *account;
	struct state *state;
	const struct cancel *cancel;
	const struct pools *pools;     /* of turns; NULL: it takes none */
	FILE *wire_log;                /* NULL: none */
	struct imap *imap;             /* NULL: not connected */
	bool idling;                   /* IDLE is under way on INBOX */
	struct archive_writer *writer; /* within a turn */
	struct busy busy;              /* folders, as the passes saw them */
	bool complete;                 /* the last pass was */
	bool changed;                  /* the archive, in this turn */
	unsigned restless;      /* turns in which INBOX changed faster than it was compared */
	int64_t pruned_mono_ms; /* when pruning was looked at last, 0: never */
};

/* One pass over the account, connecting when there is no session; logs what it did, records the
 * account's state. On failure the session is closed and the state says why. */
bool work_pass(struct account_work *work, struct mirror_result *ret_result, struct err *err);

/*
 * One turn of the running daemon: read what IDLE said; when that is news, or `due`, end IDLE, pass
 * until nothing is new, watch INBOX again. INBOX is selected before the last comparison, so that no
 * change falls between the two. True: the session is parked in IDLE, or work->idling is false as
 * the server offers none: poll it. *ret_again: IDLE told of news at once, take another turn.
 * work->restless: INBOX changes faster than it is compared, and what the last look at it saw may be
 * told by nobody; another turn is due soon. False: the session is closed and the state says why.
 */
bool work_turn(struct account_work *work, bool due, bool *ret_again, struct err *err);

/* Note a change of state. Best effort: a full disk must not stop a mirror, it is logged. */
void work_state(
	struct account_work *work, enum account_state state, const char *push, const char *detail);

/* After a complete pass, while no writer is open: prune, if the configuration says so and it is
 * time. Best effort: what fails is logged, and tried another day. */
void work_prune(struct account_work *work);

/* After the last pass for a while, while no writer is open: the archive is to be whole
 * without -wal files. Best effort, as above; who works on it now does it another time. */
void work_settle(struct account_work *work);

void work_close(struct account_work *work); /* the session */
void work_free(struct account_work *work);

#endif
