/*
 * A file from an untrusted place may hold triggers and views, which would run when we write and
 * read. So its schema must equal that of a database in memory created by the same migrations.
 */
#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "db/db_internal.h"

enum { NAME_SHOWN_BYTES = 80, KNOWN_MAX = 8 /* each kind and version once */ };

struct schema_rows {
	sqlite3 *handle; /* owned database in memory; NULL: the rows come from the file */
	sqlite3_stmt *stmt;
};

static void schema_rows_free(struct schema_rows *rows)
{
	(void)sqlite3_finalize(rows->stmt);
	(void)sqlite3_close_v2(rows->handle);
}

static int read_rows(sqlite3 *handle, struct schema_rows *rows)
{
	return sqlite3_prepare_v2(handle,
		"select type, name, tbl_name, sql from sqlite_schema order by type, name", -1,
		&rows->stmt, NULL);
}

static int read_expected_rows(const struct db_kind *kind, int64_t version, struct schema_rows *rows)
{
	int code = sqlite3_open_v2(
		":memory:", &rows->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

	for (int64_t i = 0; code == SQLITE_OK && i < version; i++)
		code = sqlite3_exec(rows->handle, kind->migrations[i], NULL, NULL, NULL);
	return code == SQLITE_OK ? read_rows(rows->handle, rows) : code;
}

static bool report_difference(const struct db *db, sqlite3_stmt *row, struct err *err)
{
	const char *type = (const char *)sqlite3_column_text(row, 0);
	const char *name = (const char *)sqlite3_column_text(row, 1);
	CLEANUP(freep)
	char *shown = name ? str_printable(name, strlen(name), NAME_SHOWN_BYTES) : NULL;
	bool known = type && (strcmp(type, "table") == 0 || strcmp(type, "index") == 0 ||
				     strcmp(type, "view") == 0 || strcmp(type, "trigger") == 0);

	return err_set(err, ERR_CORRUPT, "%s: schema differs from that of a %s: %s %s", db->path,
		db->kind->name, known ? type : "entry", shown ? shown : "without a name");
}

static bool compare(struct db *db, sqlite3_stmt *found, sqlite3_stmt *wanted, struct err *err)
{
	for (;;) {
		int code = sqlite3_step(found);
		int wanted_code = sqlite3_step(wanted);

		if (code != SQLITE_ROW && code != SQLITE_DONE)
			return db_fail(db, code, "schema", err);
		if (code == SQLITE_DONE && wanted_code == SQLITE_DONE)
			return true;
		if (code != wanted_code || !db_same_columns(found, wanted))
			return report_difference(db, code == SQLITE_ROW ? found : wanted, err);
	}
}

static bool compare_all(struct db *db, int64_t version, struct err *err)
{
	CLEANUP(schema_rows_free) struct schema_rows found = {0};
	CLEANUP(schema_rows_free) struct schema_rows wanted = {0};
	int code = read_expected_rows(db->kind, version, &wanted);

	if (code != SQLITE_OK)
		return err_set(err, ERR_LOCAL,
			"%s: cannot create the schema of a %s to compare: %s", db->path,
			db->kind->name, sqlite3_errstr(code));
	code = read_rows(db->handle, &found);
	return code == SQLITE_OK ? compare(db, found.stmt, wanted.stmt, err)
				 : db_fail(db, code, "schema", err);
}

/* --- digests of schemas that were compared already, so that each is compared once --- */

struct known_schema {
	const char *const *migrations;
	int64_t version;
	uint8_t sha256[SHA256_BYTES];
};

static pthread_mutex_t known_lock = PTHREAD_MUTEX_INITIALIZER;
static struct known_schema known[KNOWN_MAX];
static size_t known_count;

static bool is_known(const struct known_schema *schema)
{
	bool found = false;

	(void)pthread_mutex_lock(&known_lock);
	for (size_t i = 0; i < known_count && !found; i++)
		found = known[i].migrations == schema->migrations &&
			known[i].version == schema->version &&
			memcmp(known[i].sha256, schema->sha256, SHA256_BYTES) == 0;
	(void)pthread_mutex_unlock(&known_lock);
	return found;
}

static void remember(const struct known_schema *schema)
{
	(void)pthread_mutex_lock(&known_lock);
	if (known_count < KNOWN_MAX)
		known[known_count++] = *schema;
	(void)pthread_mutex_unlock(&known_lock);
}

static void add_row(struct sha256 *sha256, sqlite3_stmt *row)
{
	for (int i = 0; i < sqlite3_column_count(row); i++) {
		const void *data = sqlite3_column_blob(row, i);
		int facts[] = {sqlite3_column_type(row, i), sqlite3_column_bytes(row, i)};

		sha256_add(sha256, facts, sizeof(facts));
		sha256_add(sha256, data ? data : "", (size_t)facts[1]);
	}
}

static bool digest(struct db *db, uint8_t out[SHA256_BYTES], struct err *err)
{
	CLEANUP(schema_rows_free) struct schema_rows rows = {0};
	CLEANUP(sha256_freep) struct sha256 *sha256 = sha256_new();
	int code = read_rows(db->handle, &rows);

	while (code == SQLITE_OK || code == SQLITE_ROW) {
		code = sqlite3_step(rows.stmt);
		if (code == SQLITE_ROW)
			add_row(sha256, rows.stmt);
	}
	sha256_finish(sha256, out);
	return code == SQLITE_DONE || db_fail(db, code, "schema", err);
}

bool db_check_schema(struct db *db, int64_t version, struct err *err)
{
	struct known_schema schema = {.migrations = db->kind->migrations, .version = version};

	if (!digest(db, schema.sha256, err))
		return false;
	if (is_known(&schema))
		return true;
	if (!compare_all(db, version, err))
		return false;
	remember(&schema);
	return true;
}
