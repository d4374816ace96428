/*
 * Inside lib/db: struct db, and SQLite's errors as ours.
 */
#ifndef MAILSTOW_DB_DB_INTERNAL_H
#define MAILSTOW_DB_DB_INTERNAL_H

#include <sqlite3.h>

#include "base/crypto.h"
#include "db/db.h"

/* Statements that every database has beside those of its kind. */
enum db_own_query { DB_BEGIN, DB_BEGIN_READ, DB_PIN, DB_COMMIT, DB_ROLLBACK, DB_OWN_QUERIES };

/* Prepared at its first bind or step: most runs use few of a kind's statements. */
struct db_statement {
	sqlite3_stmt *stmt; /* NULL: not prepared yet */
	int code;           /* why preparing failed; the next step reports it */
};

struct db {
	sqlite3 *handle;
	char *path;
	const struct db_kind *kind;
	struct db_statement *statements; /* kind->queries_count many */
	sqlite3_stmt *own[DB_OWN_QUERIES];
	int busy_timeout_ms;
	uint64_t wal_bytes; /* not yet moved by a WAL checkpoint */
	struct gcm *gcm;    /* NULL: pages are plain */
};

/* --- statement.c --- */

/* Sets err from an SQLite result code. action: the statement or step that failed. Returns false. */
bool db_fail(const struct db *db, int code, const char *action, struct err *err);

/* Prepares a statement that will run often. Returns SQLite's result code. */
int db_prepare(struct db *db, const char *sql, sqlite3_stmt **ret_stmt);

/* Prepares the statements of enum db_own_query. */
bool db_prepare_own(struct db *db, struct err *err);

/* Do the current rows of both statements hold the same values? They have as many columns. */
bool db_same_columns(sqlite3_stmt *a, sqlite3_stmt *b);

/* --- schema.c --- */

/* Compares the schema, to the letter, with the one that the migrations up to version create.
 * ERR_CORRUPT names the first difference, such as a trigger or a view in place of a table. */
bool db_check_schema(struct db *db, int64_t version, struct err *err);

#endif
