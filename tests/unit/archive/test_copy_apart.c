/* A copy and its source have diverged; and files that do not belong to an archive survive when it
 * is created, copied, read or sealed. */
#include "archive/copy.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/catalogue/catalogue.h"
#include "archive/compact/maintenance.h"
#include "archive/seal.h"
#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"
#include "support/archive/files.h"
#include "support/archive/pruned.h"
#include "support/archive/refs.h"
#include "support/check.h"

enum { WAIT_MS = 1000, LATE_UID = 900, MANY = 20, MANY_BYTES = 9000, STEP_S = 2 };

#define PATH CLEANUP(freep) char *

static uint64_t files_copied(const char *path, const char *copy)
{
	struct archive_copied copied;
	struct err err = ERR_INIT;

	CHECK_OK(archive_copy(ref_of(path), copy, WAIT_MS, &copied, &err));
	return copied.files;
}

static void add_one(const char *path, uint32_t uid)
{
	struct archive_writer *writer = fixture_writer(path);

	fixture_add(writer, 1, PRUNED_VALIDITY, uid, uid, pruned_size(uid), "");
	(void)fixture_commit(writer, true);
	archive_writer_freep(&writer);
}

static void seal_and_merge(const char *path, size_t small_count)
{
	const struct archive_seal wish = {.open_bytes_min = 1, .small_count = small_count};
	struct archive_sealed sealed;
	struct err err = ERR_INIT;

	CHECK_OK(archive_seal(ref_of(path), &wish, WAIT_MS, &sealed, &err));
}

static void check_left(const char *path, const char *copy)
{
	PATH before = files_digests(copy);
	PATH after = NULL;
	struct archive_copied copied;
	struct err err = ERR_INIT;

	CHECK(!archive_copy(ref_of(path), copy, WAIT_MS, &copied, &err));
	CHECK_INT(err.kind, ERR_CREATE);
	after = files_digests(copy);
	CHECK_STR(after, before);
}

/* Its mail is nowhere else. No WAL shows that, and the volume to which both added was sealed, then
 * removed. */
static void copy_leaves_a_diverged_copy_alone_whatever_its_source_does(void)
{
	PATH path = pruned_archive("both");
	PATH copy = str_printf("%s.copy", path);
	struct err err = ERR_INIT;

	CHECK(files_copied(path, copy) > 4);
	add_one(copy, LATE_UID);
	CHECK_OK(archive_checkpoint_wal(ref_of(copy), WAIT_MS, &err));
	for (uint32_t uid = LATE_UID + 1; uid < LATE_UID + 9; uid++)
		add_one(path, uid);
	check_left(path, copy);
	seal_and_merge(path, 0);
	check_left(path, copy);
	seal_and_merge(path, 2);
	check_left(path, copy);
}

/* What a run without work does: it leaves an empty WAL beside the newest volume. Returns that
 * volume's name. */
static char *open_to_write(const char *path)
{
	CLEANUP(volume_list_free) struct volume_list list = {0};
	CLEANUP(volume_close) struct volume volume = {0};
	PATH wal = NULL;
	struct err err = ERR_INIT;

	CHECK_OK(fixture_unlock(path, &err));
	CHECK_OK(volume_list(path, &list, &err));
	CHECK_OK(volume_open(ref_of(path), &list.items[list.count - 1], DB_WRITE, &volume, &err));
	wal = str_printf("%s-wal", db_path(volume.db));
	CHECK(fs_exists(wal) && !db_has_wal(db_path(volume.db)));
	return str_printf("%s", strrchr(db_path(volume.db), '/') + 1);
}

static void copy_updates_an_untouched_copy_whatever_its_source_does(void)
{
	PATH path = pruned_archive("follows");
	PATH copy = str_printf("%s.copy", path);
	PATH gone = NULL;
	PATH files = NULL;

	CHECK(files_copied(path, copy) > 4);
	gone = open_to_write(copy);
	add_one(path, LATE_UID);
	seal_and_merge(path, 0);
	CHECK(files_copied(path, copy) > 0);
	files = files_digests(copy);
	CHECK(!strstr(files, gone));
	add_one(path, LATE_UID + 1);
	seal_and_merge(path, 2);
	CHECK(files_copied(path, copy) > 0);
	fixture_check(copy);
}

/* Enough for a WAL checkpoint to leave its volume alone. */
static void add_many(const char *path)
{
	struct archive_writer *writer = fixture_writer(path);

	for (uint32_t uid = LATE_UID; uid < LATE_UID + MANY; uid++)
		fixture_add(writer, 1, PRUNED_VALIDITY, uid, uid, MANY_BYTES, "");
	(void)fixture_commit(writer, true);
	archive_writer_freep(&writer);
}

/* Starts a new volume, as when the newest one is full. */
static void begin_volume(const char *path)
{
	CLEANUP(maintenance_close) struct maintenance job = {.lock = -1};
	struct err err = ERR_INIT;
	bool rolled;

	CHECK_OK(fixture_unlock(path, &err));
	CHECK_OK(maintenance_open(&job, ref_of(path), WAIT_MS, &err));
	CHECK_OK(packer_roll_now(&job.packer, &rolled, &err));
	CHECK(rolled);
}

/* Seals the formerly newest volume, which drops its journal. */
static void seal_after_a_checkpoint(const char *path)
{
	struct archive_pruned pruned;
	struct err err = ERR_INIT;

	begin_volume(path);
	CHECK_OK(pruned_prune(path, &(struct keep_rules){.last = 1}, 0, &pruned, &err));
	seal_and_merge(path, 0);
}

static void copy_updates_after_its_volume_was_sealed_past_a_checkpoint(void)
{
	PATH path = pruned_archive("later");
	PATH copy = str_printf("%s.copy", path);

	add_many(path);
	CHECK(files_copied(path, copy) > 4);
	seal_after_a_checkpoint(path);
	CHECK(files_copied(path, copy) > 0);
	fixture_check(copy);
}

static void copy_leaves_a_diverged_copy_whose_volume_was_sealed_past_a_checkpoint(void)
{
	PATH path = pruned_archive("later-apart");
	PATH copy = str_printf("%s.copy", path);
	struct err err = ERR_INIT;

	add_many(path);
	CHECK(files_copied(path, copy) > 4);
	add_one(copy, LATE_UID + MANY);
	CHECK_OK(archive_checkpoint_wal(ref_of(copy), WAIT_MS, &err));
	seal_after_a_checkpoint(path);
	check_left(path, copy);
}

/* After a power cut the volumes count, not the catalogue. */
static void copy_leaves_a_diverged_copy_with_an_older_catalogue_alone(void)
{
	PATH path = pruned_archive("behind-copy");
	PATH copy = str_printf("%s.copy", path);
	PATH catalogue = layout_catalogue_path(copy);
	PATH older = str_printf("%s.older", copy);
	uint64_t bytes;
	struct err err = ERR_INIT;

	CHECK(files_copied(path, copy) > 4);
	CHECK_OK(fs_copy(catalogue, older, &bytes, &err));
	add_one(copy, LATE_UID);
	CHECK_OK(archive_checkpoint_wal(ref_of(copy), WAIT_MS, &err));
	CHECK_OK(db_remove_wal(catalogue, &err));
	CHECK_OK(fs_rename(older, catalogue, &err));
	add_one(path, LATE_UID + 1);
	check_left(path, copy);
}

static int64_t seconds_of(const char *path)
{
	struct stat st;

	CHECK_INT(stat(path, &st), 0);
	return st.st_mtim.tv_sec;
}

static void set_time(const char *path, int64_t seconds, long ns)
{
	const struct timespec time = {.tv_sec = seconds, .tv_nsec = ns};

	CHECK_INT(utimensat(AT_FDCWD, path, (struct timespec[]){time, time}, 0), 0);
}

static int64_t size_of(const char *path)
{
	struct stat st;

	CHECK_INT(stat(path, &st), 0);
	return st.st_size;
}

/* The formerly newest volume has changed since, with the same size and within one time step, and is
 * not the newest any more. */
static void copy_brings_a_finished_volume_on_a_file_system_with_coarse_times(void)
{
	PATH path = pruned_archive("ended");
	PATH copy = str_printf("%s.copy", path);
	CLEANUP(volume_list_free) struct volume_list list = {0};
	struct archive_writer *writer;
	int64_t step, size;
	struct err err = ERR_INIT;

	CHECK(files_copied(path, copy) > 4);
	CHECK_OK(volume_list(path, &list, &err));
	PATH here = layout_volume_path(path, &list.items[list.count - 1]);
	PATH there = layout_volume_path(copy, &list.items[list.count - 1]);
	size = size_of(here);
	writer = fixture_writer(path);
	CHECK_OK(archive_pin(writer, 1, true, &err));
	(void)fixture_commit(writer, true);
	archive_writer_freep(&writer);
	begin_volume(path);
	CHECK_INT(size_of(here), size);
	step = seconds_of(here) / STEP_S * STEP_S;
	set_time(there, step, 0);
	set_time(here, step, 500);
	CHECK(files_copied(path, copy) > 0);
	fixture_check(copy);
}

/* Opening it would block: it has no other end. */
static void copy_refuses_a_pipe_in_place_of_a_volume(void)
{
	enum { SECONDS = 20 };
	PATH path = pruned_archive("pipe");
	PATH copy = str_printf("%s.copy", path);
	CLEANUP(volume_list_free) struct volume_list list = {0};
	struct archive_copied copied;
	struct err err = ERR_INIT;

	CHECK_OK(volume_list(path, &list, &err));
	PATH first = layout_volume_path(path, &list.items[0]);
	CHECK_OK(fs_remove(first, &err));
	CHECK_INT(mkfifo(first, 0600), 0);
	(void)alarm(SECONDS);
	CHECK(!archive_copy(ref_of(path), copy, WAIT_MS, &copied, &err));
	(void)alarm(0);
	CHECK_INT(err.kind, ERR_CORRUPT);
	CHECK(strstr(err.text, "is not a regular file"));
}

static void copy_leaves_a_copy_without_a_catalogue_alone(void)
{
	PATH path = pruned_archive("blind");
	PATH copy = str_printf("%s.copy", path);
	struct err err = ERR_INIT;

	CHECK(files_copied(path, copy) > 4);
	add_one(copy, LATE_UID);
	CHECK_OK(archive_checkpoint_wal(ref_of(copy), WAIT_MS, &err));
	fixture_remove_catalogue(copy);
	add_one(path, LATE_UID + 1);
	check_left(path, copy);
}

static void no_archive_is_created_where_a_copy_is_in_progress(void)
{
	PATH path = fixture_archive("here");
	PATH copy = str_printf("%s.copy", path);
	PATH volumes = layout_volumes_path(copy);
	PATH lock_path = str_printf("%s/lock", copy);
	PATH brought = str_printf("%s/00000001-x.vol.copied.new", volumes);
	CLEANUP(fs_unlock) int lock = -1;
	struct err err = ERR_INIT;

	CHECK_OK(fs_make_dirs(copy, 0700, &err));
	CHECK_OK(fs_make_dirs(volumes, 0700, &err));
	CHECK_OK(fs_write_atomic(brought, "x", 1, 0600, &err));
	CHECK_OK(fs_lock(lock_path, WAIT_MS, &lock, &err));
	CHECK(!archive_create(copy, 0, &err));
	CHECK_INT(err.kind, ERR_BUSY);
	CHECK(fs_exists(brought));
}

static void no_archive_is_created_where_volumes_cannot_be_listed(void)
{
	PATH path = pruned_archive("unlisted");
	CLEANUP(volume_list_free) struct volume_list list = {0};
	struct volume_id other;
	uint64_t bytes;
	struct err err = ERR_INIT;

	CHECK_OK(volume_list(path, &list, &err));
	other = list.items[0];
	other.uuid[0] ^= 1;
	PATH from = layout_volume_path(path, &list.items[0]);
	PATH to = layout_volume_path(path, &other);
	CHECK_OK(fs_copy(from, to, &bytes, &err));
	fixture_remove_catalogue(path);
	CHECK(archive_exists(path));
	CHECK(!archive_create(path, 0, &err));
	CHECK_INT(err.kind, ERR_CREATE);
}

static void reading_leaves_no_wal(void)
{
	PATH path = pruned_archive("behind");
	PATH catalogue = layout_catalogue_path(path);
	PATH older = str_printf("%s.older", path);
	uint64_t bytes;
	bool behind;
	struct err err = ERR_INIT;

	CHECK_OK(archive_checkpoint_wal(ref_of(path), WAIT_MS, &err));
	CHECK_OK(fs_copy(catalogue, older, &bytes, &err));
	add_one(path, LATE_UID);
	CHECK_OK(db_remove_wal(catalogue, &err));
	CHECK_OK(fs_rename(older, catalogue, &err));
	CHECK_OK(archive_catch_up(ref_of(path), &behind, &err));
	CHECK(!behind && !db_has_wal(catalogue));
	fixture_check(path);
}

static void sealing_leaves_foreign_files_alone(void)
{
	PATH path = pruned_archive("names");
	static const char *const names[] = {
		"catalogue.db.newer-2026", "keyring.newest", "volumes/old.volume.newsletter.mbox"};
	struct err err = ERR_INIT;

	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		PATH file = str_printf("%s/%s", path, names[i]);

		CHECK_OK(fs_write_atomic(file, "x", 1, 0600, &err));
	}
	seal_and_merge(path, 2);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		PATH file = str_printf("%s/%s", path, names[i]);

		CHECK(fs_exists(file));
	}
}

static void foreign_files_are_not_taken_for_leftovers(void)
{
	PATH path = fixture_archive("others");
	PATH place = str_printf("%s.place", path);
	PATH letters = str_printf("%s/letters.news.mbox", place);
	struct err err = ERR_INIT;

	CHECK_OK(fs_make_dirs(place, 0700, &err));
	CHECK_OK(fs_write_atomic(letters, "x", 1, 0600, &err));
	CHECK(!archive_create(place, 0, &err));
	CHECK_INT(err.kind, ERR_CREATE);
	CHECK(fs_exists(letters));
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(copy_leaves_a_diverged_copy_alone_whatever_its_source_does),
		PROMISE(copy_updates_an_untouched_copy_whatever_its_source_does),
		PROMISE(copy_updates_after_its_volume_was_sealed_past_a_checkpoint),
		PROMISE(copy_leaves_a_diverged_copy_whose_volume_was_sealed_past_a_checkpoint),
		PROMISE(copy_leaves_a_diverged_copy_with_an_older_catalogue_alone),
		PROMISE(copy_brings_a_finished_volume_on_a_file_system_with_coarse_times),
		PROMISE(copy_refuses_a_pipe_in_place_of_a_volume),
		PROMISE(copy_leaves_a_copy_without_a_catalogue_alone),
		PROMISE(no_archive_is_created_where_a_copy_is_in_progress),
		PROMISE(no_archive_is_created_where_volumes_cannot_be_listed),
		PROMISE(reading_leaves_no_wal),
		PROMISE(sealing_leaves_foreign_files_alone),
		PROMISE(foreign_files_are_not_taken_for_leftovers),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
