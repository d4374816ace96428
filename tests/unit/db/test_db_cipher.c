/* Databases with encrypted pages: nothing in any file is readable, and the rest works as without.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "archive/volume/volume_sql.h"
#include "base/fs.h"
#include "base/str.h"
#include "db/db.h"
#include "db/vfs_internal.h"
#include "support/check.h"

enum { ROWS = 300, PAGE1_MIDDLE = 2000, FILE_MAX = 64 * 1024 * 1024 };

static const uint8_t key[] = "a key of thirty-two bytes, truly";
static const uint8_t other_key[] = "another key of thirty-two bytes.";
static const char canary[] = "canary-of-the-mailbox";

static bool open_as(const char *path, const uint8_t *with, enum db_mode mode, struct db **ret_db,
	struct err *err)
{
	const struct db_options options = {
		.kind = &volume_kind, .mode = mode, .full_sync = true, .key = with};

	return db_open(path, &options, ret_db, err);
}

static char *temp_path(const char *name)
{
	return str_printf("%s/%s", check_temp_dir(), name);
}

/* Writes rows first..last in one transaction, each with the canary many times over. */
static void fill(struct db *db, int first, int last)
{
	struct err err = ERR_INIT;
	char value[1000];

	CHECK_OK(db_begin(db, &err));
	for (int i = first; i <= last; i++) {
		char name[32];

		(void)snprintf(name, sizeof(name), "%s-%d", canary, i);
		for (size_t at = 0; at < sizeof(value); at++)
			value[at] = canary[(at + (size_t)i) % (sizeof(canary) - 1)];
		db_bind_text(db, VOLUME_HEADER_PUT, "key", name);
		db_bind_blob(db, VOLUME_HEADER_PUT, "value", value, sizeof(value));
		CHECK_OK(db_run(db, VOLUME_HEADER_PUT, &err));
	}
	CHECK_OK(db_commit(db, &err));
}

static bool has_row(struct db *db, int number)
{
	struct err err = ERR_INIT;
	char name[32];
	bool row;

	(void)snprintf(name, sizeof(name), "%s-%d", canary, number);
	db_bind_text(db, VOLUME_HEADER_GET, "key", name);
	CHECK_OK(db_step(db, VOLUME_HEADER_GET, &row, &err));
	if (row)
		db_reset(db, VOLUME_HEADER_GET);
	return row;
}

static bool file_has(const char *path, const char *suffix, const char *text)
{
	CLEANUP(freep) char *name = str_printf("%s%s", path, suffix);
	CLEANUP(buf_free) struct buf bytes = BUF_INIT(FILE_MAX);
	struct err err = ERR_INIT;

	if (!fs_exists(name))
		return false;
	CHECK_OK(fs_read(name, &bytes, &err));
	return bytes.len > 0 && memmem(bytes.data, bytes.len, text, strlen(text)) != NULL;
}

static void check_nothing_readable(const char *path)
{
	CHECK(!file_has(path, "", "canary"));
	CHECK(!file_has(path, "-wal", "canary"));
	CHECK(!file_has(path, "-shm", "canary"));
	CHECK(!file_has(path, "-journal", "canary"));
	CHECK(!file_has(path, "", "CREATE TABLE"));
}

static void its_files_hold_nothing_readable(void)
{
	CLEANUP(freep) char *path = temp_path("readable");
	CLEANUP(db_freep) struct db *db = NULL;
	struct err err = ERR_INIT;

	CHECK_OK(open_as(path, key, DB_CREATE, &db, &err));
	check_nothing_readable(path);
	fill(db, 1, ROWS);
	CHECK(db_has_wal(path));
	check_nothing_readable(path);
	CHECK_OK(db_wal_checkpoint(db, true, &err));
	check_nothing_readable(path);
	fill(db, ROWS + 1, ROWS + 2);
	CHECK_OK(db_integrity_check(db, &err));
	db_freep(&db);
	check_nothing_readable(path);
}

static void the_test_would_see_it_in_a_plain_database(void)
{
	CLEANUP(freep) char *path = temp_path("plain");
	CLEANUP(db_freep) struct db *db = NULL;
	struct err err = ERR_INIT;

	CHECK_OK(open_as(path, NULL, DB_CREATE, &db, &err));
	fill(db, 1, 3);
	CHECK(file_has(path, "-wal", "canary") && file_has(path, "", "CREATE TABLE"));
}

static void every_mode_reads_it(void)
{
	static const enum db_mode modes[] = {DB_READ, DB_PEEK, DB_WRITE};
	CLEANUP(freep) char *path = temp_path("modes");
	CLEANUP(db_freep) struct db *db = NULL;
	struct err err = ERR_INIT;

	CHECK_OK(open_as(path, key, DB_CREATE, &db, &err));
	fill(db, 1, ROWS);
	CHECK_OK(db_wal_checkpoint(db, false, &err));
	fill(db, ROWS + 1, 2 * ROWS);
	db_freep(&db);
	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		CHECK_OK(open_as(path, key, modes[i], &db, &err));
		CHECK(has_row(db, 1) && has_row(db, 2 * ROWS));
		CHECK_OK(db_integrity_check(db, &err));
		db_freep(&db);
	}
	CHECK_OK(open_as(path, key, DB_WRITE, &db, &err));
	CHECK_OK(db_wal_checkpoint(db, true, &err));
	db_freep(&db);
	CHECK_OK(open_as(path, key, DB_IMMUTABLE, &db, &err));
	CHECK(has_row(db, 1) && has_row(db, 2 * ROWS));
}

static void readers_and_a_writer_do_not_block_each_other(void)
{
	CLEANUP(freep) char *path = temp_path("both");
	CLEANUP(db_freep) struct db *writer = NULL;
	CLEANUP(db_freep) struct db *reader = NULL;
	struct err err = ERR_INIT;

	CHECK_OK(open_as(path, key, DB_CREATE, &writer, &err));
	fill(writer, 1, 10);
	CHECK_OK(open_as(path, key, DB_READ, &reader, &err));
	CHECK_OK(db_begin_read(reader, &err));
	CHECK(has_row(reader, 10));
	fill(writer, 11, ROWS);
	CHECK(!has_row(reader, 11));
	CHECK_OK(db_wal_checkpoint(writer, false, &err));
	CHECK(has_row(reader, 10) && !has_row(reader, 11));
	db_end_read(reader);
	CHECK(has_row(reader, ROWS));
}

static void another_key_or_none_does_not_open_it(void)
{
	CLEANUP(freep) char *path = temp_path("wrong");
	CLEANUP(freep) char *plain = temp_path("wrong-plain");
	CLEANUP(db_freep) struct db *db = NULL;
	struct err err = ERR_INIT;

	CHECK_OK(open_as(path, key, DB_CREATE, &db, &err));
	db_freep(&db);
	CHECK(!open_as(path, other_key, DB_WRITE, &db, &err));
	CHECK_INT(err.kind, ERR_CORRUPT);
	CHECK(!open_as(path, NULL, DB_WRITE, &db, &err));
	CHECK_INT(err.kind, ERR_CORRUPT);
	CHECK_OK(open_as(plain, NULL, DB_CREATE, &db, &err));
	db_freep(&db);
	CHECK(!open_as(plain, key, DB_WRITE, &db, &err));
	CHECK_INT(err.kind, ERR_CORRUPT);
	CHECK_OK(open_as(path, key, DB_WRITE, &db, &err));
}

static void flip_bits(const char *path, off_t offset, uint8_t bits)
{
	CLEANUP(closep) int fd = open(path, O_RDWR | O_CLOEXEC);
	uint8_t byte;

	CHECK(fd >= 0 && pread(fd, &byte, 1, offset) == 1);
	byte ^= bits;
	CHECK(pwrite(fd, &byte, 1, offset) == 1);
}

static void flip(const char *path, off_t offset)
{
	flip_bits(path, offset, 1);
}

static void a_changed_page_is_noticed(void)
{
	CLEANUP(freep) char *path = temp_path("changed");
	CLEANUP(db_freep) struct db *db = NULL;
	struct err err = ERR_INIT;

	CHECK_OK(open_as(path, key, DB_CREATE, &db, &err));
	fill(db, 1, ROWS);
	CHECK_OK(db_wal_checkpoint(db, true, &err));
	db_freep(&db);
	flip(path, 5 * 4096 + 1234);
	CHECK_OK(open_as(path, key, DB_READ, &db, &err));
	CHECK(!db_integrity_check(db, &err));
	CHECK_INT(err.kind, ERR_CORRUPT);
}

/* A page decrypts in its own place only. */
static void a_page_in_the_place_of_another_is_noticed(void)
{
	enum { NUMBER = 5 };
	CLEANUP(freep) char *path = temp_path("moved");
	CLEANUP(gcm_freep) struct gcm *gcm = gcm_new(key);
	CLEANUP(db_freep) struct db *db = NULL;
	CLEANUP(closep) int fd = -1;
	uint8_t own[DB_PAGE_BYTES], moved[DB_PAGE_BYTES];
	struct err err = ERR_INIT;

	CHECK_OK(open_as(path, key, DB_CREATE, &db, &err));
	fill(db, 1, ROWS);
	CHECK_OK(db_wal_checkpoint(db, true, &err));
	fd = open(path, O_RDONLY | O_CLOEXEC);
	CHECK(fd >= 0 && pread(fd, own, sizeof(own), (NUMBER - 1) * DB_PAGE_BYTES) == sizeof(own));
	memcpy(moved, own, sizeof(own));
	CHECK(db_cipher_decrypt_page(gcm, NUMBER, own));
	CHECK(!db_cipher_decrypt_page(gcm, NUMBER + 1, moved));
}

/* The header's first bytes are plain, and SQLite uses them before any page is decrypted. */
static void a_changed_page_size_is_damage(void)
{
	CLEANUP(freep) char *path = temp_path("pages");
	CLEANUP(db_freep) struct db *db = NULL;
	struct err err = ERR_INIT;

	CHECK_OK(open_as(path, key, DB_CREATE, &db, &err));
	CHECK_OK(db_wal_checkpoint(db, true, &err));
	db_freep(&db);
	flip_bits(path, 16, 0x30); /* 4096 becomes 8192 */
	CHECK(!open_as(path, key, DB_IMMUTABLE, &db, &err));
	CHECK_INT(err.kind, ERR_CORRUPT);
}

static bool fits(const char *path, const uint8_t *with)
{
	struct err err = ERR_INIT;
	bool result;

	CHECK_OK(db_fits_key(path, with, &result, &err));
	return result;
}

/* A WAL checkpoint torn within the first page leaves the -wal, whose frames still show the key. */
static void its_key_is_recognised_before_it_is_opened(void)
{
	CLEANUP(freep) char *encrypted = temp_path("fits");
	CLEANUP(freep) char *plain = temp_path("fits-not");
	CLEANUP(db_freep) struct db *db = NULL;
	CLEANUP(db_freep) struct db *other = NULL;
	struct err err = ERR_INIT;
	bool unused;

	CHECK(!db_fits_key(plain, NULL, &unused, &err));
	CHECK_INT(err.kind, ERR_NOT_FOUND);
	CHECK_OK(open_as(encrypted, key, DB_CREATE, &db, &err));
	CHECK_OK(open_as(plain, NULL, DB_CREATE, &other, &err));
	CHECK(fits(encrypted, key) && !fits(encrypted, other_key) && !fits(encrypted, NULL));
	CHECK(fits(plain, NULL) && !fits(plain, key));
	fill(db, 1, ROWS);
	db_freep(&db);
	flip(encrypted, PAGE1_MIDDLE);
	CHECK(fits(encrypted, key) && !fits(encrypted, other_key) && !fits(encrypted, NULL));
}

/* As after a power cut: what was committed before the damage stays, the rest is gone. */
static void a_torn_wal_ends_where_it_is_torn(void)
{
	CLEANUP(freep) char *path = temp_path("torn");
	CLEANUP(freep) char *wal = str_printf("%s-wal", path);
	CLEANUP(freep) char *shm = str_printf("%s-shm", path);
	CLEANUP(db_freep) struct db *db = NULL;
	struct err err = ERR_INIT;
	struct stat st;

	CHECK_OK(open_as(path, key, DB_CREATE, &db, &err));
	fill(db, 1, 10);
	fill(db, 11, 20);
	CHECK(stat(wal, &st) == 0);
	fill(db, 21, 30);
	db_freep(&db);
	CHECK_OK(fs_remove(shm, &err));
	flip(wal, st.st_size + 24 + 2000);
	CHECK_OK(open_as(path, key, DB_WRITE, &db, &err));
	CHECK(has_row(db, 20) && !has_row(db, 21) && !has_row(db, 30));
	fill(db, 21, 25);
	CHECK_OK(db_integrity_check(db, &err));
}

/* More pages than the cache holds: SQLite spills some into the WAL and writes them there again. */
static void a_transaction_larger_than_the_cache_is_kept(void)
{
	const struct db_options options = {
		.kind = &volume_kind, .mode = DB_CREATE, .cache_kib = 40, .key = key};
	CLEANUP(freep) char *path = temp_path("spill");
	CLEANUP(db_freep) struct db *db = NULL;
	struct err err = ERR_INIT;

	CHECK_OK(db_open(path, &options, &db, &err));
	fill(db, 1, 10 * ROWS);
	db_freep(&db);
	CHECK_OK(open_as(path, key, DB_WRITE, &db, &err));
	CHECK_OK(db_integrity_check(db, &err));
	CHECK(has_row(db, 1) && has_row(db, 10 * ROWS));
	check_nothing_readable(path);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(its_files_hold_nothing_readable),
		PROMISE(the_test_would_see_it_in_a_plain_database),
		PROMISE(every_mode_reads_it),
		PROMISE(readers_and_a_writer_do_not_block_each_other),
		PROMISE(another_key_or_none_does_not_open_it),
		PROMISE(a_changed_page_is_noticed),
		PROMISE(a_page_in_the_place_of_another_is_noticed),
		PROMISE(a_changed_page_size_is_damage),
		PROMISE(its_key_is_recognised_before_it_is_opened),
		PROMISE(a_torn_wal_ends_where_it_is_torn),
		PROMISE(a_transaction_larger_than_the_cache_is_kept),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
