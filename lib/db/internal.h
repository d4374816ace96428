/*
 * Inside lib/db: what a struct db is made of, and errors of SQLite as ours.
 */
#ifndef MAILSTOW_DB_INTERNAL_H
#define MAILSTOW_DB_INTERNAL_H

#include <sqlite3.h>

#include "base/crypto.h"
#include "db/db.h"

/* Statements every database has, beside those of its kind. */
enum db_own_query { DB_BEGIN, DB_BEGIN_READ, DB_PIN, DB_COMMIT, DB_ROLLBACK, DB_OWN_QUERIES };

/* Prepared when it is first bound or run: few of all are, each time a database is opened. */
struct db_statement {
	sqlite3_stmt *stmt; /* NULL: not yet */
	int code;           /* why it could not be; the next step tells */
};

struct db {
	sqlite3 *handle;
	char *path;
	const struct db_kind *kind;
	struct db_statement *statements; /* kind->queries_count many */
	sqlite3_stmt *own[DB_OWN_QUERIES];
	int busy_timeout_ms;
	uint64_t wal_bytes;
	struct gcm *gcm; /* NULL: pages are plain */
};

/* Set err from the result code of a call on db; what: the statement or act. Returns false. */
bool db_fail(const struct db *db, int code, const char *what, struct err *err);

/* A statement that is run often. The result code. */
int db_prepare(struct db *db, const char *sql, sqlite3_stmt **ret_stmt);

/* Is its schema, to the letter, what the migrations up to version make (schema.c)? ERR_CORRUPT
 * names the first thing that is another: a trigger, a view in place of a table. */
bool db_check_schema(struct db *db, int64_t version, struct err *err);

/* Do the rows that both stand on have the same values? They have as many columns. */
bool db_same_columns(sqlite3_stmt *a, sqlite3_stmt *b);

/* The name of the VFS that opens databases nobody writes without locks or -shm (peek.c). */
const char *db_peek_vfs(void);

/* The VFS that seals pages (cipher.c), and what to put after a URI's mode so that it finds its key,
 * which must live as long as the connection. */
enum {
	DB_CIPHER_RESERVED_BYTES = GCM_NONCE_BYTES + GCM_TAG_BYTES,
	DB_CIPHER_PARAMETER_MAX = 64,
	DB_CIPHER_PAGE_BYTES = 4096,
};
const char *db_cipher_vfs(bool peek);

/* Is this page of DB_CIPHER_PAGE_BYTES what was sealed under the key? It is opened in place. */
bool db_cipher_open_page(struct gcm *gcm, uint32_t number, uint8_t *page);
void db_cipher_parameter(const struct gcm *gcm, char out[DB_CIPHER_PARAMETER_MAX]);

#endif
