/* Adopting an archive from elsewhere: all of it, with an owner epoch of its own, or nothing. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/adopt.h"
#include "archive/copy.h"
#include "archive/volume/volume.h"
#include "base/fs.h"
#include "base/str.h"
#include "support/archive/files.h"
#include "support/archive/pruned.h"
#include "support/archive/refs.h"
#include "support/check.h"

enum { WAIT_MS = 1000, LATER_UID = 900, LATER_BYTES = 5000 };

struct world {
	char *from, *to;
	uint64_t findings;
};

static bool note_finding(void *context, const struct archive_finding *finding, struct err *err)
{
	struct world *world = context;

	(void)finding;
	(void)err;
	world->findings++;
	return true;
}

static bool adopt(struct world *world, struct archive_adopted *ret_adopted, struct err *err)
{
	return fixture_unlock(world->from, err) &&
	       archive_adopt(ref_of(world->from), world->to, note_finding, world, WAIT_MS,
		       ret_adopted, err);
}

/* Several volumes, the newest with a -wal. */
static struct world new_world(void)
{
	struct world world = {.from = str_printf("%s/disk/alice", check_temp_dir()),
		.to = str_printf("%s/home/bob", check_temp_dir())};
	CLEANUP(freep) char *disk = str_printf("%s/disk", check_temp_dir());
	CLEANUP(freep) char *home = str_printf("%s/home", check_temp_dir());
	struct err err = ERR_INIT;

	files_remove(disk);
	files_remove(home);
	CHECK_OK(fs_make_dirs(disk, 0700, &err));
	CHECK_OK(fixture_create(world.from, &err));
	pruned_fill(world.from);
	return world;
}

static void end(struct world *world)
{
	free(world->from);
	free(world->to);
}

static char *list_of(const char *path)
{
	CLEANUP(archive_freep) struct archive *archive = fixture_reader(path);
	struct archive_list list = {.generation = PRUNED_SNAPSHOTS, .deleted = true};

	pruned_check_bytes(archive, PRUNED_SNAPSHOTS);
	return str_printf("%s", fixture_list(archive, &list));
}

static void add_one(const char *path)
{
	CLEANUP(archive_writer_freep) struct archive_writer *writer = fixture_writer(path);
	int64_t folder = fixture_folder(writer, "INBOX", PRUNED_VALIDITY);

	fixture_add(writer, folder, PRUNED_VALIDITY, LATER_UID, LATER_UID, LATER_BYTES, "");
	(void)fixture_commit(writer, true);
}

static void check_fails(struct world *world, enum err_kind kind, const char *words)
{
	struct archive_adopted adopted;
	struct err err = ERR_INIT;

	CHECK(!adopt(world, &adopted, &err));
	CHECK_INT(err.kind, kind);
	CHECK(strstr(err.text, words) != NULL);
}

static void adopt_takes_everything_and_leaves_the_source_unchanged(void)
{
	struct world world = new_world();
	CLEANUP(freep) char *before = files_digests(world.from);
	CLEANUP(freep) char *wanted = list_of(world.from);
	struct archive_adopted adopted;
	struct err err = ERR_INIT;

	CHECK_OK(adopt(&world, &adopted, &err));
	CHECK(!adopted.was_there && adopted.files > 2 && adopted.bytes > PRUNED_VOLUME_BYTES);
	CLEANUP(freep) char *got = list_of(world.to);
	CHECK_STR(got, wanted);
	fixture_check(world.to);
	CLEANUP(freep) char *after = files_digests(world.from);
	CHECK_STR(after, before);
	add_one(world.to);
	fixture_check(world.to);
	end(&world);
}

static int64_t newest_epoch(const char *path)
{
	CLEANUP(volume_list_free) struct volume_list list = {0};
	CLEANUP(volume_close) struct volume volume = {0};
	struct err err = ERR_INIT;
	int64_t epoch;

	CHECK_OK(fixture_unlock(path, &err));
	CHECK_OK(volume_list(path, &list, &err));
	CHECK_OK(volume_open(ref_of(path), &list.items[list.count - 1], DB_READ, &volume, &err));
	CHECK_OK(volume_owner_epoch(&volume, &epoch, &err));
	return epoch;
}

/* What the two owners write from then on cannot be confused: a copy of the one is no longer a copy
 * of the other. */
static void adopt_starts_a_new_owner_epoch(void)
{
	struct world world = new_world();
	CLEANUP(freep) char *copy = str_printf("%s/disk/copy", check_temp_dir());
	CLEANUP(freep) char *original = str_printf("%s", world.from);
	struct archive_adopted adopted;
	struct archive_copied copied;
	struct err err = ERR_INIT;

	CHECK_OK(fixture_unlock(original, &err));
	CHECK_OK(archive_copy(ref_of(original), copy, WAIT_MS, &copied, &err));
	free(world.from);
	world.from = str_printf("%s", copy);
	CHECK_OK(adopt(&world, &adopted, &err));
	CHECK_INT(newest_epoch(world.from), VOLUME_OWNER_EPOCH_FIRST);
	CHECK_INT(newest_epoch(world.to), VOLUME_OWNER_EPOCH_FIRST + 1);
	add_one(original);
	add_one(world.to);
	CHECK_OK(archive_copy(ref_of(world.to), copy, WAIT_MS, &copied, &err));
	CHECK_INT(newest_epoch(copy), VOLUME_OWNER_EPOCH_FIRST + 1);
	CHECK(!archive_copy(ref_of(original), copy, WAIT_MS, &copied, &err));
	CHECK_INT(err.kind, ERR_CREATE);
	end(&world);
}

static void adopt_needs_no_catalogue_and_creates_no_lock(void)
{
	struct world world = new_world();
	CLEANUP(freep) char *wanted = list_of(world.from);
	CLEANUP(freep) char *lock = str_printf("%s/lock", world.from);
	struct archive_adopted adopted;
	struct err err = ERR_INIT;

	fixture_remove_catalogue(world.from);
	CHECK_OK(fs_remove(lock, &err));
	CLEANUP(freep) char *before = files_digests(world.from);
	CHECK_OK(adopt(&world, &adopted, &err));
	CLEANUP(freep) char *got = list_of(world.to);
	CHECK_STR(got, wanted);
	CLEANUP(freep) char *after = files_digests(world.from);
	CHECK_STR(after, before);
	end(&world);
}

static void adopt_leaves_an_existing_target_alone(void)
{
	struct world world = new_world();
	CLEANUP(freep) char *file = str_printf("%s/letter", world.to);
	struct err err = ERR_INIT;

	CHECK_OK(fs_make_dirs(world.to, 0700, &err));
	CHECK_OK(fs_write_atomic(file, "x", 1, 0600, &err));
	check_fails(&world, ERR_CREATE, "not empty");
	CHECK_OK(fs_remove(file, &err));
	CHECK_OK(fixture_create(world.to, &err));
	check_fails(&world, ERR_CREATE, "another archive");
	free(world.from);
	world.from = str_printf("%s/nothing", check_temp_dir());
	check_fails(&world, ERR_NOT_FOUND, "nothing");
	end(&world);
}

static void adopting_twice_does_nothing_until_one_of_them_changes(void)
{
	struct world world = new_world();
	struct archive_adopted adopted;
	struct err err = ERR_INIT;

	CHECK_OK(adopt(&world, &adopted, &err));
	CHECK_OK(adopt(&world, &adopted, &err));
	CHECK(adopted.was_there);
	CHECK_INT(adopted.files, 0);
	add_one(world.to);
	check_fails(&world, ERR_CREATE, "another state");
	end(&world);
}

/* Flip a bit of the first volume's data; a second call restores it. */
static void flip(const char *path)
{
	CLEANUP(volume_list_free) struct volume_list list = {0};
	struct err err = ERR_INIT;
	uint8_t byte;
	FILE *file;

	CHECK_OK(volume_list(path, &list, &err));
	CLEANUP(freep) char *name = layout_volume_path(path, &list.items[0]);
	CHECK(chmod(name, 0600) == 0);
	file = fopen(name, "r+b");
	CHECK(file && fseek(file, PRUNED_VOLUME_BYTES / 2, SEEK_SET) == 0);
	CHECK(fread(&byte, 1, 1, file) == 1);
	byte ^= 1;
	CHECK(fseek(file, -1, SEEK_CUR) == 0 && fwrite(&byte, 1, 1, file) == 1);
	CHECK(fclose(file) == 0);
}

static void adopt_refuses_a_damaged_archive(void)
{
	struct world world = new_world();
	CLEANUP(freep) char *wanted = list_of(world.from);
	struct archive_adopted adopted;
	struct err err = ERR_INIT;

	flip(world.from);
	check_fails(&world, ERR_CORRUPT, "damaged");
	CHECK(world.findings > 0);
	CHECK(!fs_exists(world.to));
	flip(world.from);
	CHECK_OK(adopt(&world, &adopted, &err));
	CLEANUP(freep) char *got = list_of(world.to);
	CHECK_STR(got, wanted);
	end(&world);
}

/* Files of an interrupted run: part of this archive, or of another one. */
static void adopt_continues_an_interrupted_run_of_the_same_archive(void)
{
	struct world world = new_world();
	CLEANUP(freep) char *unfinished = str_printf("%s/home/.bob.adopt", check_temp_dir());
	CLEANUP(freep) char *home = str_printf("%s/home", check_temp_dir());
	struct archive_adopted adopted;
	struct err err = ERR_INIT;

	CHECK_OK(fs_make_dirs(home, 0700, &err));
	CHECK_OK(fixture_create(unfinished, &err));
	check_fails(&world, ERR_CREATE, "another archive");
	files_remove(unfinished);
	files_copy(world.from, unfinished);
	add_one(unfinished);
	CHECK_OK(adopt(&world, &adopted, &err));
	CHECK(!fs_exists(unfinished));
	CLEANUP(freep) char *got = list_of(world.to);
	CLEANUP(freep) char *wanted = list_of(world.from);
	CHECK_STR(got, wanted);
	fixture_check(world.to);
	end(&world);
}

/* Files of another archive whose adoption was given up before any of its volumes arrived. */
static void adopt_replaces_a_left_over_keyring(void)
{
	static const struct archive_secret key = {ARCHIVE_KEY,
		"000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", 64};
	struct world world = new_world();
	CLEANUP(freep) char *wanted = list_of(world.from);
	CLEANUP(freep) char *other = str_printf("%s/disk/other", check_temp_dir());
	CLEANUP(freep) char *theirs = str_printf("%s/keyring", other);
	CLEANUP(freep) char *unfinished = str_printf("%s/home/.bob.adopt", check_temp_dir());
	CLEANUP(freep) char *left = str_printf("%s/keyring", unfinished);
	struct archive_adopted adopted;
	struct err err = ERR_INIT;
	uint64_t bytes;

	CHECK_OK(archive_create_encrypted(ref_of(other), &key, WAIT_MS, &err));
	CHECK_OK(fs_make_dirs(unfinished, 0700, &err));
	CHECK_OK(fs_copy(theirs, left, &bytes, &err));
	CHECK_OK(adopt(&world, &adopted, &err));
	CLEANUP(freep) char *got = list_of(world.to);
	CHECK_STR(got, wanted);
	fixture_check(world.to);
	end(&world);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(adopt_takes_everything_and_leaves_the_source_unchanged),
		PROMISE(adopt_starts_a_new_owner_epoch),
		PROMISE(adopt_needs_no_catalogue_and_creates_no_lock),
		PROMISE(adopt_leaves_an_existing_target_alone),
		PROMISE(adopting_twice_does_nothing_until_one_of_them_changes),
		PROMISE(adopt_refuses_a_damaged_archive),
		PROMISE(adopt_replaces_a_left_over_keyring),
		PROMISE(adopt_continues_an_interrupted_run_of_the_same_archive),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
