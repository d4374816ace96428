/* Files from an untrusted place: their SQL is not run, their rows not trusted, their sizes limited.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "archive/archive.h"
#include "archive/catalogue/catalogue_sql.h"
#include "archive/volume/volume_sql.h"
#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"
#include "db/db_internal.h"
#include "support/archive/archive_fixture.h"
#include "support/archive/refs.h"
#include "support/check.h"

enum { LONG_BYTES = 200 * 1000, MESSAGE_BYTES = 900 };

static bool open_as(const char *path, const struct db_kind *kind, enum db_mode mode,
	struct db **ret_db, struct err *err)
{
	const struct db_options options = {.kind = kind, .mode = mode};

	return db_open(path, &options, ret_db, err);
}

/* Created by mailstow, then changed by another program. */
static char *planted(const char *name, const struct db_kind *kind, const char *sql)
{
	char *path = str_printf("%s/%s", check_temp_dir(), name);
	struct db *db = NULL;
	sqlite3 *raw = NULL;
	struct err err = ERR_INIT;

	CHECK_OK(open_as(path, kind, DB_CREATE, &db, &err));
	db_freep(&db);
	CHECK_INT(sqlite3_open(path, &raw), SQLITE_OK);
	CHECK_INT(sqlite3_exec(raw, sql, NULL, NULL, NULL), SQLITE_OK);
	CHECK_INT(sqlite3_close(raw), SQLITE_OK);
	return path;
}

/* In every mode. */
static void expect_refused(const char *path, const struct db_kind *kind, const char *why)
{
	static const enum db_mode modes[] = {DB_READ, DB_WRITE, DB_CREATE, DB_IMMUTABLE, DB_PEEK};

	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		struct db *db = NULL;
		struct err err = ERR_INIT;

		if (open_as(path, kind, modes[i], &db, &err))
			check_fail(__FILE__, __LINE__, "%s: opened", path);
		CHECK(err_is_unreadable(&err));
		if (!strstr(err.text, why))
			check_fail(__FILE__, __LINE__, "%s, not %s", err.text, why);
	}
}

static void another_schema_is_refused(void)
{
	static const struct {
		const char *sql;
		const char *why;
	} cases[] = {
		{"create trigger evil after insert on message begin delete from item; end",
			"trigger evil"},
		{"drop table mark; create view mark as select 1 as folder, 2 as uidvalidity,"
		 " 3 as uidnext, 4 as highestmodseq, 5 as messages, 6 as flags_compared_ms",
			"a catalogue: "},
		{"create view evil as select randomblob(1000000000)", "view evil"},
		{"create table evil (a)", "table evil"},
		{"create virtual table evil using fts5(a)", "table evil"},
		{"create index evil on item (size)", "index evil"},
		{"drop index message_by_digest", "a catalogue: "},
		{"drop table tombstone", "a catalogue: "},
		{"alter table item add column evil text default (hex(randomblob(9)))",
			"table item"},
		{"alter table item rename column size to bytes", "table item"},
		{"create table \"e\x1b[31m\" (a)", "\\x1b[31m"},
		{"pragma user_version = 0", "version 0"},
		{"pragma user_version = -7", "version -7"},
		{"pragma user_version = 2147483647", "newer mailstow"},
		{"pragma application_id = 1", "is not a mailstow catalogue"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(freep) char *name = str_printf("schema-%zu", i);
		CLEANUP(freep) char *path = planted(name, &catalogue_kind, cases[i].sql);

		expect_refused(path, &catalogue_kind, cases[i].why);
	}
}

static void a_schema_of_excessive_length_is_not_parsed(void)
{
	CLEANUP(freep) char *name = xcalloc(1, LONG_BYTES + 1);
	CLEANUP(freep) char *sql = NULL;
	CLEANUP(freep) char *path = NULL;

	memset(name, 'a', LONG_BYTES);
	sql = str_printf("create table %s (a)", name);
	path = planted("long-schema", &volume_kind, sql);
	expect_refused(path, &volume_kind, "malformed database schema");
}

/* SQLite would play the journal back into the file, and remove the file that the journal names. */
static void a_journal_beside_it_is_refused_and_kept(void)
{
	CLEANUP(freep) char *path = planted("journal", &volume_kind, "select 1");
	CLEANUP(freep) char *journal = str_printf("%s-journal", path);
	struct err err = ERR_INIT;

	CHECK_OK(fs_write_atomic(journal, "not of ours", 11, 0600, &err));
	expect_refused(path, &volume_kind, "-journal");
	CHECK(fs_exists(journal));
}

static void a_value_of_excessive_length_is_damage(void)
{
	CLEANUP(freep)
	char *path = planted("long-value", &volume_kind,
		"insert into frame values (1, 1, 0, 1, x'00', zeroblob(17 * 1024 * 1024))");
	CLEANUP(db_freep) struct db *db = NULL;
	struct err err = ERR_INIT;
	bool row;

	CHECK_OK(open_as(path, &volume_kind, DB_READ, &db, &err));
	db_bind_int(db, VOLUME_FRAME_GET, "id", 1);
	CHECK(!db_step(db, VOLUME_FRAME_GET, &row, &err));
	CHECK_INT(err.kind, ERR_CORRUPT);
}

static int64_t number(sqlite3 *handle, const char *sql)
{
	sqlite3_stmt *stmt = NULL;
	int64_t value;

	CHECK_INT(sqlite3_prepare_v2(handle, sql, -1, &stmt, NULL), SQLITE_OK);
	CHECK_INT(sqlite3_step(stmt), SQLITE_ROW);
	value = sqlite3_column_int64(stmt, 0);
	(void)sqlite3_finalize(stmt);
	return value;
}

/* Checks in the connection itself what db.h promises. */
static void a_connection_is_configured_as_promised(void)
{
	CLEANUP(freep) char *path = str_printf("%s/set", check_temp_dir());
	CLEANUP(db_freep) struct db *db = NULL;
	struct err err = ERR_INIT;
	sqlite3 *handle;
	int value;

	CHECK_OK(open_as(path, &volume_kind, DB_CREATE, &db, &err));
	handle = db->handle;
	CHECK_INT(sqlite3_db_config(handle, SQLITE_DBCONFIG_DEFENSIVE, -1, &value), SQLITE_OK);
	CHECK_INT(value, 1);
	CHECK_INT(sqlite3_db_config(handle, SQLITE_DBCONFIG_TRUSTED_SCHEMA, -1, &value), SQLITE_OK);
	CHECK_INT(value, 0);
	CHECK_INT(sqlite3_limit(handle, SQLITE_LIMIT_LENGTH, -1), 16 * 1024 * 1024);
	CHECK_INT(sqlite3_limit(handle, SQLITE_LIMIT_ATTACHED, -1), 0);
	CHECK(sqlite3_limit(handle, SQLITE_LIMIT_SQL_LENGTH, -1) <= 64 * 1024);
	CHECK_INT(sqlite3_limit(handle, SQLITE_LIMIT_TRIGGER_DEPTH, -1), 0);
	CHECK_INT(number(handle, "pragma cell_size_check"), 1);
	CHECK_INT(number(handle, "pragma trusted_schema"), 0);
}

/* Rows of the right form and wrong content: every question gets an answer or an error. */
static bool ignore_piece(void *context, const uint8_t *data, size_t len, struct err *err)
{
	(void)data, (void)err;
	*(uint64_t *)context += len;
	return true;
}

static bool read_entry(void *context, const struct archive_entry *entry, struct err *err)
{
	uint64_t len = 0;
	struct err own = ERR_INIT;

	(void)err;
	if (archive_read_message(context, entry->message_id, ignore_piece, &len, &own))
		CHECK_INT(len, MESSAGE_BYTES);
	else
		CHECK(own.kind != ERR_NONE && *own.text);
	return true;
}

static void see_all(const char *path)
{
	CLEANUP(archive_freep) struct archive *archive = NULL;
	struct archive_list list = {.generation = 1};
	struct archive_facts facts;
	struct err err = ERR_INIT;

	if (!archive_open(ref_of(path), &archive, &err))
		return;
	(void)archive_facts(archive, &facts, &err);
	err = (struct err)ERR_INIT;
	if (!archive_each_entry(archive, &list, read_entry, archive, &err))
		CHECK(err.kind != ERR_NONE);
}

static char *small_archive(const char *name)
{
	char *path = fixture_archive(name);
	struct archive_writer *writer = fixture_writer(path);
	int64_t inbox = fixture_folder(writer, "INBOX", 1);

	fixture_add(writer, inbox, 1, 1, 1, MESSAGE_BYTES, "\\Seen");
	fixture_add(writer, inbox, 1, 2, 2, MESSAGE_BYTES, "");
	(void)fixture_commit(writer, true);
	archive_writer_freep(&writer);
	return path;
}

static void plant_lie(const char *file, const char *lie)
{
	sqlite3 *raw = NULL;

	CHECK_INT(sqlite3_open(file, &raw), SQLITE_OK);
	(void)sqlite3_exec(
		raw, lie, NULL, NULL, NULL); /* the tables' own constraints refuse some */
	CHECK_INT(sqlite3_close(raw), SQLITE_OK);
}

static void lying_rows_never_yield_other_mail(void)
{
	static const char *const lies[] = {
		"update item set size = 9223372036854775807",
		"update item set size = -1",
		"update item set offset = 9223372036854775807",
		"update item set offset = -9223372036854775808",
		"update item set frame = 'x'",
		"update item set frame = -1",
		"update item set volume = 4294967297",
		"update item set kind = 258",
		"update item set kind = 2",
		"update message set size = 9223372036854775807",
		"update message set size = -1",
		"update message set header_size = 1e300",
		"update message set sha256 = x''",
		"update message set sha256 = zeroblob(16000000)",
		"update message set sender = zeroblob(16000000)",
		"update message set subject = x'ff00ff00'",
		"update message set date_header = 9223372036854775807",
		"update message set item = item + 1",
		"update placement set message = 0",
		"update placement set uid = -1",
		"update placement set date_s = 9223372036854775807",
		"update placement set date_offset = -9223372036854775808",
		"update placement set flag_set = 77",
		"update flag_set set flags = zeroblob(16000000)",
		"update folder set path = x'00'",
		"update folder set delimiter = 9223372036854775807",
		"update snapshot set unix_ms = -9223372036854775808",
		"update snapshot set messages = -1, bytes = -1",
		"update state set head = x'00'",
		"update state set archive = zeroblob(16000000)",
		"update state set applied_seq = 9223372036854775807",
		"update volume set uuid = x'00'",
		"update volume set uuid = zeroblob(16)",
		"update volume set state = 99",
		"delete from state",
		"delete from volume",
		"delete from snapshot",
		"delete from item",
	};

	for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
		CLEANUP(freep) char *name = str_printf("lie-%zu", i);
		CLEANUP(freep) char *path = small_archive(name);
		CLEANUP(freep) char *file = str_printf("%s/catalogue.db", path);

		plant_lie(file, lies[i]);
		see_all(path);
	}
}

static void ids_without_a_successor_are_damage(void)
{
	static const char *const lies[] = {
		"update item set id = 9223372036854775807"
		" where id = (select max(id) from item)",
		"update message set id = 9223372036854775807"
		" where id = (select max(id) from message)",
		"update sqlite_sequence set seq = 9223372036854775807",
	};

	for (size_t i = 0; i < ARRAY_LEN(lies); i++) {
		CLEANUP(freep) char *name = str_printf("last-%zu", i);
		CLEANUP(freep) char *path = small_archive(name);
		CLEANUP(freep) char *catalogue = str_printf("%s/catalogue.db", path);
		CLEANUP(freep) char *volume = fixture_only_volume(path);
		CLEANUP(archive_writer_freep) struct archive_writer *writer = NULL;
		struct err err = ERR_INIT;

		plant_lie(i < 2 ? catalogue : volume, lies[i]);
		CHECK_OK(archive_writer_open(ref_of(path), 1000, &writer, &err));
		CHECK(!archive_message_begin(writer, 1, 100, &err));
		CHECK_INT(err.kind, ERR_CORRUPT);
		CHECK(strstr(err.text, "used up"));
	}
}

/* Opening a pipe blocks until somebody writes into it. */
static void a_pipe_or_folder_is_refused_at_once(void)
{
	static const char *const suffixes[] = {"", "-wal", "-shm"};

	for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
		CLEANUP(freep) char *name = str_printf("pipe%zu", i);
		CLEANUP(freep) char *path = planted(name, &volume_kind, "select 1");
		CLEANUP(freep) char *pipe = str_printf("%s%s", path, suffixes[i]);

		(void)unlink(pipe);
		CHECK_INT(mkfifo(pipe, 0600), 0);
		expect_refused(path, &volume_kind, "is not a regular file");
		CHECK_INT(unlink(pipe), 0);
		CHECK_INT(mkdir(pipe, 0700), 0);
		expect_refused(path, &volume_kind, "is not a regular file");
	}
}

/* Two volumes that swapped places: the header of each shows it. */
static void a_volume_under_another_number_is_refused(void)
{
	CLEANUP(freep) char *path = small_archive("numbered");
	CLEANUP(freep) char *file = fixture_only_volume(path);
	struct err err = ERR_INIT;

	plant_lie(file, "update header set value = 2 where key = 'sequence'");
	CHECK(!archive_rebuild(ref_of(path), 1000, &err));
	CHECK_INT(err.kind, ERR_CORRUPT);
	CHECK(strstr(err.text, "holds another volume"));
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(another_schema_is_refused),
		PROMISE(a_schema_of_excessive_length_is_not_parsed),
		PROMISE(a_journal_beside_it_is_refused_and_kept),
		PROMISE(a_value_of_excessive_length_is_damage),
		PROMISE(a_connection_is_configured_as_promised),
		PROMISE(a_pipe_or_folder_is_refused_at_once),
		PROMISE(a_volume_under_another_number_is_refused),
		PROMISE(lying_rows_never_yield_other_mail),
		PROMISE(ids_without_a_successor_are_damage),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
