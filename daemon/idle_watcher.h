/*
 * A further connection of an account: it stands at one folder in IDLE and says when something
 * changed there. It never touches the archive; the account's own connection then compares. That it
 * cannot be had (servers limit connections) harms nothing: the folder is polled as the rest are.
 *
 *	OFF -> TURN (worker thread) -> PARKED (poll + renewal timer) -- input, renewal --> TURN
 *	 ^       | failed, tried again with the account's next turn               |
 *	 +-------+---------------------- account lost, SIGTERM --------------------+
 */
#ifndef MAILSTOW_DAEMON_IDLE_WATCHER_H
#define MAILSTOW_DAEMON_IDLE_WATCHER_H

#include "config/config.h"
#include "daemon/park.h"
#include "imap/session.h"

enum idle_watcher_state { IDLE_WATCHER_OFF, IDLE_WATCHER_TURN, IDLE_WATCHER_PARKED };

struct idle_watcher {
	const struct config_account *account;
	const struct cancel *cancel;
	void *context;
	/* Compare the account: something changed, or the folder is watched only from now on. */
	void (*news)(void *context);

	enum idle_watcher_state state;
	struct imap *imap;
	char *folder; /* where it stands, wire name; NULL: nowhere */
	char *wanted; /* where it is to stand */
	bool idling;
	bool had_news;  /* in the last turn */
	bool ending;    /* to be OFF when the turn is done */
	bool dismissed; /* and for good */
	bool turned_well;
	int64_t rest_until_ms; /* monotonic: after a failure, not before */
	unsigned failures;
	struct err err;
	uv_work_t job;
	uv_timer_t renewal;
	struct park park;
};

void idle_watcher_init(struct idle_watcher *sentry, uv_loop_t *loop,
	const struct config_account *account, const struct cancel *cancel,
	void (*news)(void *context), void *context);

/* Stand at this folder, unless it does or rests after a failure. */
void idle_watcher_send(struct idle_watcher *sentry, const char *wire_name);

/* Leave, now or when the worker is done. */
void idle_watcher_recall(struct idle_watcher *sentry);

/* Recall for good: its handles are closed, it is not used again. */
void idle_watcher_dismiss(struct idle_watcher *sentry);

#endif
