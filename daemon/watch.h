/*
 * The running daemon: each account is watched by one connection, which is either with a worker
 * thread (a turn: connect, compare, watch) or parked in the event loop (libuv), where it costs a
 * socket and a timer. Its further connections (sentry.h) only say that a turn is wanted.
 *
 *	          +------------ failed: backoff timer ------------+
 *	          v                                               |
 *	start -> TURN (worker thread) -- done --> PARKED (poll + timer) -- input, timer --> TURN
 *	          |                                               |
 *	          +---------------- SIGTERM, SIGINT --------------+--> stopped
 *
 * When the machine slept (wake.h), everybody takes a turn on a new connection. Only so many at once
 * get as far as comparing (slots.h).
 */
#ifndef MAILSTOW_DAEMON_WATCH_H
#define MAILSTOW_DAEMON_WATCH_H

#include "config/config.h"
#include "state/state.h"

/* Watch every account that is to be mirrored until SIGTERM or SIGINT. SIGHUP: all compare now, also
 * those that wait after a failure. */
bool watch_run(const struct config *config, struct state *state, struct err *err);

#endif
