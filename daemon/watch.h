/*
 * The running daemon: each account is watched by one connection, which is either with a worker
 * thread (a turn: connect, pass, watch) or parked in the event loop (libuv), where it costs a
 *socket and a timer.
 *
 *	          +------------ failed: backoff timer ------------+
 *	          v                                               |
 *	start -> TURN (worker thread) -- done --> PARKED (poll + timer) -- news, renewal --> TURN
 *	          |                                               |
 *	          +---------------- SIGTERM, SIGINT --------------+--> stopped
 */
#ifndef MAILSTOW_DAEMON_WATCH_H
#define MAILSTOW_DAEMON_WATCH_H

#include "config/config.h"

/* Watch every account that is to be mirrored until SIGTERM or SIGINT. */
bool watch_run(const struct config *config, const char *state_dir, struct err *err);

#endif
