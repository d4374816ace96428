/*
 * A further connection of an account that only waits: it keeps one folder selected in IDLE and
 * reports when something changes there. It never touches the archive; the account's own connection
 * then compares. If the server refuses it (many limit connections), the folder is polled like the
 * rest.
 *
 *	OFF -- send --> TURN (worker) -- ok --> PARKED (poll + renewal timer)
 *	 ^               |  ^                     |   |
 *	 |               |  +-- input, renewal, --+   |
 *	 |               |      another folder        |
 *	 +-- failed -----+                            |
 *	 +-- recalled (when the worker is done) ------+
 *
 * After a failure it stays OFF until a backoff has passed and the account's next turn sends it.
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
	/* Compare the account: something changed, or watching the folder has just begun. */
	void (*news)(void *context);

	enum idle_watcher_state state;
	struct imap *imap;
	char *folder; /* selected now, wire name; NULL: none */
	char *wanted; /* to be selected */
	bool idling;
	bool had_news;  /* in the last turn */
	bool ending;    /* recalled: OFF when the turn is done */
	bool dismissed; /* recalled for good */
	bool turned_well;
	int64_t rest_until_ms; /* monotonic: after a failure, no attempt before */
	unsigned failures;
	struct err err;
	uv_work_t job;
	uv_timer_t renewal;
	struct park park;
};

void idle_watcher_init(struct idle_watcher *watcher, uv_loop_t *loop,
	const struct config_account *account, const struct cancel *cancel,
	void (*news)(void *context), void *context);

/* Watch this folder, unless it is watched already or the watcher rests after a failure. */
void idle_watcher_send(struct idle_watcher *watcher, const char *wire_name);

/* Disconnect, now or when the worker is done. */
void idle_watcher_recall(struct idle_watcher *watcher);

/* Recall for good: closes its libuv handles. It must not be used again. */
void idle_watcher_dismiss(struct idle_watcher *watcher);

#endif
