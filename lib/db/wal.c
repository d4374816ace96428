#include <sys/stat.h>

#include "base/fs.h"
#include "base/str.h"
#include "base/wait.h"
#include "db/db_internal.h"

static uint64_t file_bytes(const char *path, const char *suffix)
{
	CLEANUP(freep) char *name = str_printf("%s%s", path, suffix);
	struct stat st;

	return stat(name, &st) == 0 ? (uint64_t)st.st_size : 0;
}

uint64_t db_wal_bytes(const struct db *db)
{
	return db->wal_bytes;
}

uint64_t db_wal_file_bytes(const struct db *db)
{
	return file_bytes(db->path, "-wal");
}

bool db_wal_checkpoint(struct db *db, bool truncate, struct err *err)
{
	int mode = truncate ? SQLITE_CHECKPOINT_TRUNCATE : SQLITE_CHECKPOINT_PASSIVE;
	int pages = 0;
	int moved = 0;
	int code;

	/* SQLite's own waiting for readers is turned off: the caller decides whether to wait */
	(void)sqlite3_busy_timeout(db->handle, 0);
	code = sqlite3_wal_checkpoint_v2(db->handle, NULL, mode, &pages, &moved);
	(void)sqlite3_busy_timeout(db->handle, db->busy_timeout_ms);
	if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY)
		return db_fail(db, code, "WAL checkpoint", err);
	if (code == SQLITE_OK && pages == moved)
		db->wal_bytes = 0;
	return true;
}

bool db_empty_wal(struct db *db, struct err *err)
{
	for (int i = 0; i < DB_EMPTY_TRIES; i++) {
		if (!db_wal_checkpoint(db, true, err))
			return false;
		if (db_wal_file_bytes(db) == 0)
			return true;
		if (!wait_sleep(wait_for(DB_EMPTY_PAUSE_MS, NULL), err))
			return false;
	}
	return err_set(err, ERR_BUSY, "%s: readers kept it in use for %d s; try again later",
		db->path, DB_EMPTY_TRIES * DB_EMPTY_PAUSE_MS / 1000);
}

bool db_has_wal(const char *path)
{
	return file_bytes(path, "-wal") > 0;
}

enum db_mode db_peek_mode(const char *path)
{
	return db_has_wal(path) ? DB_PEEK : DB_IMMUTABLE;
}

bool db_remove_wal(const char *path, struct err *err)
{
	CLEANUP(freep) char *wal = str_printf("%s-wal", path);
	CLEANUP(freep) char *shm = str_printf("%s-shm", path);

	return (!fs_exists(wal) || fs_remove(wal, err)) && (!fs_exists(shm) || fs_remove(shm, err));
}
