#include "db/db.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "archive/catalogue/catalogue_sql.h"
#include "archive/volume/volume_sql.h"
#include "base/fs.h"
#include "base/str.h"
#include "db/db_internal.h"
#include "restore/upload/restore_sql.h"
#include "state/state_sql.h"
#include "support/check.h"

static const struct db_kind *const kinds[] = {
	&volume_kind, &catalogue_kind, &state_kind, &restore_kind};

static bool open_as(const char *path, const struct db_kind *kind, enum db_mode mode,
	struct db **ret_db, struct err *err)
{
	const struct db_options options = {.kind = kind, .mode = mode};

	return db_open(path, &options, ret_db, err);
}

static char *temp_path(const char *name)
{
	return str_printf("%s/%s", check_temp_dir(), name);
}

static int prepare(struct db *db, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	int code = db_prepare(db, sql, &stmt);

	(void)sqlite3_finalize(stmt);
	return code;
}

static void every_statement_of_every_kind_can_be_prepared(void)
{
	for (size_t i = 0; i < ARRAY_LEN(kinds); i++) {
		CLEANUP(freep) char *path = temp_path(kinds[i]->name);
		CLEANUP(db_freep) struct db *db = NULL;
		struct err err = ERR_INIT;

		CHECK_OK(open_as(path, kinds[i], DB_CREATE, &db, &err));
		CHECK_OK(db_integrity_check(db, &err));
		for (size_t query = 0; query < kinds[i]->queries_count; query++)
			CHECK_INT(prepare(db, kinds[i]->queries[query].sql), SQLITE_OK);
	}
}

static void header_put(struct db *db, const char *key, const char *value)
{
	struct err err = ERR_INIT;

	db_bind_text(db, VOLUME_HEADER_PUT, "key", key);
	db_bind_blob(db, VOLUME_HEADER_PUT, "value", value, strlen(value));
	CHECK_OK(db_run(db, VOLUME_HEADER_PUT, &err));
}

static bool header_has(struct db *db, const char *key, const char *value)
{
	struct err err = ERR_INIT;
	const void *data;
	size_t len;
	bool row;
	bool same;

	db_bind_text(db, VOLUME_HEADER_GET, "key", key);
	CHECK_OK(db_step(db, VOLUME_HEADER_GET, &row, &err));
	if (!row)
		return false;
	data = db_blob(db, VOLUME_HEADER_GET, 0, &len);
	same = len == strlen(value) && memcmp(data, value, len) == 0;
	db_reset(db, VOLUME_HEADER_GET);
	return same;
}

static void a_statement_that_fails_to_prepare_reports_it_and_is_retried(void)
{
	enum { TOO_SHORT = 8 };
	CLEANUP(freep) char *path = temp_path("unprepared");
	CLEANUP(db_freep) struct db *db = NULL;
	struct err err = ERR_INIT;
	int usual;

	CHECK_OK(open_as(path, &volume_kind, DB_CREATE, &db, &err));
	usual = sqlite3_limit(db->handle, SQLITE_LIMIT_SQL_LENGTH, TOO_SHORT);
	db_reset(db, VOLUME_HEADER_PUT);
	db_bind_text(db, VOLUME_HEADER_PUT, "key", "k");
	(void)sqlite3_limit(db->handle, SQLITE_LIMIT_SQL_LENGTH, usual);
	db_bind_blob(db, VOLUME_HEADER_PUT, "value", "v", 1);
	CHECK(!db_run(db, VOLUME_HEADER_PUT, &err));
	CHECK_INT(err.kind, ERR_CORRUPT);
	CHECK(strstr(err.text, "header_put") != NULL);
	header_put(db, "k", "v");
	CHECK(header_has(db, "k", "v"));
}

static void others_see_a_transaction_once_it_is_committed(void)
{
	CLEANUP(freep) char *path = temp_path("seen");
	CLEANUP(db_freep) struct db *writer = NULL;
	CLEANUP(db_freep) struct db *reader = NULL;
	struct err err = ERR_INIT;

	CHECK_OK(open_as(path, &volume_kind, DB_CREATE, &writer, &err));
	CHECK_OK(open_as(path, &volume_kind, DB_READ, &reader, &err));
	CHECK_OK(db_begin(writer, &err));
	header_put(writer, "a", "1");
	CHECK(!header_has(reader, "a", "1"));
	CHECK_OK(db_begin_read(reader, &err));
	CHECK_OK(db_commit(writer, &err));
	CHECK(!header_has(reader, "a", "1"));
	db_end_read(reader);
	CHECK(header_has(reader, "a", "1"));
	CHECK_OK(db_begin(writer, &err));
	header_put(writer, "b", "2");
	db_rollback(writer);
	CHECK(!header_has(writer, "b", "2"));
}

static void a_missing_file_is_not_found(void)
{
	CLEANUP(freep) char *path = temp_path("missing");
	struct db *db = NULL;
	struct err err = ERR_INIT;

	CHECK(!open_as(path, &volume_kind, DB_WRITE, &db, &err));
	CHECK_INT(err.kind, ERR_NOT_FOUND);
	CHECK(!db && !fs_exists(path));
}

static void another_kind_of_file_is_refused(void)
{
	CLEANUP(freep) char *path = temp_path("other");
	struct db *db = NULL;
	struct err err = ERR_INIT;

	CHECK_OK(open_as(path, &volume_kind, DB_CREATE, &db, &err));
	db_freep(&db);
	CHECK(!open_as(path, &catalogue_kind, DB_READ, &db, &err));
	CHECK_INT(err.kind, ERR_CORRUPT);
}

static void a_file_that_is_no_database_is_refused(void)
{
	CLEANUP(freep) char *path = temp_path("noise");
	char noise[8192];
	struct db *db = NULL;
	struct err err = ERR_INIT;

	memset(noise, 'x', sizeof(noise));
	CHECK_OK(fs_write_atomic(path, noise, sizeof(noise), 0600, &err));
	CHECK(!open_as(path, &volume_kind, DB_WRITE, &db, &err));
	CHECK_INT(err.kind, ERR_CORRUPT);
}

static struct db_kind newer_kind(void)
{
	static const char *two_migrations[2] = {NULL, "create table later (a integer)"};
	struct db_kind newer = volume_kind;

	two_migrations[0] = volume_kind.migrations[0];
	newer.version = 2;
	newer.migrations = two_migrations;
	return newer;
}

static void a_newer_version_is_refused(void)
{
	CLEANUP(freep) char *path = temp_path("newer");
	struct db_kind newer = newer_kind();
	struct db *db = NULL;
	struct err err = ERR_INIT;

	CHECK_OK(open_as(path, &newer, DB_CREATE, &db, &err));
	db_freep(&db);
	CHECK(!open_as(path, &volume_kind, DB_WRITE, &db, &err));
	CHECK_INT(err.kind, ERR_NEWER);
	CHECK(strstr(err.text, "newer mailstow") != NULL);
}

static void an_older_version_is_migrated_by_a_writer(void)
{
	CLEANUP(freep) char *path = temp_path("older");
	struct db_kind newer = newer_kind();
	struct db *db = NULL;
	struct err err = ERR_INIT;

	CHECK_OK(open_as(path, &volume_kind, DB_CREATE, &db, &err));
	header_put(db, "kept", "yes");
	db_freep(&db);
	CHECK(!open_as(path, &newer, DB_READ, &db, &err));
	CHECK_OK(open_as(path, &newer, DB_WRITE, &db, &err));
	CHECK(header_has(db, "kept", "yes"));
	db_freep(&db);
	CHECK_OK(open_as(path, &newer, DB_READ, &db, &err));
	db_freep(&db);
}

static struct stat stat_of(const char *path, const char *suffix)
{
	CLEANUP(freep) char *name = str_printf("%s%s", path, suffix);
	struct stat st;

	memset(&st, 0, sizeof(st));
	CHECK(stat(name, &st) == 0);
	return st;
}

static void peeking_sees_the_wal_and_touches_nothing(void)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};
	CLEANUP(freep) char *path = temp_path("peek");
	struct stat before[ARRAY_LEN(suffixes)];
	struct db *db = NULL;
	struct err err = ERR_INIT;

	CHECK_OK(open_as(path, &volume_kind, DB_CREATE, &db, &err));
	header_put(db, "a", "1");
	db_freep(&db);
	CHECK(db_has_wal(path));
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++)
		before[i] = stat_of(path, suffixes[i]);
	CHECK_OK(open_as(path, &volume_kind, DB_PEEK, &db, &err));
	CHECK(header_has(db, "a", "1"));
	db_freep(&db);
	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		struct stat after = stat_of(path, suffixes[i]);

		CHECK_INT(after.st_size, before[i].st_size);
		CHECK(memcmp(&after.st_mtim, &before[i].st_mtim, sizeof(after.st_mtim)) == 0);
	}
}

static void peeking_notices_a_restarted_wal(void)
{
	CLEANUP(freep) char *path = temp_path("restarted");
	CLEANUP(db_freep) struct db *writer = NULL;
	CLEANUP(db_freep) struct db *peek = NULL;
	struct err err = ERR_INIT;
	bool row;

	CHECK_OK(open_as(path, &volume_kind, DB_CREATE, &writer, &err));
	header_put(writer, "a", "1");
	CHECK_OK(open_as(path, &volume_kind, DB_PEEK, &peek, &err));
	CHECK_OK(db_wal_checkpoint(writer, false, &err));
	for (int i = 0; i < 3; i++) {
		CLEANUP(freep) char *key = str_printf("k%d", i);

		header_put(writer, key, "2");
	}
	db_bind_text(peek, VOLUME_HEADER_GET, "key", "a");
	CHECK(!db_step(peek, VOLUME_HEADER_GET, &row, &err));
}

static void a_wal_checkpoint_empties_the_wal(void)
{
	CLEANUP(freep) char *path = temp_path("wal");
	CLEANUP(db_freep) struct db *db = NULL;
	struct err err = ERR_INIT;

	CHECK_OK(open_as(path, &volume_kind, DB_CREATE, &db, &err));
	header_put(db, "a", "1");
	CHECK(db_wal_bytes(db) > 0);
	CHECK_OK(db_wal_checkpoint(db, true, &err));
	CHECK_INT(db_wal_bytes(db), 0);
	CHECK(!db_has_wal(path));
}

/* Somebody removed the database and not its -wal, or was interrupted in between. */
static void a_new_database_ignores_a_wal_left_by_another(void)
{
	CLEANUP(freep) char *path = temp_path("left");
	CLEANUP(db_freep) struct db *db = NULL;
	struct err err = ERR_INIT;

	CHECK_OK(open_as(path, &volume_kind, DB_CREATE, &db, &err));
	header_put(db, "key", "old");
	db_freep(&db);
	CHECK(db_has_wal(path));
	CHECK_OK(fs_remove(path, &err));
	CHECK_OK(open_as(path, &volume_kind, DB_CREATE, &db, &err));
	CHECK(!header_has(db, "key", "old"));
	CHECK_OK(db_integrity_check(db, &err));
}

static void a_path_may_hold_the_special_characters_of_uris(void)
{
	CLEANUP(freep) char *path = temp_path("a?b#c%41");
	CLEANUP(db_freep) struct db *db = NULL;
	struct err err = ERR_INIT;

	CHECK_OK(open_as(path, &volume_kind, DB_CREATE, &db, &err));
	CHECK(fs_exists(path));
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(every_statement_of_every_kind_can_be_prepared),
		PROMISE(a_statement_that_fails_to_prepare_reports_it_and_is_retried),
		PROMISE(others_see_a_transaction_once_it_is_committed),
		PROMISE(a_missing_file_is_not_found),
		PROMISE(another_kind_of_file_is_refused),
		PROMISE(a_file_that_is_no_database_is_refused),
		PROMISE(a_newer_version_is_refused),
		PROMISE(an_older_version_is_migrated_by_a_writer),
		PROMISE(peeking_sees_the_wal_and_touches_nothing),
		PROMISE(peeking_notices_a_restarted_wal),
		PROMISE(a_wal_checkpoint_empties_the_wal),
		PROMISE(a_new_database_ignores_a_wal_left_by_another),
		PROMISE(a_path_may_hold_the_special_characters_of_uris),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
