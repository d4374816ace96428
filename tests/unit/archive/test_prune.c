/* Pruning: what is kept is present byte for byte; the rest and its bytes are gone. */
#include "archive/prune.h"

#include <stdlib.h>
#include <string.h>

#include "archive/archive.h"
#include "archive/compact/reclaim.h"
#include "archive/copy.h"
#include "archive/read/reader.h"
#include "archive/volume/volume.h"
#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"
#include "support/archive/files.h"
#include "support/archive/pruned.h"
#include "support/archive/refs.h"
#include "support/check.h"

enum { WAIT_MS = 1000, FOREVER = -1 };

#define READER CLEANUP(archive_freep) struct archive *
#define PATH   CLEANUP(freep) char *

static struct archive_pruned prune(const char *path, struct keep_rules keep, int64_t keep_deleted)
{
	struct archive_pruned pruned = {0};
	struct err err = ERR_INIT;

	CHECK_OK(pruned_prune(path, &keep, keep_deleted, &pruned, &err));
	return pruned;
}

static char *list_of(const char *path, int64_t generation, bool deleted)
{
	READER reader = fixture_reader(path);
	struct archive_list list = {.generation = generation, .deleted = deleted};

	return xstrdup(fixture_list(reader, &list));
}

static size_t volumes_of(const char *path)
{
	CLEANUP(volume_list_free) struct volume_list list = {0};
	struct err err = ERR_INIT;

	CHECK_OK(volume_list(path, &list, &err));
	return list.count;
}

static void expect_snapshots(const char *path, const char *wanted)
{
	READER reader = fixture_reader(path);
	PATH got = pruned_snapshots(reader);

	CHECK_STR(got, wanted);
}

static void deleted_mail_outlives_its_snapshots(void)
{
	PATH path = pruned_archive("forever");
	PATH before = list_of(path, 6, true);
	struct archive_pruned pruned = prune(path, (struct keep_rules){.last = 1}, FOREVER);
	PATH after = NULL;
	READER reader = NULL;

	CHECK_INT(pruned.snapshots, 5);
	CHECK_INT(pruned.kept, 1);
	CHECK_INT(pruned.messages, 0);
	expect_snapshots(path, "6");
	after = list_of(path, 6, true);
	CHECK_STR(after, before);
	reader = fixture_reader(path);
	pruned_check_bytes(reader, 6);
	fixture_check(path);
}

static void prune_removes_mail_no_kept_snapshot_needs_and_its_bytes(void)
{
	PATH path = pruned_archive("gone");
	PATH at_two = list_of(path, 2, false);
	PATH at_six = list_of(path, 6, false);
	PATH two = NULL;
	PATH six = NULL;
	size_t volumes = volumes_of(path);
	struct err err = ERR_INIT;
	struct archive_writer *writer = fixture_writer(path);
	struct archive_pruned pruned;
	READER reader = NULL;

	CHECK(volumes > 3);
	CHECK_OK(archive_pin(writer, 2, true, &err));
	(void)fixture_commit(writer, true);
	archive_writer_freep(&writer);
	pruned = prune(path, (struct keep_rules){.last = 1}, 0);
	CHECK_INT(pruned.snapshots, 5); /* 1, 3, 4, 5 and 6, which 7 equals */
	CHECK_INT(pruned.messages, 2 * PRUNED_EACH);
	CHECK(pruned.bytes > 0);
	expect_snapshots(path, "2 7");
	two = list_of(path, 2, false);
	six = list_of(path, 7, false);
	CHECK_STR(two, at_two);
	CHECK_STR(six, at_six);
	reader = fixture_reader(path);
	pruned_check_bytes(reader, 7);
	fixture_check(path);
	CHECK(volumes_of(path) < volumes);
}

static void a_dry_run_counts_and_changes_nothing(void)
{
	PATH path = pruned_archive("dry");
	struct archive_prune rules = {.keep = {.last = 1},
		.keep_deleted_ms = 0,
		.now_ms = clock_wall_ms() + 1000,
		.dry_run = true};
	struct archive_pruned dry, done;
	PATH before = NULL;
	PATH after = NULL;
	struct err err = ERR_INIT;

	CHECK_OK(
		archive_prune(ref_of(path), &rules, WAIT_MS, &done, &err)); /* empties -wal files */
	before = files_digests(path);
	CHECK_OK(archive_prune(ref_of(path), &rules, WAIT_MS, &dry, &err));
	after = files_digests(path);
	CHECK_STR(after, before);
	expect_snapshots(path, "1 2 3 4 5 6");
	rules.dry_run = false;
	CHECK_OK(archive_prune(ref_of(path), &rules, WAIT_MS, &done, &err));
	CHECK_INT(dry.snapshots, done.snapshots);
	CHECK_INT(dry.messages, done.messages);
	CHECK_INT(dry.message_bytes, done.message_bytes);
	CHECK_INT(dry.volumes, done.volumes);
	CHECK(dry.bytes > 0 && done.bytes > 0);
}

static void prune_never_removes_present_mail_and_keep_all_removes_nothing(void)
{
	PATH path = pruned_archive("all");
	PATH before = list_of(path, 6, true);
	PATH digests = NULL;
	PATH same = NULL;
	PATH after = NULL;

	(void)prune(path, (struct keep_rules){.all = true}, FOREVER);
	digests = files_digests(path);
	(void)prune(path, (struct keep_rules){.all = true}, 0);
	same = files_digests(path);
	CHECK_STR(same, digests);
	expect_snapshots(path, "1 2 3 4 5 6");
	after = list_of(path, 6, true);
	CHECK_STR(after, before);
}

static void mail_after_pruning_survives_a_rebuild_from_the_volumes(void)
{
	PATH path = pruned_archive("after");
	struct archive_writer *writer = NULL;
	PATH before = NULL;
	PATH again = NULL;
	struct err err = ERR_INIT;

	(void)prune(path, (struct keep_rules){.last = 2}, 0);
	writer = fixture_writer(path);
	fixture_add(writer, 1, PRUNED_VALIDITY, 900, 900, pruned_size(900), "later");
	CHECK_INT(fixture_commit(writer, true), 7);
	archive_writer_freep(&writer);
	before = list_of(path, 7, true);
	(void)prune(path, (struct keep_rules){.last = 1}, 0);
	fixture_remove_catalogue(path);
	CHECK_OK(archive_rebuild(ref_of(path), WAIT_MS, &err));
	again = list_of(path, 7, false);
	CHECK(strstr(again, "later") != NULL);
	fixture_check(path);
	expect_snapshots(path, "7");
	/* once more, with nothing to do */
	CHECK_INT(prune(path, (struct keep_rules){.last = 1}, 0).snapshots, 0);
}

static void an_older_catalogue_is_replaced_by_the_checkpoint(void)
{
	PATH path = pruned_archive("older");
	PATH kept = str_printf("%s/kept", check_temp_dir());
	PATH catalogue = str_printf("%s/catalogue.db", path);
	PATH wal = str_printf("%s/catalogue.db-wal", path);
	PATH old = str_printf("%s/catalogue.db", kept);
	PATH old_wal = str_printf("%s/catalogue.db-wal", kept);
	struct err err = ERR_INIT;

	files_copy(path, kept);
	(void)prune(path, (struct keep_rules){.last = 1}, 0);
	fixture_remove_catalogue(path);
	CHECK_OK(fs_rename(old, catalogue, &err));
	CHECK_OK(fs_rename(old_wal, wal, &err));
	{
		struct archive_writer *writer = fixture_writer(path);

		archive_writer_freep(&writer);
	}
	expect_snapshots(path, "6");
	fixture_check(path);
}

static void volumes_missing_from_the_checkpoint_are_removed(void)
{
	PATH path = pruned_archive("litter");
	PATH kept = str_printf("%s/kept_litter", check_temp_dir());
	CLEANUP(volume_list_free) struct volume_list list = {0};
	struct err err = ERR_INIT;
	size_t volumes;

	files_copy(path, kept);
	CHECK_OK(volume_list(kept, &list, &err));
	(void)prune(path, (struct keep_rules){.last = 1}, 0);
	volumes = volumes_of(path);
	for (size_t i = 0; i < list.count; i++) {
		PATH from = layout_volume_path(kept, &list.items[i]);
		PATH to = layout_volume_path(path, &list.items[i]);

		if (!fs_exists(to))
			CHECK_OK(fs_rename(from, to, &err));
	}
	CHECK(volumes_of(path) > volumes);
	fixture_check(path);
	{
		struct archive_writer *writer = fixture_writer(path);

		archive_writer_freep(&writer);
	}
	CHECK_INT(volumes_of(path), volumes);
	fixture_check(path);
}

static void an_open_reader_continues_after_prune(void)
{
	PATH path = pruned_archive("reader");
	READER reader = fixture_reader(path);

	pruned_check_bytes(reader, 2);
	(void)prune(path, (struct keep_rules){.last = 1}, 0);
	pruned_check_bytes(reader, 6);
}

/* A reader keeps everything that its view shows. */
static void volumes_stay_until_their_last_reader_closes(void)
{
	PATH path = pruned_archive("looked-at");
	size_t volumes = volumes_of(path);
	READER reader = fixture_reader(path);
	struct archive_writer *writer;
	struct err err = ERR_INIT;

	CHECK_OK(archive_enter(reader, &err));
	(void)prune(path, (struct keep_rules){.last = 1}, 0);
	CHECK(volumes_of(path) >= volumes);
	pruned_check_bytes(reader, 2);
	archive_leave(reader);
	writer = fixture_writer(path);
	archive_writer_freep(&writer);
	CHECK(volumes_of(path) < volumes);
	fixture_check(path);
}

static void times_of_kept_mail_survive_their_pruned_snapshots(void)
{
	PATH path = pruned_archive("times");
	PATH none = NULL;
	READER reader = NULL;
	struct archive_snapshot found;
	struct err err = ERR_INIT;

	(void)prune(path, (struct keep_rules){.last = 1}, FOREVER);
	reader = fixture_reader(path);
	pruned_check_bytes(reader, 6); /* each has its time */
	CHECK(!archive_resolve(reader,
		(struct archive_when){.kind = ARCHIVE_GENERATION, .generation = 3}, &found, &err));
	CHECK_INT(err.kind, ERR_NOT_FOUND);
	none = str_printf("%s", err.text);
	CHECK(strstr(none, "3") != NULL);
}

static void a_copy_follows_and_drops_the_same_volumes(void)
{
	PATH path = pruned_archive("source");
	PATH to = str_printf("%s/copy", check_temp_dir());
	PATH ours = NULL;
	PATH theirs = NULL;
	PATH stranger = NULL;
	PATH half = str_printf("%s/volumes/half.vol.new", to);
	struct archive_copied copied;
	struct err err = ERR_INIT;

	CHECK_OK(archive_copy(ref_of(path), to, WAIT_MS, &copied, &err));
	CHECK_INT(volumes_of(to), volumes_of(path));
	CHECK_OK(fs_write_atomic(half, "", 0, 0600, &err)); /* of a copy that was stopped */
	(void)prune(path, (struct keep_rules){.last = 1}, 0);
	CHECK_OK(archive_copy(ref_of(path), to, WAIT_MS, &copied, &err));
	CHECK_INT(volumes_of(to), volumes_of(path));
	CHECK(!fs_exists(half));
	fixture_check(to);
	ours = list_of(path, 6, true);
	theirs = list_of(to, 6, true);
	CHECK_STR(theirs, ours);
	stranger = fixture_archive("stranger");
	CHECK(!archive_copy(ref_of(path), stranger, WAIT_MS, &copied, &err));
	CHECK_INT(err.kind, ERR_CREATE);
}

static void doom_all_but(struct maintenance *job, int64_t newest)
{
	struct db *catalogue = job->packer.catalogue;
	struct err err = ERR_INIT;

	CHECK_OK(db_begin(catalogue, &err));
	for (int64_t sequence = 1; sequence < newest; sequence++)
		CHECK_OK(catalogue_set_volume_state(catalogue, sequence, VOLUME_DOOMED, &err));
}

/* A reader may need all of them: never more than one round's volumes exist twice. */
static void no_further_round_starts_while_a_reader_needs_emptied_volumes(void)
{
	PATH path = pruned_archive("held-rounds");
	size_t volumes = volumes_of(path);
	READER reader = fixture_reader(path);
	CLEANUP(maintenance_close) struct maintenance job = {.lock = -1};
	struct reclaim reclaim;
	struct err err = ERR_INIT;

	CHECK_OK(archive_enter(reader, &err));
	CHECK_OK(maintenance_open(&job, ref_of(path), WAIT_MS, &err));
	reclaim_init(&reclaim, &job);
	reclaim.round_bytes = 1;
	reclaim.reader_wait_ms = 0;
	doom_all_but(&job, (int64_t)volumes);
	CHECK(!reclaim_run(&reclaim, &err));
	CHECK_INT(err.kind, ERR_BUSY);
	CHECK_INT(reclaim.volumes, 1);
	pruned_check_bytes(reader, 6);
	archive_leave(reader);
	CHECK_OK(reclaim_run(&reclaim, &err));
	maintenance_close(&job);
	CHECK_INT(volumes_of(path), 1);
	fixture_check(path);
}

/* This bounds what the disk holds twice. */
static void emptied_volumes_are_removed_round_by_round(void)
{
	PATH path = pruned_archive("rounds");
	PATH before = list_of(path, 6, true);
	PATH after = NULL;
	CLEANUP(maintenance_close) struct maintenance job = {.lock = -1};
	struct reclaim reclaim;
	size_t volumes = volumes_of(path);
	READER reader = NULL;
	struct err err = ERR_INIT;

	CHECK(volumes > 3);
	CHECK_OK(maintenance_open(&job, ref_of(path), WAIT_MS, &err));
	reclaim_init(&reclaim, &job);
	reclaim.round_bytes = 1;
	doom_all_but(&job, (int64_t)volumes);
	CHECK_OK(reclaim_run(&reclaim, &err));
	CHECK_INT(reclaim.volumes, volumes - 1);
	maintenance_close(&job);
	CHECK_INT(volumes_of(path), 1);
	after = list_of(path, 6, true);
	CHECK_STR(after, before);
	reader = fixture_reader(path);
	pruned_check_bytes(reader, 6);
	fixture_check(path);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(deleted_mail_outlives_its_snapshots),
		PROMISE(prune_removes_mail_no_kept_snapshot_needs_and_its_bytes),
		PROMISE(a_dry_run_counts_and_changes_nothing),
		PROMISE(prune_never_removes_present_mail_and_keep_all_removes_nothing),
		PROMISE(mail_after_pruning_survives_a_rebuild_from_the_volumes),
		PROMISE(an_older_catalogue_is_replaced_by_the_checkpoint),
		PROMISE(volumes_missing_from_the_checkpoint_are_removed),
		PROMISE(an_open_reader_continues_after_prune),
		PROMISE(a_copy_follows_and_drops_the_same_volumes),
		PROMISE(volumes_stay_until_their_last_reader_closes),
		PROMISE(no_further_round_starts_while_a_reader_needs_emptied_volumes),
		PROMISE(emptied_volumes_are_removed_round_by_round),
		PROMISE(times_of_kept_mail_survive_their_pruned_snapshots),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
