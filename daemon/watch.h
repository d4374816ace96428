/*
 * The running daemon. One connection mirrors and watches each account. It is either used by a
 * worker thread (a turn: connect, compare, start IDLE) or parked in the event loop (libuv), where
 * it costs a socket and a timer. Further connections (idle_watcher.h) only report that a turn is
 * needed.
 *
 *	NEW -- start --> TURN (worker) -- ok ---------> PARKED (poll + timer)
 *	                  |  ^  ^                          |
 *	                  |  |  +-- input, timer, news, ---+
 *	                  |  |      SIGHUP, wake-up
 *	                  |  |
 *	                  +--|-- failed --> BACKOFF (timer) --+
 *	                     +-- timer, SIGHUP, wake-up ------+
 *
 *	If news came during a TURN, another TURN follows at once.
 *	SIGTERM, SIGINT: any state --> STOPPED (a TURN ends first).
 *
 * After the machine was suspended (suspend.h), every account takes a turn on a new connection,
 * except those in BACKOFF for a password or configuration error. Only as many accounts compare at
 * once as there are slots in the pools (pools.h).
 */
#ifndef MAILSTOW_DAEMON_WATCH_H
#define MAILSTOW_DAEMON_WATCH_H

#include "config/config.h"
#include "state/state.h"

/* Watches every account with mirror = yes until SIGTERM or SIGINT. SIGHUP makes all accounts
 * compare now, also those in BACKOFF. */
bool watch_run(const struct config *config, struct state *state, struct err *err);

#endif
