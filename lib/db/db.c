#include "db/db.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"
#include "db/db_internal.h"
#include "db/vfs_internal.h"

enum {
	LENGTH_MAX = 16 * 1024 * 1024, /* bytes of a text, blob or row */
	SQL_MAX = 64 * 1024,           /* bytes of a statement, those in a file's schema included */
	COLUMNS_MAX = 64,
	DEPTH_MAX = 64, /* of an expression */
	SELECTS_MAX = 8,
	WAL_FRAME_BYTES = DB_WAL_FRAME_HEADER_BYTES + DB_PAGE_BYTES,
	FILE_MODE = 0600,
	SYNCHRONOUS_NORMAL = 1,
	SYNCHRONOUS_FULL = 2,
};

void db_freep(struct db **db)
{
	struct db *old = *db;

	if (!old)
		return;
	for (size_t i = 0; i < old->kind->queries_count; i++)
		(void)sqlite3_finalize(old->statements[i].stmt);
	for (size_t i = 0; i < DB_OWN_QUERIES; i++)
		(void)sqlite3_finalize(old->own[i]);
	(void)sqlite3_close_v2(old->handle);
	gcm_freep(&old->gcm);
	free(old->statements);
	free(old->path);
	free(old);
	*db = NULL;
}

const char *db_path(const struct db *db)
{
	return db->path;
}

static bool run_sql(struct db *db, const char *sql, const char *what, struct err *err)
{
	int code = sqlite3_exec(db->handle, sql, NULL, NULL, NULL);

	return code == SQLITE_OK || db_fail(db, code, what, err);
}

static bool set_pragma(struct db *db, const char *name, int64_t value, struct err *err)
{
	char sql[64];

	(void)snprintf(sql, sizeof(sql), "pragma %s = %" PRId64, name, value);
	return run_sql(db, sql, sql, err);
}

/* The path as a URI with its mode. Escapes the bytes that have a meaning in a URI. */
static char *uri_of(const char *path, const char *mode)
{
	static const char hex[] = "0123456789ABCDEF";
	char *uri = xmalloc(strlen(path) * 3 + strlen(mode) + sizeof("file:?"));
	char *at = stpcpy(uri, "file:");

	for (; *path; path++) {
		unsigned char byte = (unsigned char)*path;

		if (byte == '%' || byte == '?' || byte == '#') {
			*at++ = '%';
			*at++ = hex[byte >> 4];
			*at++ = hex[byte & 15];
		} else {
			*at++ = *path;
		}
	}
	*at++ = '?';
	memcpy(at, mode, strlen(mode) + 1);
	return uri;
}

static const char *vfs_of(const struct db *db, enum db_mode mode)
{
	if (db->gcm)
		return db_cipher_vfs(mode == DB_PEEK);
	return mode == DB_PEEK ? db_peek_vfs() : NULL;
}

/* Opening a pipe or a device could block. */
static bool check_regular_files(const char *path, struct err *err)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		CLEANUP(freep) char *name = str_printf("%s%s", path, suffixes[i]);
		struct stat st; /* one call: -wal and -shm may vanish at any time */

		if (stat(name, &st) == 0 && !S_ISREG(st.st_mode))
			return err_set(err, ERR_CORRUPT, "%s: is not a regular file", name);
	}
	return true;
}

static bool open_handle(struct db *db, enum db_mode mode, struct err *err)
{
	static const struct {
		const char *uri;
		int flags;
	} ways[] = {
		[DB_READ] = {"mode=ro", SQLITE_OPEN_READONLY},
		[DB_WRITE] = {"mode=rw", SQLITE_OPEN_READWRITE},
		[DB_CREATE] = {"mode=rwc", SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE},
		[DB_IMMUTABLE] = {"mode=ro&immutable=1", SQLITE_OPEN_READONLY},
		[DB_PEEK] = {"mode=ro", SQLITE_OPEN_READONLY},
	};
	char cipher[DB_CIPHER_PARAMETER_MAX] = "";
	CLEANUP(freep) char *way = NULL;
	CLEANUP(freep) char *uri = NULL;
	int flags =
		ways[mode].flags | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
	int code;

	if (mode != DB_CREATE && !fs_exists(db->path))
		return err_set(err, ERR_NOT_FOUND, "%s: no such file", db->path);
	if (!check_regular_files(db->path, err))
		return false;
	if (db->gcm)
		db_cipher_parameter(db->gcm, cipher);
	way = str_printf("%s%s", ways[mode].uri, cipher);
	uri = uri_of(db->path, way);
	code = sqlite3_open_v2(uri, &db->handle, flags, vfs_of(db, mode));
	return code == SQLITE_OK || db_fail(db, code, "open", err);
}

static int note_wal_size(void *context, sqlite3 *handle, const char *name, int pages)
{
	struct db *db = context;

	(void)handle;
	(void)name;
	db->wal_bytes = DB_WAL_HEADER_BYTES + (uint64_t)pages * WAL_FRAME_BYTES;
	return SQLITE_OK;
}

/* SQLite parses a file's schema before db_check_schema() can refuse it. */
static void limit_sizes(sqlite3 *handle)
{
	static const int limits[][2] = {
		{SQLITE_LIMIT_LENGTH, LENGTH_MAX},
		{SQLITE_LIMIT_SQL_LENGTH, SQL_MAX},
		{SQLITE_LIMIT_COLUMN, COLUMNS_MAX},
		{SQLITE_LIMIT_EXPR_DEPTH, DEPTH_MAX},
		{SQLITE_LIMIT_COMPOUND_SELECT, SELECTS_MAX},
		{SQLITE_LIMIT_ATTACHED, 0},
		{SQLITE_LIMIT_TRIGGER_DEPTH, 0},
		{SQLITE_LIMIT_WORKER_THREADS, 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		(void)sqlite3_limit(handle, limits[i][0], limits[i][1]);
}

/* Protection and limits first: the pragmas after them make SQLite parse the file's schema. */
static bool configure(struct db *db, const struct db_options *options, struct err *err)
{
	sqlite3 *handle = db->handle;

	(void)sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	(void)sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	(void)sqlite3_db_config(handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
	limit_sizes(handle);
	(void)sqlite3_busy_timeout(handle, options->busy_timeout_ms);
	if (options->mode == DB_PEEK &&
		!run_sql(db, "pragma locking_mode = exclusive", "exclusive", err))
		return false;
	if (options->cache_kib > 0 && !set_pragma(db, "cache_size", -options->cache_kib, err))
		return false;
	if (!run_sql(db,
		    "pragma cell_size_check = on; pragma mmap_size = 0;"
		    "pragma temp_store = memory; pragma wal_autocheckpoint = 0",
		    "configure", err) ||
		!set_pragma(db, "secure_delete", options->secure_delete, err) ||
		!set_pragma(db, "synchronous",
			options->full_sync ? SYNCHRONOUS_FULL : SYNCHRONOUS_NORMAL, err))
		return false;
	(void)sqlite3_wal_hook(handle, note_wal_size, db);
	return true;
}

static bool read_number(struct db *db, const char *sql, int64_t *ret_number, struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	int code = sqlite3_prepare_v2(db->handle, sql, -1, &stmt, NULL);

	if (code == SQLITE_OK)
		code = sqlite3_step(stmt);
	if (code != SQLITE_ROW) {
		(void)db_fail(db, code, sql, err);
		(void)sqlite3_finalize(stmt);
		return false;
	}
	*ret_number = sqlite3_column_int64(stmt, 0);
	(void)sqlite3_finalize(stmt);
	return true;
}

static bool check_kind(struct db *db, int64_t *ret_version, struct err *err)
{
	int64_t id;

	if (!read_number(db, "pragma application_id", &id, err) ||
		!read_number(db, "pragma user_version", ret_version, err))
		return false;
	if (id != db->kind->application_id)
		return err_set(err, ERR_CORRUPT,
			"%s: is not a mailstow %s (application id %" PRId64 ", expected %" PRIu32
			")",
			db->path, db->kind->name, id, db->kind->application_id);
	if (*ret_version < 1)
		return err_set(err, ERR_CORRUPT,
			"%s: has version %" PRId64 ", but the versions of a %s begin at 1",
			db->path, *ret_version, db->kind->name);
	if (*ret_version > db->kind->version)
		return err_set(err, ERR_NEWER,
			"%s: written by a newer mailstow (%s version %" PRId64
			", this program knows up to %" PRIu32 "); update mailstow",
			db->path, db->kind->name, *ret_version, db->kind->version);
	return true;
}

static bool file_missing(const char *path, const char *suffix)
{
	CLEANUP(freep) char *name = str_printf("%s%s", path, suffix);

	return !fs_exists(name);
}

/* SQLite would play the journal back, and remove the file that the journal names. */
static bool check_no_journal(const struct db *db, struct err *err)
{
	return file_missing(db->path, "-journal") ||
	       err_set(err, ERR_CORRUPT,
		       "%s-journal: mailstow never leaves such a file; another program changed "
		       "the database",
		       db->path);
}

/* The version is set in the same transaction: a crash leaves the old schema with the old version.
 */
static bool migrate(struct db *db, int64_t version, struct err *err)
{
	assert(db_in_transaction(db) && version <= db->kind->version);
	for (int64_t next = version; next < db->kind->version; next++)
		if (!run_sql(db, db->kind->migrations[next], "migrate", err))
			return false;
	return set_pragma(db, "user_version", db->kind->version, err);
}

static struct db *new_db(const char *path, const struct db_options *options)
{
	struct db *db = xcalloc(1, sizeof(*db));

	db->path = xstrdup(path);
	db->kind = options->kind;
	db->statements = xcalloc(db->kind->queries_count, sizeof(*db->statements));
	db->busy_timeout_ms = options->busy_timeout_ms;
	db->gcm = options->key ? gcm_new(options->key) : NULL;
	return db;
}

/* --- a new file --- */

/* Room for nonce and tag at the end of every page, and no journal but the WAL. */
static bool reserve_bytes(struct db *db, struct err *err)
{
	int bytes = DB_CIPHER_RESERVED_BYTES;
	int code;

	if (!db->gcm)
		return true;
	code = sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_RESERVE_BYTES, &bytes);
	return (code == SQLITE_OK || db_fail(db, code, "reserve bytes", err)) &&
	       run_sql(db, "pragma journal_mode = memory", "journal", err);
}

static bool fill_new(struct db *db, const struct db_options *options, struct err *err)
{
	if (!reserve_bytes(db, err) ||
		!run_sql(db, "pragma page_size = 4096; pragma journal_mode = wal", "wal", err) ||
		!db_prepare_own(db, err) || !db_begin(db, err))
		return false;
	if (!set_pragma(db, "application_id", db->kind->application_id, err) ||
		!migrate(db, 0, err))
		return false;
	if (options->init && !options->init(options->init_context, db, err))
		return false;
	/* the file is renamed without its -wal, so it must be complete alone */
	return db_commit(db, err) && db_wal_checkpoint(db, true, err);
}

static bool create_at(const char *path, const struct db_options *options, struct err *err)
{
	CLEANUP(db_freep) struct db *db = new_db(path, options);
	struct db_options durable = *options;

	durable.full_sync = true;
	return open_handle(db, DB_CREATE, err) && configure(db, &durable, err) &&
	       fill_new(db, options, err);
}

/*
 * Creates the database beside its place and renames it, so that path is always whole or missing.
 * A crash before the rename leaves only path + ".new", which the next attempt removes. An orphaned
 * -wal at path is removed before the rename: SQLite would take it for the new database's.
 */
static bool create_whole(const char *path, const struct db_options *options, struct err *err)
{
	CLEANUP(freep) char *temporary = str_printf("%s.new", path);

	return fs_remove(temporary, err) && db_remove_wal(temporary, err) &&
	       create_at(temporary, options, err) && db_remove_wal(temporary, err) &&
	       fs_chmod(temporary, FILE_MODE, err) && db_remove_wal(path, err) &&
	       fs_rename(temporary, path, err);
}

/* --- an existing file --- */

static bool migrate_old(struct db *db, enum db_mode mode, int64_t version, struct err *err)
{
	if (version == db->kind->version)
		return true;
	if (mode != DB_WRITE && mode != DB_CREATE)
		return err_set(err, ERR_LOCAL,
			"%s: written by an older mailstow (version %" PRId64
			"); the next command that writes to it updates it",
			db->path, version);
	if (!db_begin(db, err) || !migrate(db, version, err)) {
		db_rollback(db);
		return false;
	}
	return db_commit(db, err);
}

bool db_open(
	const char *path, const struct db_options *options, struct db **ret_db, struct err *err)
{
	CLEANUP(db_freep) struct db *db = new_db(path, options);
	bool writes = options->mode == DB_WRITE || options->mode == DB_CREATE;
	bool new_wal = file_missing(path, "-wal");
	int64_t version;

	if (options->mode == DB_CREATE && !fs_exists(path) && !create_whole(path, options, err))
		return false;
	if (!check_no_journal(db, err) || !open_handle(db, options->mode, err) ||
		!configure(db, options, err) || !check_kind(db, &version, err) ||
		!db_check_schema(db, version, err) || !db_prepare_own(db, err) ||
		!migrate_old(db, options->mode, version, err))
		return false;
	/* a commit is durable only if the name of the -wal that holds it survives a power cut */
	if (writes && new_wal && !fs_sync_parent(path, err))
		return false;
	db->wal_bytes = db_wal_file_bytes(db);
	*ret_db = TAKE(db);
	return true;
}

/* --- integrity --- */

/* SQLite's findings hold line ends; an error text is one line. */
static bool damaged(const struct db *db, const char *finding, struct err *err)
{
	CLEANUP(freep) char *words = xstrdup(finding);

	for (char *c = words; *c; c++)
		if (*c == '\n')
			*c = ' ';
	return err_set(err, ERR_CORRUPT, "%s: %s", db->path, words);
}

bool db_integrity_check(struct db *db, struct err *err)
{
	sqlite3_stmt *stmt = NULL;
	const char *finding;
	int code = db_prepare(db, "pragma integrity_check(1)", &stmt);

	if (code == SQLITE_OK)
		code = sqlite3_step(stmt);
	finding = code == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0) : NULL;
	if (!finding)
		(void)db_fail(db, code, "integrity_check", err);
	else if (strcmp(finding, "ok") != 0)
		(void)damaged(db, finding, err);
	code = finding && strcmp(finding, "ok") == 0;
	(void)sqlite3_finalize(stmt);
	return code;
}
