/* Sealing: the same mail in less space; journal and head are unchanged. */
#include "archive/seal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/archive.h"
#include "archive/copy.h"
#include "archive/volume/volume.h"
#include "archive/write/writer.h"
#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"
#include "support/archive/files.h"
#include "support/archive/pruned.h"
#include "support/archive/refs.h"
#include "support/check.h"

enum {
	WAIT_MS = 1000,
	BIG_BYTES = 4500 * 1000, /* more than a frame */
	BIG_UID = 900,
	SMALLS = 60,
	SMALL_BYTES = 3000,
	FLIP_AT = 3000
};

#define READER CLEANUP(archive_freep) struct archive *
#define PATH   CLEANUP(freep) char *

static struct archive_sealed seal(const char *path, uint64_t open_bytes_min)
{
	const struct archive_seal wish = {.open_bytes_min = open_bytes_min};
	struct archive_sealed sealed = {0};
	struct err err = ERR_INIT;

	CHECK_OK(archive_seal(ref_of(path), &wish, WAIT_MS, &sealed, &err));
	return sealed;
}

/* Every message of every snapshot. */
static char *all_mail(const char *path)
{
	READER reader = fixture_reader(path);
	struct archive_list list = {.generation = PRUNED_SNAPSHOTS, .deleted = true};

	pruned_check_bytes(reader, PRUNED_SNAPSHOTS);
	return xstrdup(fixture_list(reader, &list));
}

static size_t files_of(const char *path)
{
	CLEANUP(volume_list_free) struct volume_list list = {0}, replaced = {0};
	struct err err = ERR_INIT;

	CHECK_OK(volume_list(path, &list, &err));
	CHECK_OK(volume_list_replaced(path, &replaced, &err));
	CHECK_INT(replaced.count, 0);
	return list.count;
}

static void a_sealed_archive_is_the_same_archive(void)
{
	PATH path = pruned_archive("same");
	PATH before = pruned_everything(path);
	PATH after = NULL;
	size_t volumes = files_of(path);
	struct archive_sealed sealed = seal(path, 0);

	CHECK(volumes > 2);
	CHECK_INT(sealed.volumes, volumes - 1);
	CHECK(sealed.bytes_after < sealed.bytes_before);
	CHECK_INT(files_of(path), volumes);
	after = pruned_everything(path);
	CHECK_STR(after, before);
	fixture_check(path);
	CHECK_INT(seal(path, 0).volumes, 0);
}

static void a_wal_checkpoint_leaves_the_archive_complete_without_wal_files(void)
{
	PATH path = pruned_archive("no_wal");
	PATH before = pruned_everything(path);
	PATH after = NULL;
	PATH catalogue = str_printf("%s/catalogue.db", path);
	CLEANUP(volume_list_free) struct volume_list list = {0};
	PATH newest = NULL;
	struct err err = ERR_INIT;

	CHECK_OK(volume_list(path, &list, &err));
	newest = layout_volume_path(path, &list.items[list.count - 1]);
	CHECK(db_has_wal(catalogue));
	CHECK_OK(archive_checkpoint_wal(ref_of(path), WAIT_MS, &err));
	CHECK(!db_has_wal(newest) && !db_has_wal(catalogue));
	after = pruned_everything(path);
	CHECK_STR(after, before);
	fixture_check(path);
}

static void sealing_ends_the_newest_volume_when_it_is_large_enough(void)
{
	PATH path = pruned_archive("newest");
	PATH before = pruned_everything(path);
	PATH after = NULL;
	size_t volumes = files_of(path);

	CHECK_INT(seal(path, 1000 * 1000 * 1000).volumes, volumes - 1);
	CHECK_INT(seal(path, 1).volumes, 1);
	CHECK_INT(files_of(path), volumes + 1);
	after = pruned_everything(path);
	CHECK_STR(after, before);
	fixture_check(path);
}

static void mail_after_sealing_goes_into_the_next_volume(void)
{
	PATH path = pruned_archive("goes-on");
	struct archive_writer *writer;

	(void)seal(path, 1);
	writer = fixture_writer(path);
	fixture_add(writer, 1, PRUNED_VALIDITY, BIG_UID, BIG_UID, SMALL_BYTES, "");
	(void)fixture_commit(writer, true);
	archive_writer_freep(&writer);
	fixture_check(path);
	CHECK_INT(seal(path, 1).volumes, 1);
	fixture_check(path);
}

static void sealed_volumes_rebuild_the_catalogue(void)
{
	PATH path = pruned_archive("rebuilt");
	PATH before = NULL;
	PATH after = NULL;
	struct err err = ERR_INIT;

	(void)seal(path, 1);
	before = pruned_everything(path);
	CHECK_OK(archive_rebuild(ref_of(path), WAIT_MS, &err));
	after = pruned_everything(path);
	CHECK_STR(after, before);
	fixture_check(path);
}

static void a_sealed_archive_can_be_pruned(void)
{
	PATH path = pruned_archive("pruned");
	struct archive_pruned pruned = {0};
	struct err err = ERR_INIT;
	READER reader = NULL;

	(void)seal(path, 1);
	CHECK_OK(pruned_prune(path, &(struct keep_rules){.last = 1}, 0, &pruned, &err));
	CHECK(pruned.messages > 0 && pruned.bytes > 0);
	fixture_check(path);
	(void)seal(path, 1);
	fixture_check(path);
	reader = fixture_reader(path);
	pruned_check_bytes(reader, PRUNED_SNAPSHOTS);
}

/* A journal checkpoint lists the replaced volume with the old locations. */
static void a_pruned_archive_can_be_sealed(void)
{
	PATH path = pruned_archive("sealed-late");
	struct archive_pruned pruned = {0};
	struct err err = ERR_INIT;

	CHECK_OK(pruned_prune(path, &(struct keep_rules){.last = 2}, 0, &pruned, &err));
	CHECK(seal(path, 1).volumes > 0);
	fixture_check(path);
	CHECK_OK(archive_rebuild(ref_of(path), WAIT_MS, &err));
	fixture_check(path);
}

static void big_items_are_sealed_in_pieces(void)
{
	PATH path = fixture_archive("big");
	struct archive_writer *writer = fixture_writer(path);
	int64_t folder = fixture_folder(writer, "INBOX", PRUNED_VALIDITY);
	int64_t generation;
	int64_t message;
	READER reader = NULL;

	fixture_add(writer, folder, PRUNED_VALIDITY, BIG_UID, BIG_UID, BIG_BYTES, "");
	for (uint32_t uid = 1; uid <= SMALLS; uid++)
		fixture_add(writer, folder, PRUNED_VALIDITY, uid, uid, SMALL_BYTES, "");
	generation = fixture_commit(writer, true);
	archive_writer_freep(&writer);
	CHECK_INT(seal(path, 1).volumes, 1);
	fixture_check(path);
	reader = fixture_reader(path);
	message = fixture_find(reader, generation, folder, PRUNED_VALIDITY, BIG_UID);
	fixture_check_message(reader, message, BIG_UID, BIG_BYTES);
}

static void readers_continue_during_the_rewrite(void)
{
	PATH path = pruned_archive("readers");
	READER reader = fixture_reader(path);

	pruned_check_bytes(reader, PRUNED_SNAPSHOTS);
	(void)seal(path, 1);
	pruned_check_bytes(reader, PRUNED_SNAPSHOTS);
}

static void copy_replaces_volumes_with_their_sealed_versions(void)
{
	PATH path = pruned_archive("copied");
	PATH copy = str_printf("%s.copy", path);
	PATH ours = NULL;
	PATH theirs = NULL;
	struct archive_copied copied;
	struct err err = ERR_INIT;

	CHECK_OK(archive_copy(ref_of(path), copy, WAIT_MS, &copied, &err));
	(void)seal(path, 1);
	CHECK_OK(archive_copy(ref_of(path), copy, WAIT_MS, &copied, &err));
	CHECK_INT(files_of(copy), files_of(path));
	ours = pruned_everything(path);
	theirs = pruned_everything(copy);
	CHECK_STR(theirs, ours);
	fixture_check(copy);
}

/* A volume being sealed is not a leftover, even if another process starts the next volume
 * meanwhile. */
static void a_new_volume_does_not_remove_one_being_sealed(void)
{
	PATH path = pruned_archive("meanwhile");
	PATH lock_path = str_printf("%s/sealing", path);
	PATH unfinished = str_printf("%s/volumes/00000009-unfinished.vol.new", path);
	CLEANUP(archive_writer_freep) struct archive_writer *writer = NULL;
	CLEANUP(fs_unlock) int lock = -1;
	struct err err = ERR_INIT;

	CHECK_OK(fs_write_atomic(unfinished, "", 0, 0600, &err));
	CHECK_OK(fs_lock(lock_path, WAIT_MS, &lock, &err));
	writer = fixture_writer(path);
	writer->volume_bytes_max = 1;
	CHECK_OK(archive_pin(writer, 1, true, &err));
	CHECK(fixture_commit(writer, true) > 0);
	CHECK(fs_exists(unfinished));
	fs_unlock(&lock);
	CHECK_OK(archive_pin(writer, 1, false, &err));
	CHECK(fixture_commit(writer, true) > 0);
	CHECK(!fs_exists(unfinished));
}

static void a_cancelled_seal_changes_nothing(void)
{
	PATH path = pruned_archive("stopped");
	PATH volumes = layout_volumes_path(path);
	PATH before = NULL;
	PATH after = NULL;
	CLEANUP(cancel_close) struct cancel cancel;
	struct archive_seal wish = {.cancel = &cancel};
	struct archive_sealed sealed;
	struct err err = ERR_INIT;

	CHECK_OK(cancel_init(&cancel, &err));
	before = files_digests(volumes);
	cancel_now(&cancel);
	CHECK(!archive_seal(ref_of(path), &wish, WAIT_MS, &sealed, &err));
	CHECK_INT(err.kind, ERR_CANCELLED);
	after = files_digests(volumes);
	CHECK_STR(after, before);
}

/* --- small ones --- */

static uint64_t merge(const char *path, size_t count)
{
	const struct archive_seal wish = {.open_bytes_min = 1, .small_count = count};
	struct archive_sealed sealed = {0};
	struct err err = ERR_INIT;

	CHECK_OK(archive_seal(ref_of(path), &wish, WAIT_MS, &sealed, &err));
	return sealed.merged;
}

/* Sealed after every commit. */
static char *of_many_small_volumes(const char *name)
{
	char *path = pruned_archive(name);

	for (uint32_t i = 0; i < SEAL_SMALL_COUNT; i++) {
		struct archive_writer *writer = fixture_writer(path);
		uint32_t uid = BIG_UID + i;

		fixture_add(writer, 1, PRUNED_VALIDITY, uid, uid, pruned_size(uid), "");
		(void)fixture_commit(writer, true);
		archive_writer_freep(&writer);
		CHECK_INT(merge(path, 0), 0);
	}
	return path;
}

static void many_small_sealed_volumes_are_merged(void)
{
	PATH path = of_many_small_volumes("small");
	PATH before = all_mail(path);
	PATH after = NULL;
	PATH whole = NULL;
	PATH again = NULL;
	size_t volumes;
	struct err err = ERR_INIT;

	CHECK_INT(merge(path, 10 * SEAL_SMALL_COUNT), 0);
	volumes = files_of(path);
	CHECK(volumes > SEAL_SMALL_COUNT);
	CHECK_INT(merge(path, SEAL_SMALL_COUNT), volumes); /* the newest had been sealed before */
	CHECK_INT(files_of(path), 2);
	after = all_mail(path);
	CHECK_STR(after, before);
	fixture_check(path);
	whole = pruned_everything(path);
	CHECK_OK(archive_rebuild(ref_of(path), WAIT_MS, &err));
	again = pruned_everything(path);
	CHECK_STR(again, whole);
	fixture_check(path);
	CHECK_INT(merge(path, SEAL_SMALL_COUNT), 0);
}

static void a_merged_archive_can_be_written_pruned_and_rebuilt(void)
{
	PATH path = of_many_small_volumes("lives");
	PATH copy = str_printf("%s.copy", path);
	PATH ours = NULL;
	PATH theirs = NULL;
	struct archive_copied copied;
	struct archive_pruned pruned;
	struct err err = ERR_INIT;

	CHECK_OK(archive_copy(ref_of(path), copy, WAIT_MS, &copied, &err));
	CHECK(merge(path, SEAL_SMALL_COUNT) > 0);
	CHECK_OK(archive_copy(ref_of(path), copy, WAIT_MS, &copied, &err));
	CHECK_INT(files_of(copy), files_of(path));
	ours = pruned_everything(path);
	theirs = pruned_everything(copy);
	CHECK_STR(theirs, ours);
	fixture_check(copy);
	CHECK_OK(pruned_prune(path, &(struct keep_rules){.last = 1}, 0, &pruned, &err));
	CHECK(pruned.messages > 0);
	fixture_check(path);
}

static void a_cancelled_merge_changes_nothing(void)
{
	PATH path = of_many_small_volumes("small-stopped");
	PATH volumes = layout_volumes_path(path);
	PATH before = files_digests(volumes);
	PATH after = NULL;
	CLEANUP(cancel_close) struct cancel cancel;
	struct archive_seal wish = {.small_count = 2, .cancel = &cancel};
	struct archive_sealed sealed;
	struct err err = ERR_INIT;

	CHECK_OK(cancel_init(&cancel, &err));
	cancel_now(&cancel);
	CHECK(!archive_seal(ref_of(path), &wish, WAIT_MS, &sealed, &err));
	CHECK_INT(err.kind, ERR_CANCELLED);
	after = files_digests(volumes);
	CHECK_STR(after, before);
	fixture_check(path);
}

static void a_damaged_small_volume_is_not_merged(void)
{
	PATH path = of_many_small_volumes("small-damaged");
	CLEANUP(volume_list_free) struct volume_list list = {0};
	CLEANUP(buf_free) struct buf bytes = BUF_INIT(64 * 1024 * 1024);
	PATH file = NULL;
	const struct archive_seal wish = {.small_count = 2};
	struct archive_sealed sealed;
	struct err err = ERR_INIT;

	CHECK_OK(volume_list(path, &list, &err));
	file = layout_volume_path(path, &list.items[1]);
	CHECK_OK(fs_read(file, &bytes, &err));
	for (size_t at = FLIP_AT; at < bytes.len; at += FLIP_AT)
		bytes.data[at] ^= 1;
	CHECK_OK(fs_write_atomic(file, bytes.data, bytes.len, 0400, &err));
	CHECK(!archive_seal(ref_of(path), &wish, WAIT_MS, &sealed, &err));
	CHECK_INT(err.kind, ERR_CORRUPT);
	CHECK_INT(files_of(path), list.count);
}

static void a_damaged_volume_is_not_sealed(void)
{
	PATH path = pruned_archive("damaged");
	CLEANUP(volume_list_free) struct volume_list list = {0};
	CLEANUP(buf_free) struct buf bytes = BUF_INIT(64 * 1024 * 1024);
	PATH file = NULL;
	struct archive_seal wish = {0};
	struct archive_sealed sealed;
	struct err err = ERR_INIT;
	FILE *out;

	CHECK_OK(volume_list(path, &list, &err));
	file = layout_volume_path(path, &list.items[0]);
	CHECK_OK(fs_read(file, &bytes, &err));
	for (size_t at = FLIP_AT; at < bytes.len; at += FLIP_AT)
		bytes.data[at] ^= 1;
	CHECK(unlink(file) == 0);
	out = fopen(file, "wb");
	CHECK(out && fwrite(bytes.data, bytes.len, 1, out) == 1 && fclose(out) == 0);
	CHECK(!archive_seal(ref_of(path), &wish, WAIT_MS, &sealed, &err));
	CHECK_INT(err.kind, ERR_CORRUPT);
	CHECK(fs_exists(file));
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(a_sealed_archive_is_the_same_archive),
		PROMISE(a_wal_checkpoint_leaves_the_archive_complete_without_wal_files),
		PROMISE(sealing_ends_the_newest_volume_when_it_is_large_enough),
		PROMISE(mail_after_sealing_goes_into_the_next_volume),
		PROMISE(sealed_volumes_rebuild_the_catalogue),
		PROMISE(a_sealed_archive_can_be_pruned),
		PROMISE(a_pruned_archive_can_be_sealed),
		PROMISE(big_items_are_sealed_in_pieces),
		PROMISE(readers_continue_during_the_rewrite),
		PROMISE(copy_replaces_volumes_with_their_sealed_versions),
		PROMISE(a_new_volume_does_not_remove_one_being_sealed),
		PROMISE(a_cancelled_seal_changes_nothing),
		PROMISE(many_small_sealed_volumes_are_merged),
		PROMISE(a_merged_archive_can_be_written_pruned_and_rebuilt),
		PROMISE(a_cancelled_merge_changes_nothing),
		PROMISE(a_damaged_small_volume_is_not_merged),
		PROMISE(a_damaged_volume_is_not_sealed),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
