/* Half way to another master key, an archive works as any other for everyone who has the secret. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sqlite3.h>

#include "archive/archive.h"
#include "archive/catalogue/catalogue.h"
#include "archive/copy.h"
#include "archive/forget.h"
#include "archive/keys/keys.h"
#include "archive/seal.h"
#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"
#include "support/archive/files.h"
#include "support/archive/pruned.h"
#include "support/archive/refs.h"
#include "support/archive/rekeyed.h"
#include "support/check.h"

enum { WAIT_MS = REKEYED_WAIT_MS, LATE_UID = 900 };

#define READER CLEANUP(archive_freep) struct archive *
#define PATH   CLEANUP(freep) char *

/* Half way it can be read, checked, written and pruned, and the change can be completed. */
static void check_half_way(const char *path, uint32_t epoch)
{
	CLEANUP(volume_list_free) struct volume_list list = {0};
	struct err err = ERR_INIT;
	PATH before = rekeyed_everything(path);
	PATH after = NULL;
	uint32_t newest;

	fixture_check(path);
	rekeyed_add(path, LATE_UID);
	CHECK_OK(volume_list(path, &list, &err));
	CHECK_OK(volume_peek_key_epoch(path, &list.items[list.count - 1], &newest, &err));
	CHECK_INT(newest, epoch);
	fixture_check(path);
	(void)rekeyed_go_on(path);
	rekeyed_check(path, epoch);
	CHECK_INT(pruned_words(path), 0);
	after = rekeyed_everything(path);
	CHECK(strncmp(after, before, strlen(before)) == 0);
	fixture_check(path);
}

static void a_half_rekeyed_archive_can_be_used_and_continued(void)
{
	PATH path = rekeyed_plain("half");

	rekeyed_begin_encrypt(path);
	check_half_way(path, 1);
	rekeyed_begin_rotate(path, &rekeyed_key);
	check_half_way(path, 2);
	rekeyed_begin_rotate(path, &rekeyed_key);
	rekeyed_stop(path);
	check_half_way(path, 3);
	rekeyed_begin_rotate(path, &rekeyed_key);
	rekeyed_stop_late(path);
	check_half_way(path, 4);
}

static void interrupted_encryption_continues(void)
{
	PATH path = rekeyed_plain("stopped");
	PATH late = rekeyed_plain("stopped-late");

	rekeyed_begin_encrypt(path);
	rekeyed_stop(path);
	check_half_way(path, 1);
	rekeyed_begin_encrypt(late);
	rekeyed_stop_late(late);
	check_half_way(late, 1);
}

static void a_half_rekeyed_archive_can_be_sealed_pruned_forgotten_and_rebuilt(void)
{
	PATH path = rekeyed_plain("busy");
	const struct archive_seal all = {.open_bytes_min = 1};
	struct archive_forgotten forgotten;
	CLEANUP(buf_free) struct buf message = BUF_INIT(FIXTURE_MESSAGE_MAX);
	uint8_t digest[1][SHA256_BYTES];
	struct archive_sealed sealed;
	struct archive_pruned pruned;
	struct err err = ERR_INIT;

	rekeyed_begin_encrypt(path);
	rekeyed_stop(path);
	CHECK_OK(archive_seal(ref_of(path), &all, WAIT_MS, &sealed, &err));
	fixture_check(path);
	CHECK_OK(pruned_prune(path, &(struct keep_rules){.last = 3}, 0, &pruned, &err));
	fixture_check(path);
	fixture_message(&message, 32, pruned_size(32));
	sha256_of(message.data, message.len, digest[0]);
	CHECK_OK(archive_forget(ref_of(path), (const uint8_t(*)[SHA256_BYTES])digest, 1, WAIT_MS,
		&forgotten, &err));
	CHECK_INT(forgotten.messages, 1);
	fixture_check(path);
	CHECK_OK(archive_rebuild(ref_of(path), WAIT_MS, &err));
	fixture_check(path);
	(void)rekeyed_go_on(path);
	rekeyed_check(path, 1);
	CHECK_INT(pruned_words(path), 0);
	fixture_check(path);
}

/* A process that started before the change must not report the new files as damaged. */
static void a_holder_of_the_previous_key_is_told_to_retry(void)
{
	PATH path = rekeyed_encrypted("stale");
	CLEANUP(keys_view_free) struct keys_view view = {0};
	struct archive *archive = NULL;
	struct archive_writer *writer = NULL;
	struct err err = ERR_INIT;
	uint32_t id;

	CHECK_OK(keys_look(ref_of(path), &view, &err));
	rekeyed_begin_rotate(path, &rekeyed_key);
	keys_put(ref_of(path)->keys, 1, view.master);
	CHECK(!archive_is_unlocked(ref_of(path)));
	CHECK(!archive_open(ref_of(path), &archive, &err));
	CHECK_INT(err.kind, ERR_BUSY);
	CHECK(!archive_writer_open(ref_of(path), WAIT_MS, &writer, &err));
	CHECK_INT(err.kind, ERR_BUSY);
	CHECK(!archive_add_key(ref_of(path), &rekeyed_other_key, &id, &err));
	CHECK_INT(err.kind, ERR_BUSY);
	CHECK_OK(archive_unlock(ref_of(path), &rekeyed_key, &err));
	CHECK(archive_is_unlocked(ref_of(path)));
	(void)rekeyed_go_on(path);
	fixture_check(path);
}

static void number(const char *volume, int64_t sequence)
{
	CLEANUP(freep)
	char *sql = str_printf(
		"update header set value = %lld where key = 'sequence'", (long long)sequence);
	sqlite3 *raw = NULL;

	CHECK_INT(chmod(volume, 0600), 0);
	CHECK_INT(sqlite3_open(volume, &raw), SQLITE_OK);
	CHECK_INT(sqlite3_exec(raw, sql, NULL, NULL, NULL), SQLITE_OK);
	CHECK_INT(sqlite3_close(raw), SQLITE_OK);
}

/* A volume under the previous key, in place of a current one or after the newest. */
static void plant(const char *path, const char *from, int64_t sequence)
{
	CLEANUP(volume_list_free) struct volume_list list = {0};
	PATH there = NULL;
	PATH here = NULL;
	struct err err = ERR_INIT;
	uint64_t bytes;

	CHECK_OK(volume_list(from, &list, &err));
	here = layout_volume_path(from, &list.items[0]);
	if (sequence)
		list.items[0].sequence = sequence;
	there = layout_volume_path(path, &list.items[0]);
	CHECK_OK(fs_copy(here, there, &bytes, &err));
	number(there, list.items[0].sequence);
}

static void an_inserted_plain_volume_is_refused(void)
{
	PATH path = rekeyed_plain("planted");
	PATH plain = str_printf("%s.plain", path);
	struct archive_rekeyed rekeyed;
	struct err err = ERR_INIT;

	files_copy(path, plain);
	rekeyed_begin_encrypt(path);
	plant(path, plain, 99);
	CHECK(!archive_rekey(ref_of(path), &(struct archive_rekey){0}, WAIT_MS, &rekeyed, &err));
	CHECK_INT(err.kind, ERR_CORRUPT);
	CHECK(strstr(err.text, "plain volume"));
}

static void no_plain_volume_is_accepted_after_encryption(void)
{
	PATH path = rekeyed_plain("planted-late");
	PATH plain = str_printf("%s.plain", path);
	struct archive_writer *writer = NULL;
	struct err err = ERR_INIT;

	files_copy(path, plain);
	rekeyed_begin_encrypt(path);
	(void)rekeyed_go_on(path);
	fixture_remove_catalogue(path);
	plant(path, plain, 99);
	CHECK(!archive_writer_open(ref_of(path), WAIT_MS, &writer, &err));
	CHECK_INT(err.kind, ERR_CORRUPT);
	CHECK(strstr(err.text, "plain volume"));
}

static ino_t file_of_catalogue(const char *path)
{
	PATH catalogue = layout_catalogue_path(path);
	struct stat st;

	CHECK_INT(stat(catalogue, &st), 0);
	return st.st_ino;
}

/* Its catalogue may hold forgotten mail, although its keyring is current. */
static void rekeying_remembers_an_interrupted_forget(void)
{
	PATH path = rekeyed_encrypted("forgetting");
	PATH mark = layout_forgotten_path(path);
	struct err err = ERR_INIT;
	ino_t before;

	rekeyed_begin_rotate(path, &rekeyed_key);
	rekeyed_stop_late(path);
	CHECK_OK(archive_rebuild(ref_of(path), WAIT_MS, &err));
	before = file_of_catalogue(path);
	CHECK_OK(fs_write_atomic(mark, "", 0, 0600, &err));
	(void)rekeyed_go_on(path);
	CHECK(!fs_exists(mark));
	CHECK(file_of_catalogue(path) != before);
	fixture_check(path);
}

static bool copies(const char *path, const char *copy)
{
	struct archive_copied copied;
	struct err err = ERR_INIT;
	bool done = archive_copy(ref_of(path), copy, WAIT_MS, &copied, &err);

	CHECK(done || err.kind == ERR_CREATE);
	return done;
}

/* Three states: plain, half-way, encrypted. */
static void copies_under_the_previous_key_are_left_alone(void)
{
	PATH path = rekeyed_plain("copied");
	PATH plain = str_printf("%s.plain", path);
	PATH half = str_printf("%s.half", path);
	PATH whole = str_printf("%s.whole", path);
	struct err err = ERR_INIT;

	CHECK(copies(path, plain));
	rekeyed_begin_encrypt(path);
	rekeyed_stop(path);
	CHECK(!copies(path, plain));
	CHECK(copies(path, half) && copies(path, half));
	CHECK_OK(archive_unlock(ref_of(half), &rekeyed_key, &err));
	fixture_check(half);
	(void)rekeyed_go_on(path);
	CHECK(!copies(path, plain) && !copies(path, half));
	CHECK(copies(path, whole) && copies(path, whole));
	CHECK_OK(archive_unlock(ref_of(whole), &rekeyed_key, &err));
	rekeyed_check(whole, 1);
	CHECK_INT(pruned_words(whole), 0);
	fixture_check(whole);
	fixture_check(plain);
	CHECK(pruned_words(plain) > 0);
	(void)rekeyed_go_on(half);
	fixture_check(half);
}

static void readers_continue_during_the_rewrite(void)
{
	PATH path = rekeyed_plain("readers");
	READER reader = fixture_reader(path);

	pruned_check_bytes(reader, PRUNED_SNAPSHOTS);
	rekeyed_begin_encrypt(path);
	pruned_check_bytes(reader, PRUNED_SNAPSHOTS);
	(void)rekeyed_go_on(path);
	pruned_check_bytes(reader, PRUNED_SNAPSHOTS);
	rekeyed_begin_rotate(path, &rekeyed_key);
	(void)rekeyed_go_on(path);
	pruned_check_bytes(reader, PRUNED_SNAPSHOTS);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(a_half_rekeyed_archive_can_be_used_and_continued),
		PROMISE(interrupted_encryption_continues),
		PROMISE(a_half_rekeyed_archive_can_be_sealed_pruned_forgotten_and_rebuilt),
		PROMISE(a_holder_of_the_previous_key_is_told_to_retry),
		PROMISE(an_inserted_plain_volume_is_refused),
		PROMISE(no_plain_volume_is_accepted_after_encryption),
		PROMISE(rekeying_remembers_an_interrupted_forget),
		PROMISE(copies_under_the_previous_key_are_left_alone),
		PROMISE(readers_continue_during_the_rewrite),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
