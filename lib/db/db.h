/*
 * The one door to SQLite. A database opens only with a schema that is known to the letter, so that
 * every statement fits it; each is prepared when it is first used. Statements are named by index
 * into a table made from schema's .sql files by tools/embed_sql.py, their parameters by name.
 *
 * A file that may be open here must not be opened by other means in the same process: closing it
 * would drop SQLite's locks (fcntl(2)).
 *
 * One struct db belongs to one thread at a time. Failures: ERR_CORRUPT (not a database, damaged,
 * wrong application id), ERR_NEWER, ERR_NO_SPACE, ERR_BUSY, ERR_NOT_FOUND, ERR_LOCAL.
 */
#ifndef MAILSTOW_DB_DB_H
#define MAILSTOW_DB_DB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct db;

struct db_query {
	const char *name; /* for errors */
	const char *sql;
};

/* What kind of file this is. All text is static (made by tools/embed_sql.py). */
struct db_kind {
	const char *name; /* "volume", "catalogue", "state": for errors */
	uint32_t application_id;
	uint32_t version; /* user_version of this program */
	const char *const
		*migrations; /* [0] makes version 1, [1] makes 2 of 1, ...; `version` many */
	const struct db_query *queries;
	size_t queries_count;
};

enum db_mode {
	DB_READ,      /* must exist; never written */
	DB_WRITE,     /* must exist */
	DB_CREATE,    /* made when missing, folder synced by us (SQLite 3.40 ignores that error) */
	DB_IMMUTABLE, /* never changes again, or lies on read-only media without a -wal */
	DB_PEEK,      /* nobody writes meanwhile: read, WAL included, without even a -shm */
};

struct db_options {
	const struct db_kind *kind;
	enum db_mode mode;
	bool full_sync;      /* synchronous FULL (volumes) rather than NORMAL */
	bool secure_delete;  /* overwrite deleted content (catalogue) */
	int cache_kib;       /* page cache; 0: SQLite's default */
	int busy_timeout_ms; /* waiting for another connection's lock */

	/* 32 bytes: every page is sealed with it, in the file and in the -wal (AES-256-GCM). NULL:
	 * plain. A wrong key, or the other way round, is ERR_CORRUPT. */
	const uint8_t *key;

	/* DB_CREATE: called once, in the transaction that makes a new file. May be NULL. */
	bool (*init)(void *context, struct db *db, struct err *err);
	void *init_context;
};

/*
 * Open (WAL mode, page size 4096, DEFENSIVE, trusted_schema off, cell_size_check on, mmap off,
 * temp_store MEMORY, wal_autocheckpoint off: see db_checkpoint()). A version newer than ours is
 * ERR_NEWER; an older one is migrated in DB_WRITE and DB_CREATE. The file may be anybody's: a
 * schema that is not to the letter the one of its version, or a -journal beside it, is ERR_CORRUPT,
 * and nothing of it was run.
 *
 * A new file is made beside its place (path + ".new") and renamed when complete, so that what
 * stands at path is always whole. Closing never checkpoints and never removes the -wal.
 */
bool db_open(
	const char *path, const struct db_options *options, struct db **ret_db, struct err *err);
void db_freep(struct db **db);

/*
 * Is the database at path sealed under this key (NULL: plain), as far as its first page and its
 * -wal tell? For one of which the key is about to change. A page that was torn in its place stands
 * whole in the -wal. ERR_NOT_FOUND.
 */
bool db_fits_key(const char *path, const uint8_t *key, bool *ret_fits, struct err *err);

const char *db_path(const struct db *db);

/* --- one statement: bind, then run or step; the next use resets it --- */

void db_bind_int(struct db *db, size_t query, const char *name, int64_t value);
/* Text and blobs are not copied: they must live until the statement was run or reset. */
void db_bind_text(struct db *db, size_t query, const char *name, const char *text);
void db_bind_text_len(struct db *db, size_t query, const char *name, const char *text, size_t len);
void db_bind_blob(struct db *db, size_t query, const char *name, const void *data, size_t len);

/* Run to the end, rows ignored, and reset. */
bool db_run(struct db *db, size_t query, struct err *err);

/* *ret_row: there is a row to look at; else the statement is at its end and reset. */
bool db_step(struct db *db, size_t query, bool *ret_row, struct err *err);

/* Leave a row loop early. */
void db_reset(struct db *db, size_t query);

int64_t db_int(struct db *db, size_t query, int column);
bool db_is_null(struct db *db, size_t query, int column);
bool db_is_int(struct db *db, size_t query, int column);
/* Valid until the next step or reset. Never NULL ("" for NULL). */
const char *db_text(struct db *db, size_t query, int column);
const void *db_blob(struct db *db, size_t query, int column, size_t *ret_len);

/* Do the rows that both stand on have the same values? Both ran the same query of one kind. */
bool db_same_row(struct db *a, struct db *b, size_t query);

/* --- transactions --- */

bool db_begin(struct db *db, struct err *err);      /* for writing at once (IMMEDIATE) */
bool db_begin_read(struct db *db, struct err *err); /* one consistent view until db_end_read() */
void db_end_read(struct db *db);
bool db_commit(struct db *db, struct err *err);
void db_rollback(struct db *db); /* nothing to do: nothing done */
bool db_in_transaction(const struct db *db);

int64_t db_last_row_id(const struct db *db);
int64_t db_changes(const struct db *db);

/* Bytes in the -wal that no checkpoint has moved yet (at opening: the size of the file). */
uint64_t db_wal_bytes(const struct db *db);

/* Size of the -wal as it lies there: what the next one who opens has to read. */
uint64_t db_wal_file_bytes(const struct db *db);

/*
 * Move the WAL into the database as far as readers allow; truncate: and make it empty. Readers in
 * the way are not waited for and no error: db_wal_bytes() is 0 afterwards when all was done.
 */
bool db_checkpoint(struct db *db, bool truncate, struct err *err);

/* The same, until the -wal is empty: readers need it for a moment. ERR_BUSY after
 * DB_EMPTY_TRIES pauses of DB_EMPTY_PAUSE_MS. */
enum { DB_EMPTY_TRIES = 20, DB_EMPTY_PAUSE_MS = 100 };
bool db_empty_wal(struct db *db, struct err *err);

/* Does path have a -wal with something in it? */
bool db_has_wal(const char *path);

/* The mode to open a database in that nobody writes meanwhile: nothing on disk changes. */
enum db_mode db_peek_mode(const char *path);

/* Remove the -wal and -shm of a database that is complete without them and never written again. */
bool db_remove_wal(const char *path, struct err *err);

/* PRAGMA integrity_check: ERR_CORRUPT with its first finding. */
bool db_integrity_check(struct db *db, struct err *err);

#endif
