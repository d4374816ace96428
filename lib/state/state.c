#include "state/state.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"
#include "db/db.h"
#include "state/state_sql.h"

enum {
	BUSY_TIMEOUT_MS = 10 * 1000,
	WAL_BYTES_MAX = 1024 * 1024,
	WAL_BYTES_LEFT_MAX =
		64 * 1024, /* at close: the next one to open the file reads all of it */
};

struct state {
	struct db *db;
	pthread_mutex_t mutex;
};

static const char *const names[] = {
	[ACCOUNT_STOPPED] = "stopped",
	[ACCOUNT_STARTING] = "starting",
	[ACCOUNT_LOCKED] = "locked",
	[ACCOUNT_MIRRORING] = "mirroring",
	[ACCOUNT_WATCHING] = "watching",
	[ACCOUNT_PAUSED] = "paused",
	[ACCOUNT_OFFLINE] = "offline",
	[ACCOUNT_GUARDED] = "guarded",
	[ACCOUNT_AUTH_REQUIRED] = "auth-required",
	[ACCOUNT_FAILED] = "failed",
};

const char *state_name(enum account_state state)
{
	return state < ARRAY_LEN(names) ? names[state] : "failed";
}

/* A daemon and a command may both be the first to open the file. The lock lets only one create it.
 */
static bool open_or_create(const char *dir, struct db **ret_db, struct err *err)
{
	CLEANUP(freep) char *path = str_printf("%s/state.db", dir);
	CLEANUP(freep) char *lock_path = str_printf("%s/making.lock", dir);
	CLEANUP(fs_unlock) int lock = -1;
	struct db_options options = {.kind = &state_kind,
		.mode = DB_CREATE,
		.secure_delete = true,
		.busy_timeout_ms = BUSY_TIMEOUT_MS};

	if (!fs_exists(path) && !fs_lock(lock_path, BUSY_TIMEOUT_MS, &lock, err))
		return false;
	return db_open(path, &options, ret_db, err);
}

bool state_open(const char *dir, struct state **ret_state, struct err *err)
{
	CLEANUP(state_freep) struct state *state = xcalloc(1, sizeof(*state));
	pthread_mutexattr_t recursive; /* state_begin() holds the mutex over other calls */

	(void)pthread_mutexattr_init(&recursive);
	(void)pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
	(void)pthread_mutex_init(&state->mutex, &recursive);
	(void)pthread_mutexattr_destroy(&recursive);
	if (!fs_make_dirs(dir, 0700, err) || !open_or_create(dir, &state->db, err))
		return false;
	*ret_state = TAKE(state);
	return true;
}

void state_freep(struct state **state)
{
	struct err ignored = ERR_INIT;

	if (!*state)
		return;
	if ((*state)->db && db_wal_bytes((*state)->db) > WAL_BYTES_LEFT_MAX)
		(void)db_wal_checkpoint((*state)->db, true, &ignored);
	db_freep(&(*state)->db);
	(void)pthread_mutex_destroy(&(*state)->mutex);
	free(*state);
	*state = NULL;
}

static struct db *lock_db(struct state *state)
{
	(void)pthread_mutex_lock(&state->mutex);
	return state->db;
}

static bool unlock_db(struct state *state, bool result)
{
	(void)pthread_mutex_unlock(&state->mutex);
	return result;
}

/* Runs a statement that writes. Outside transactions, keeps the WAL below WAL_BYTES_MAX. */
static bool run_write(struct state *state, size_t query, struct err *err)
{
	return db_run(state->db, query, err) &&
	       (db_in_transaction(state->db) || db_wal_bytes(state->db) < WAL_BYTES_MAX ||
		       db_wal_checkpoint(state->db, true, err));
}

bool state_begin(struct state *state, struct err *err)
{
	return db_begin(lock_db(state), err) || unlock_db(state, false);
}

bool state_end(struct state *state, bool keep, struct err *err)
{
	bool kept = keep && db_commit(state->db, err);

	/* does nothing after a commit, or if SQLite rolled back by itself, as on a full disk */
	db_rollback(state->db);
	return unlock_db(state, kept);
}

static bool read_status(
	struct db *db, const char *archive_path, struct account_status *ret_status, struct err *err)
{
	size_t q = STATE_ACCOUNT_GET;
	bool row;

	db_bind_text(db, q, "archive", archive_path);
	if (!db_step(db, q, &row, err))
		return false;
	*ret_status = (struct account_status){.state = ACCOUNT_STOPPED};
	if (!row)
		return true;
	ret_status->state = (enum account_state)db_int(db, q, 0);
	ret_status->since_ms = db_int(db, q, 1);
	ret_status->last_success_ms = db_int(db, q, 2);
	ret_status->last_check_ms = db_int(db, q, 3);
	(void)snprintf(ret_status->push, sizeof(ret_status->push), "%s", db_text(db, q, 4));
	ret_status->paused_until_ms = db_int(db, q, 5);
	(void)snprintf(ret_status->detail, sizeof(ret_status->detail), "%s", db_text(db, q, 6));
	db_reset(db, q);
	return true;
}

bool state_get(struct state *state, const char *archive_path, struct account_status *ret_status,
	struct err *err)
{
	return unlock_db(state, read_status(lock_db(state), archive_path, ret_status, err));
}

bool state_put(struct state *state, const char *archive_path, const struct account_status *status,
	struct err *err)
{
	struct db *db = lock_db(state);
	size_t q = STATE_ACCOUNT_PUT;

	db_bind_text(db, q, "archive", archive_path);
	db_bind_int(db, q, "state", status->state);
	db_bind_int(db, q, "since_ms", status->since_ms);
	db_bind_int(db, q, "last_success_ms", status->last_success_ms);
	db_bind_int(db, q, "last_check_ms", status->last_check_ms);
	db_bind_text(db, q, "push", status->push);
	db_bind_int(db, q, "paused_until_ms", status->paused_until_ms);
	db_bind_text(db, q, "detail", status->detail);
	return unlock_db(state, run_write(state, q, err));
}

static void bind_message(struct db *db, size_t q, const char *archive_path, const char *folder_path,
	uint32_t uidvalidity, uint32_t uid)
{
	db_bind_text(db, q, "archive", archive_path);
	db_bind_text(db, q, "folder", folder_path);
	db_bind_int(db, q, "uidvalidity", uidvalidity);
	db_bind_int(db, q, "uid", uid);
}

bool state_skip_put(struct state *state, const char *archive_path, const struct skipped *skipped,
	struct err *err)
{
	struct db *db = lock_db(state);
	size_t q = STATE_SKIP_PUT;

	bind_message(db, q, archive_path, skipped->folder_path, skipped->uidvalidity, skipped->uid);
	db_bind_int(db, q, "size", (int64_t)skipped->size);
	db_bind_text(db, q, "reason", skipped->reason);
	db_bind_int(db, q, "attempts", skipped->attempts);
	db_bind_int(db, q, "next_try_ms", skipped->next_try_ms);
	return unlock_db(state, run_write(state, q, err));
}

bool state_skip_done(struct state *state, const char *archive_path, const char *folder_path,
	uint32_t uidvalidity, uint32_t uid, struct err *err)
{
	bind_message(lock_db(state), STATE_SKIP_DONE, archive_path, folder_path, uidvalidity, uid);
	return unlock_db(state, run_write(state, STATE_SKIP_DONE, err));
}

static bool each_skipped(struct db *db, const char *archive_path,
	bool (*each)(void *context, const struct skipped *skipped, struct err *err), void *context,
	struct err *err)
{
	size_t q = STATE_SKIP_EACH;
	bool row;

	db_bind_text(db, q, "archive", archive_path);
	while (db_step(db, q, &row, err)) {
		struct skipped skipped;

		if (!row)
			return true;
		skipped = (struct skipped){
			.folder_path = db_text(db, q, 0),
			.uidvalidity = (uint32_t)db_int(db, q, 1),
			.uid = (uint32_t)db_int(db, q, 2),
			.size = (uint64_t)db_int(db, q, 3),
			.reason = db_text(db, q, 4),
			.attempts = (int)db_int(db, q, 5),
			.next_try_ms = db_int(db, q, 6),
		};
		if (!each(context, &skipped, err)) {
			db_reset(db, q);
			return false;
		}
	}
	return false;
}

bool state_each_skipped(struct state *state, const char *archive_path,
	bool (*each)(void *context, const struct skipped *skipped, struct err *err), void *context,
	struct err *err)
{
	return unlock_db(state, each_skipped(lock_db(state), archive_path, each, context, err));
}

bool state_skipped_count(
	struct state *state, const char *archive_path, uint64_t *ret_count, struct err *err)
{
	struct db *db = lock_db(state);
	bool row;

	db_bind_text(db, STATE_SKIP_COUNT, "archive", archive_path);
	if (!db_step(db, STATE_SKIP_COUNT, &row, err))
		return unlock_db(state, false);
	*ret_count = (uint64_t)db_int(db, STATE_SKIP_COUNT, 0);
	db_reset(db, STATE_SKIP_COUNT);
	return unlock_db(state, true);
}

bool state_forget(struct state *state, const char *archive_path, struct err *err)
{
	struct db *db = lock_db(state);

	db_bind_text(db, STATE_SKIP_FORGET, "archive", archive_path);
	db_bind_text(db, STATE_ACCOUNT_FORGET_DETAIL, "archive", archive_path);
	return unlock_db(state,
		db_run(db, STATE_SKIP_FORGET, err) && db_run(db, STATE_ACCOUNT_FORGET_DETAIL, err));
}

bool state_empty_wal(struct state *state, struct err *err)
{
	return unlock_db(state, db_empty_wal(lock_db(state), err));
}

bool state_put_copy(struct state *state, const char *archive_path, const char *place,
	const struct state_copy *copy, struct err *err)
{
	struct db *db = lock_db(state);
	size_t q = STATE_COPY_PUT;

	db_bind_text(db, q, "archive", archive_path);
	db_bind_text(db, q, "place", place);
	db_bind_int(db, q, "copied_ms", copy->copied_ms);
	db_bind_int(db, q, "same_disk", copy->same_disk);
	return unlock_db(state, run_write(state, q, err));
}

bool state_best_copy(
	struct state *state, const char *archive_path, struct state_copy *ret_copy, struct err *err)
{
	struct db *db = lock_db(state);
	size_t q = STATE_COPY_BEST;
	bool row;

	db_bind_text(db, q, "archive", archive_path);
	if (!db_step(db, q, &row, err))
		return unlock_db(state, false);
	*ret_copy = (struct state_copy){0};
	if (row) {
		ret_copy->copied_ms = db_int(db, q, 0);
		ret_copy->same_disk = db_int(db, q, 1) != 0;
		db_reset(db, q);
	}
	return unlock_db(state, true);
}

bool state_daemon_lock(const char *dir, int *ret_lock, struct err *err)
{
	CLEANUP(freep) char *path = str_printf("%s/daemon.lock", dir);

	return fs_make_dirs(dir, 0700, err) && fs_lock(path, 0, ret_lock, err);
}

bool state_daemon_runs(const char *dir)
{
	CLEANUP(freep) char *path = str_printf("%s/daemon.lock", dir);

	return fs_is_locked(path);
}
