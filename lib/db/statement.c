#include <assert.h>
#include <errno.h>
#include <string.h>

#include "db/db_internal.h"

static enum err_kind kind_of(const struct db *db, int code)
{
	int errno_value;

	switch (code & 0xff) {
	case SQLITE_NOTADB:
	case SQLITE_CORRUPT:
	case SQLITE_CONSTRAINT: /* a record contradicts the rows that are there */
	case SQLITE_TOOBIG:     /* mailstow writes nothing that long */
		return ERR_CORRUPT;
	case SQLITE_FULL:
		return ERR_NO_SPACE;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return ERR_BUSY;
	case SQLITE_IOERR:
	case SQLITE_CANTOPEN:
		errno_value = db->handle ? sqlite3_system_errno(db->handle) : 0;
		if (errno_value == ENOSPC || errno_value == EDQUOT)
			return ERR_NO_SPACE;
		return ERR_LOCAL;
	default:
		return ERR_LOCAL;
	}
}

bool db_fail(const struct db *db, int code, const char *action, struct err *err)
{
	const char *text = db->handle ? sqlite3_errmsg(db->handle) : sqlite3_errstr(code);

	return err_set(err, kind_of(db, code), "%s: %s: %s", db->path, action, text);
}

int db_prepare(struct db *db, const char *sql, sqlite3_stmt **ret_stmt)
{
	return sqlite3_prepare_v3(db->handle, sql, -1, SQLITE_PREPARE_PERSISTENT, ret_stmt, NULL);
}

/* A statement that was prepared; NULL if preparing failed or nothing bound or stepped it yet. */
static sqlite3_stmt *statement(const struct db *db, size_t query)
{
	assert(query < db->kind->queries_count);
	return db->statements[query].stmt;
}

/* Prepares the statement at its first use. NULL if that fails; its step reports why. The schema was
 * compared at opening, so only damage or lack of memory can be the cause. */
static sqlite3_stmt *prepared(struct db *db, size_t query)
{
	struct db_statement *own = &db->statements[query];

	assert(query < db->kind->queries_count);
	if (!own->stmt && own->code == SQLITE_OK)
		own->code = db_prepare(db, db->kind->queries[query].sql, &own->stmt);
	return own->stmt;
}

static int parameter(sqlite3_stmt *stmt, const char *name)
{
	char full[64];
	size_t len = strlen(name);
	int index;

	assert(len + 2 <= sizeof(full));
	full[0] = ':';
	memcpy(full + 1, name, len + 1);
	index = sqlite3_bind_parameter_index(stmt, full);
	assert(index > 0);
	return index;
}

/* Binding fails only for a wrong index, a statement in use or a value over SQLITE_LIMIT_LENGTH, all
 * of them bugs of the caller. */
static void assert_ok(int code)
{
	assert(code == SQLITE_OK);
	(void)code;
}

void db_bind_int(struct db *db, size_t query, const char *name, int64_t value)
{
	sqlite3_stmt *stmt = prepared(db, query);

	if (stmt)
		assert_ok(sqlite3_bind_int64(stmt, parameter(stmt, name), value));
}

void db_bind_text(struct db *db, size_t query, const char *name, const char *text)
{
	db_bind_text_len(db, query, name, text, strlen(text));
}

void db_bind_text_len(struct db *db, size_t query, const char *name, const char *text, size_t len)
{
	sqlite3_stmt *stmt = prepared(db, query);

	if (stmt)
		assert_ok(sqlite3_bind_text64(
			stmt, parameter(stmt, name), text, len, SQLITE_STATIC, SQLITE_UTF8));
}

void db_bind_blob(struct db *db, size_t query, const char *name, const void *data, size_t len)
{
	sqlite3_stmt *stmt = prepared(db, query);

	if (stmt)
		assert_ok(sqlite3_bind_blob64(
			stmt, parameter(stmt, name), len ? data : "", len, SQLITE_STATIC));
}

bool db_step(struct db *db, size_t query, bool *ret_row, struct err *err)
{
	sqlite3_stmt *stmt = prepared(db, query);
	int code = stmt ? sqlite3_step(stmt) : db->statements[query].code;

	if (code == SQLITE_ROW) {
		*ret_row = true;
		return true;
	}
	if (code != SQLITE_DONE) {
		(void)db_fail(db, code, db->kind->queries[query].name, err);
		db_reset(db, query);
		return false;
	}
	db_reset(db, query);
	*ret_row = false;
	return true;
}

bool db_run(struct db *db, size_t query, struct err *err)
{
	bool row = true;

	while (row)
		if (!db_step(db, query, &row, err))
			return false;
	return true;
}

void db_reset(struct db *db, size_t query)
{
	sqlite3_stmt *stmt = statement(db, query);

	db->statements[query].code = SQLITE_OK;
	if (!stmt)
		return;
	(void)sqlite3_reset(stmt); /* repeats the result of the last step */
	(void)sqlite3_clear_bindings(stmt);
}

int64_t db_int(struct db *db, size_t query, int column)
{
	return sqlite3_column_int64(statement(db, query), column);
}

bool db_is_null(struct db *db, size_t query, int column)
{
	return sqlite3_column_type(statement(db, query), column) == SQLITE_NULL;
}

bool db_is_int(struct db *db, size_t query, int column)
{
	return sqlite3_column_type(statement(db, query), column) == SQLITE_INTEGER;
}

const char *db_text(struct db *db, size_t query, int column)
{
	const unsigned char *text = sqlite3_column_text(statement(db, query), column);

	return text ? (const char *)text : "";
}

const void *db_blob(struct db *db, size_t query, int column, size_t *ret_len)
{
	sqlite3_stmt *stmt = statement(db, query);
	const void *data = sqlite3_column_blob(stmt, column);

	*ret_len = data ? (size_t)sqlite3_column_bytes(stmt, column) : 0;
	return data ? data : "";
}

static bool same_value(sqlite3_value *a, sqlite3_value *b)
{
	int type = sqlite3_value_type(a);
	int len;

	if (type != sqlite3_value_type(b))
		return false;
	if (type == SQLITE_INTEGER)
		return sqlite3_value_int64(a) == sqlite3_value_int64(b);
	if (type == SQLITE_NULL)
		return true;
	len = sqlite3_value_bytes(a);
	return len == sqlite3_value_bytes(b) &&
	       (len == 0 || memcmp(sqlite3_value_blob(a), sqlite3_value_blob(b), (size_t)len) == 0);
}

bool db_same_columns(sqlite3_stmt *a, sqlite3_stmt *b)
{
	int columns = sqlite3_column_count(a);

	for (int i = 0; i < columns; i++)
		if (!same_value(sqlite3_column_value(a, i), sqlite3_column_value(b, i)))
			return false;
	return true;
}

bool db_same_row(struct db *a, struct db *b, size_t query)
{
	assert(a->kind == b->kind);
	return db_same_columns(statement(a, query), statement(b, query));
}

/* --- transactions --- */

bool db_prepare_own(struct db *db, struct err *err)
{
	static const char *const texts[DB_OWN_QUERIES] = {
		[DB_BEGIN] = "begin immediate",
		[DB_BEGIN_READ] = "begin",
		[DB_PIN] = "pragma schema_version",
		[DB_COMMIT] = "commit",
		[DB_ROLLBACK] = "rollback",
	};

	for (size_t i = 0; i < DB_OWN_QUERIES; i++) {
		int code = db_prepare(db, texts[i], &db->own[i]);

		if (code != SQLITE_OK)
			return db_fail(db, code, texts[i], err);
	}
	return true;
}

static bool run_own(struct db *db, enum db_own_query query, const char *what, struct err *err)
{
	int code = sqlite3_step(db->own[query]);

	(void)sqlite3_reset(db->own[query]);
	if (code != SQLITE_DONE && code != SQLITE_ROW)
		return db_fail(db, code, what, err);
	return true;
}

bool db_begin(struct db *db, struct err *err)
{
	return run_own(db, DB_BEGIN, "begin", err);
}

/* SQLite fixes the state that a read transaction sees at its first read. DB_PIN reads at once. */
bool db_begin_read(struct db *db, struct err *err)
{
	if (!run_own(db, DB_BEGIN_READ, "begin", err))
		return false;
	if (run_own(db, DB_PIN, "begin", err))
		return true;
	db_rollback(db);
	return false;
}

void db_end_read(struct db *db)
{
	db_rollback(db);
}

bool db_commit(struct db *db, struct err *err)
{
	if (run_own(db, DB_COMMIT, "commit", err))
		return true;
	db_rollback(db);
	return false;
}

void db_rollback(struct db *db)
{
	if (db_in_transaction(db))
		(void)run_own(db, DB_ROLLBACK, "rollback", NULL);
}

bool db_in_transaction(const struct db *db)
{
	return sqlite3_get_autocommit(db->handle) == 0;
}

int64_t db_last_row_id(const struct db *db)
{
	return sqlite3_last_insert_rowid(db->handle);
}

int64_t db_changes(const struct db *db)
{
	return sqlite3_changes64(db->handle);
}
