/*
 * What mailstow remembers outside the archives, and may lose: how each account fares, and the
 * ledger of messages that could not be fetched. One SQLite file, state.db in the state directory,
 * shared by the daemon (which writes) and the commands (which read, or write without a daemon).
 *
 * An account is known here by the path of its archive.
 */
#ifndef MAILSTOW_STATE_STATE_H
#define MAILSTOW_STATE_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct state;

/* As the interface names them; state_name() gives the word. */
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
	int64_t last_check_ms;   /* last time the server was compared, complete or not; 0: never */
	char push[16];           /* "idle", "poll", "notify" or "" */
	int64_t paused_until_ms; /* 0: not */
	char detail[512];        /* one printable line, "" when all is well */
};

/* Opens or makes DIR/state.db (and DIR). Any thread may use it; one waits for the other. */
bool state_open(const char *dir, struct state **ret_state, struct err *err);
void state_freep(struct state **state);

/*
 * All that this thread asks for between the two is one transaction; other threads wait. state_end()
 * ends what state_begin() began, true only if it was to be kept and is.
 */
bool state_begin(struct state *state, struct err *err);
bool state_end(struct state *state, bool keep, struct err *err);

/* An account never seen is ACCOUNT_STOPPED with zeros. */
bool state_get(struct state *state, const char *archive_path, struct account_status *ret_status,
	struct err *err);
bool state_put(struct state *state, const char *archive_path, const struct account_status *status,
	struct err *err);

/* A message that could not be fetched, with the reason, until it was or is gone. */
struct skipped {
	const char *folder_path;
	uint32_t uidvalidity;
	uint32_t uid;
	uint64_t size;
	const char *reason; /* printable */
	int attempts;
	/* wall time; INT64_MAX: never by itself (too large); 0: at once, not counted as skipped */
	int64_t next_try_ms;
};
bool state_skip_put(struct state *state, const char *archive_path, const struct skipped *skipped,
	struct err *err);
bool state_skip_done(struct state *state, const char *archive_path, const char *folder_path,
	uint32_t uidvalidity, uint32_t uid, struct err *err);
/* each() must not come back to the state. */
bool state_each_skipped(struct state *state, const char *archive_path,
	bool (*each)(void *context, const struct skipped *skipped, struct err *err), void *context,
	struct err *err);
bool state_skipped_count(
	struct state *state, const char *archive_path, uint64_t *ret_count, struct err *err);

/*
 * Nothing of the account that tells of its mail stays: names of folders, reasons, details, and so
 * the whole ledger; nor in the file, once the -wal is empty. ERR_BUSY: somebody reads it all the
 * time.
 */
bool state_forget(struct state *state, const char *archive_path, struct err *err);
bool state_empty_wal(struct state *state, struct err *err);

/* The copy of an archive that helps most: on another disk before the same, the newest. */
struct state_copy {
	int64_t copied_ms; /* wall time; 0: none was ever made */
	bool same_disk;
};
bool state_put_copy(struct state *state, const char *archive_path, const char *place,
	const struct state_copy *copy, struct err *err);
bool state_best_copy(struct state *state, const char *archive_path, struct state_copy *ret_copy,
	struct err *err);

/*
 * Does a daemon run on this state directory? It holds DIR/daemon.lock for its life
 * (state_daemon_lock(), ERR_BUSY when another does).
 */
bool state_daemon_runs(const char *dir);
bool state_daemon_lock(const char *dir, int *ret_lock, struct err *err);

#endif
