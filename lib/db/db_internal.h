/*
 * Inside lib/db: struct db, SQLite's errors as ours, and the VFSes.
 */
#ifndef MAILSTOW_DB_DB_INTERNAL_H
#define MAILSTOW_DB_DB_INTERNAL_H

#include <string.h>

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

/* --- pages and WAL frames (https://sqlite.org/fileformat2.html) --- */

enum {
	DB_PAGE_BYTES = 4096,
	DB_WAL_HEADER_BYTES = 32,
	DB_WAL_FRAME_HEADER_BYTES = 24, /* begins with the page number */
};

static inline uint32_t db_page_number(const uint8_t *frame_header)
{
	return (uint32_t)frame_header[0] << 24 | (uint32_t)frame_header[1] << 16 |
	       (uint32_t)frame_header[2] << 8 | frame_header[3];
}

/* A page that was never written is all zeros. */
static inline bool db_page_is_blank(const uint8_t *page)
{
	return page[0] == 0 && memcmp(page, page + 1, DB_PAGE_BYTES - 1) == 0;
}

/* --- vfs_peek.c --- */

/* Name of the VFS for databases that nobody writes: no locks, no -shm. */
const char *db_peek_vfs(void);

/* --- vfs_cipher.c --- */

enum {
	DB_CIPHER_RESERVED_BYTES = GCM_NONCE_BYTES + GCM_TAG_BYTES, /* at the end of each page */
	DB_CIPHER_PARAMETER_MAX = 64,
};

/* Name of the VFS that encrypts pages, over the peek VFS or over SQLite's default. */
const char *db_cipher_vfs(bool peek);

/* URI parameter by which the VFS finds its key, to be put after the mode. gcm must outlive the
 * connection. */
void db_cipher_parameter(const struct gcm *gcm, char out[DB_CIPHER_PARAMETER_MAX]);

/* Decrypts a page of DB_PAGE_BYTES in place; a blank page stays as it is. False: another key,
 * another page's content, or damage. */
bool db_cipher_decrypt_page(struct gcm *gcm, uint32_t number, uint8_t *page);

#endif
