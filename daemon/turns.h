/*
 * The turns of one account: what a worker thread does for it. A turn connects when needed, runs
 * passes until nothing is new, and watches INBOX with IDLE. Blocking code with deadlines; one
 * thread at a time uses an account.
 */
#ifndef MAILSTOW_DAEMON_TURNS_H
#define MAILSTOW_DAEMON_TURNS_H

#include <stdio.h>

#include "config/config.h"
#include "daemon/busy_folders.h"
#include "daemon/pools.h"
#include "imap/session.h"
#include "mirror/pass.h"
#include "state/state.h"

struct account_turns {
	const struct config_account *account;
	struct archive_keys *keys; /* of its archive; the caller owns all members above imap */
	struct state *state;
	const struct cancel *cancel;
	const struct pools *pools;     /* a turn takes a slot to compare; NULL: turns_pass() only */
	FILE *wire_log;                /* NULL: none */
	struct imap *imap;             /* NULL: not connected */
	bool idling;                   /* IDLE is in progress on INBOX */
	struct archive_writer *writer; /* open while a turn compares */
	struct busy_folders busy;      /* as the passes saw them */
	bool complete;                 /* the last pass was */
	bool changed;                  /* this turn changed the archive */
	unsigned restless;      /* turns in a row in which INBOX kept changing while compared */
	int64_t pruned_mono_ms; /* last time pruning was considered; 0: never */
};

/* One pass over the account, connecting when there is no session. Logs what it did and records the
 * account's state. On failure the session is closed and the state says why. */
bool turns_pass(struct account_turns *turns, struct mirror_result *ret_result, struct err *err);

/*
 * One turn of the running daemon. Reads what IDLE reported; on news, or when `due`, ends IDLE, runs
 * passes until nothing is new and watches INBOX again. INBOX is selected before the last
 * comparison, so no change falls between the two.
 *
 * True: the session is parked in IDLE; or turns->idling is false, as the server has no IDLE, and
 * the account is to be polled. *ret_again: IDLE reported news at once; take another turn.
 * turns->restless > 0: INBOX changes faster than it is compared, and IDLE may not report the last
 * change; another turn is due soon. False: the session is closed and the state says why.
 */
bool turns_take(struct account_turns *turns, bool due, bool *ret_again, struct err *err);

/* Records a change of state. Errors are logged only: a full disk must not stop mirroring. */
void turns_set_state(struct account_turns *turns, enum account_state state, const char *push,
	const char *detail);

/* Prunes after a complete pass, if configured and due. No writer may be open. Errors are logged; it
 * is tried again later. */
void turns_prune(struct account_turns *turns);

/* After the last pass for a while: moves the archive's WAL into its database files, so that a plain
 * file copy without -wal files is complete. No writer may be open. Errors are logged, except that
 * another process is writing, which will do this itself. */
void turns_empty_wal(struct account_turns *turns);

void turns_close(struct account_turns *turns); /* the session */
void turns_free(struct account_turns *turns);

#endif
