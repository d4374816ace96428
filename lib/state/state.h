/*
 * State outside the archives, which may be lost: the status of each account, the ledger of messages
 * that could not be fetched, and the copies that were made. One SQLite file, state.db in the state
 * directory, shared by the daemon and the commands; both may write.
 *
 * An account is identified by the path of its archive.
 */
#ifndef MAILSTOW_STATE_STATE_H
#define MAILSTOW_STATE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct state;

/*
 * The states that `mailstow status` shows; state_name() is the word. The state file has their
 * numbers: new ones are added at the end.
 *
 *	STARTING --> MIRRORING <--> WATCHING
 *	    |           |  ^           |
 *	    +-----------+--|-----------+--> OFFLINE, AUTH_REQUIRED, LOCKED or FAILED
 *	                   |                            |
 *	                   +-------- next turn ---------+ (or another of these)
 *
 *	The daemon starts: any state --> STARTING. SIGTERM, SIGINT: any state --> STOPPED.
 *	--once: any state --> MIRRORING --> STOPPED, or one of those that failed.
 *
 * A daemon that is killed leaves the state it had; while no daemon runs, `mailstow status` shows
 * STOPPED, except for states that wait for a person.
 * PAUSED and GUARDED are reserved: nothing sets them yet.
 */
enum account_state {
	ACCOUNT_STOPPED,
	ACCOUNT_STARTING,
	ACCOUNT_LOCKED,
	ACCOUNT_MIRRORING,
	ACCOUNT_WATCHING,
	ACCOUNT_PAUSED,
	ACCOUNT_OFFLINE,
	ACCOUNT_GUARDED,
	ACCOUNT_AUTH_REQUIRED,
	ACCOUNT_FAILED,
};
const char *state_name(enum account_state state);

struct account_status {
	enum account_state state;
	int64_t since_ms;        /* wall time of the last change of state */
	int64_t last_success_ms; /* end of the last complete pass, 0: never */
	int64_t last_check_ms;   /* end of the last pass, complete or not; 0: never */
	char push[16];           /* "idle", "poll", "notify" or "" */
	int64_t paused_until_ms; /* wall time; 0: not paused */
	char detail[512];        /* one printable line; "" when there is nothing to say */
};

/* Opens DIR/state.db, creating it and DIR if need be. Thread safe. */
bool state_open(const char *dir, struct state **ret_state, struct err *err);
void state_freep(struct state **state);

/*
 * Everything this thread does between the two is one transaction; other threads wait. state_end()
 * ends it in any case: commits if keep is set, else rolls back. True only if it was committed.
 */
bool state_begin(struct state *state, struct err *err);
bool state_end(struct state *state, bool keep, struct err *err);

/* An unknown account is ACCOUNT_STOPPED, with zeros. */
bool state_get(struct state *state, const char *archive_path, struct account_status *ret_status,
	struct err *err);
bool state_put(struct state *state, const char *archive_path, const struct account_status *status,
	struct err *err);

/* A message that could not be fetched, until it is fetched or gone. */
struct skipped {
	const char *folder_path;
	uint32_t uidvalidity;
	uint32_t uid;
	uint64_t size;
	const char *reason; /* printable */
	int attempts;
	/* wall time; INT64_MAX: too large, never retried by itself; 0: at once, not counted */
	int64_t next_try_ms;
};
bool state_skip_put(struct state *state, const char *archive_path, const struct skipped *skipped,
	struct err *err);
bool state_skip_done(struct state *state, const char *archive_path, const char *folder_path,
	uint32_t uidvalidity, uint32_t uid, struct err *err);
/* each() must not call any state function. */
bool state_each_skipped(struct state *state, const char *archive_path,
	bool (*each)(void *context, const struct skipped *skipped, struct err *err), void *context,
	struct err *err);
bool state_skipped_count(
	struct state *state, const char *archive_path, uint64_t *ret_count, struct err *err);

/*
 * state_forget() erases everything that tells of the account's mail: its ledger (folder names,
 * reasons) and the status detail. state_empty_wal() then removes the erased text from the -wal
 * file, too. ERR_BUSY: another process keeps reading the file.
 */
bool state_forget(struct state *state, const char *archive_path, struct err *err);
bool state_empty_wal(struct state *state, struct err *err);

/* state_best_copy(): the newest copy on another disk, else the newest. */
struct state_copy {
	int64_t copied_ms; /* wall time; 0: there is no copy */
	bool same_disk;
};
bool state_put_copy(struct state *state, const char *archive_path, const char *place,
	const struct state_copy *copy, struct err *err);
bool state_best_copy(struct state *state, const char *archive_path, struct state_copy *ret_copy,
	struct err *err);

/* A daemon holds DIR/daemon.lock while it runs. state_daemon_lock(): ERR_BUSY when another daemon
 * holds it. */
bool state_daemon_runs(const char *dir);
bool state_daemon_lock(const char *dir, int *ret_lock, struct err *err);

#endif
