/*
 * Pruning an archive, forgetting mail of it, sealing it and merging its small volumes, stopped or
 * failed at each of its changes of the disk. Afterwards the archive opens and is whole, all that is
 * to be kept is there byte for byte, and the next run completes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "archive/forget.h"
#include "archive/seal.h"
#include "archive/volume.h"
#include "base/alloc.h"
#include "base/str.h"
#include "support/check.h"
#include "support/crash_vfs.h"
#include "support/files.h"
#include "support/pruned.h"

enum { TIMES_MAX = 1000000, NEWEST = PRUNED_SNAPSHOTS, WAIT_MS = 1000, SMALL_COUNT = 3 };

/* The last one pins 4. */
static const char all_snapshots[] = "1 2 3 4 5 6 7";
static const char kept_snapshots[] = "4 7";

static bool prune(const char *path, struct err *err)
{
	struct archive_pruned pruned;

	return pruned_prune(path, &(struct keep_rules){.last = 1}, 0, &pruned, err);
}

/* One that is gone already and one that is there. */
static const uint32_t forgotten_uids[] = {13, 32};

static bool forget(const char *path, struct err *err)
{
	uint8_t digests[ARRAY_LEN(forgotten_uids)][SHA256_BYTES];
	struct archive_forgotten forgotten;

	for (size_t i = 0; i < ARRAY_LEN(forgotten_uids); i++) {
		CLEANUP(buf_free) struct buf message = BUF_INIT(FIXTURE_MESSAGE_MAX);
		uint32_t uid = forgotten_uids[i];

		fixture_message(&message, uid, pruned_size(uid));
		sha256_of(message.data, message.len, digests[i]);
	}
	return fixture_unlock(path, err) &&
	       archive_forget(path, (const uint8_t(*)[SHA256_BYTES])digests,
		       ARRAY_LEN(forgotten_uids), WAIT_MS, &forgotten, err);
}

/* Every volume but the newest is sealed, or the run has failed. */
static bool seal(const char *path, struct err *err)
{
	const struct archive_seal wish = {.open_bytes_min = 1};
	CLEANUP(volume_list_free) struct volume_list list = {0};
	struct archive_sealed sealed;
	bool done = fixture_unlock(path, err) && archive_seal(path, &wish, WAIT_MS, &sealed, err) &&
		    volume_list(path, &list, err);

	for (size_t i = 0; done && i + 1 < list.count; i++) {
		uint8_t replaces[ARCHIVE_UUID_BYTES];
		bool is_sealed;

		done = volume_peek_seal(path, &list.items[i], &is_sealed, replaces, err) &&
		       (is_sealed || err_set(err, ERR_LOCAL, "a volume is not sealed"));
	}
	return done;
}

/* What the archive is before merging. */
static bool make_small(const char *path, struct err *err)
{
	const struct archive_seal wish = {.open_bytes_min = 1};
	struct archive_sealed sealed;

	return fixture_unlock(path, err) && archive_seal(path, &wish, WAIT_MS, &sealed, err);
}

/* Fewer small sealed volumes than wanted and an open one, or the run has failed. */
static bool merge(const char *path, struct err *err)
{
	const struct archive_seal wish = {.open_bytes_min = 1, .small_count = SMALL_COUNT};
	CLEANUP(volume_list_free) struct volume_list list = {0};
	struct archive_sealed sealed;

	return fixture_unlock(path, err) && archive_seal(path, &wish, WAIT_MS, &sealed, err) &&
	       volume_list(path, &list, err) &&
	       (list.count <= SMALL_COUNT ||
		       err_set(err, ERR_LOCAL, "there are %zu volumes", list.count));
}

struct work {
	bool (*make_ready)(const char *path, struct err *err); /* NULL: it is */
	bool (*run)(const char *path, struct err *err);
	bool (*is_done)(struct archive *archive);
};

/* An archive as it is before; the caller frees the path. */
static char *prepare(const struct work *work)
{
	char *path = str_printf("%s/before", check_temp_dir());
	struct archive_writer *writer;
	struct err err = ERR_INIT;

	files_remove(path);
	CHECK_OK(fixture_create(path, &err));
	pruned_fill(path);
	writer = fixture_writer(path);
	CHECK_OK(archive_pin(writer, 4, true, &err));
	CHECK_INT(fixture_commit(writer, true), NEWEST + 1);
	archive_writer_freep(&writer);
	if (work->make_ready)
		CHECK_OK(work->make_ready(path, &err));
	return path;
}

static char *list_of(struct archive *archive, int64_t generation)
{
	return xstrdup(fixture_list_at(archive, generation));
}

static char *everything(struct archive *archive)
{
	struct archive_list list = {.generation = NEWEST + 1, .deleted = true};

	return xstrdup(fixture_list(archive, &list));
}

static bool is_pruned(struct archive *archive)
{
	CLEANUP(freep) char *snapshots = pruned_snapshots(archive);
	bool done = strcmp(snapshots, kept_snapshots) == 0;

	if (!done)
		CHECK_STR(snapshots, all_snapshots);
	return done;
}

/* Both or neither. */
static bool is_forgotten(struct archive *archive)
{
	CLEANUP(freep) char *list = everything(archive);
	bool gone_there = strstr(list, " 13 ") != NULL;
	bool present_there = strstr(list, " 32 ") != NULL;

	CHECK(gone_there == present_there);
	return !present_there;
}

/* Nothing else is to be seen of it. */
static bool is_as_before(struct archive *archive)
{
	CLEANUP(freep) char *snapshots = pruned_snapshots(archive);

	CHECK_STR(snapshots, all_snapshots);
	return true;
}

static const struct work sealing = {NULL, seal, is_as_before};
static const struct work merging = {make_small, merge, is_as_before};
static const struct work pruning = {NULL, prune, is_pruned};
static const struct work forgetting = {NULL, forget, is_forgotten};

/* What must hold whatever happened. */
static bool check_sound(const char *path, const struct work *work)
{
	CLEANUP(archive_writer_freep) struct archive_writer *writer = fixture_writer(path);
	struct archive *view = archive_writer_view(writer);
	CLEANUP(freep) char *list = list_of(view, NEWEST + 1);

	CHECK(strstr(list, " 31 ") != NULL && strstr(list, " 36 ") != NULL);
	pruned_check_bytes(view, NEWEST + 1);
	return work->is_done(view);
}

static void check_complete(const char *path, const struct work *work)
{
	struct err err = ERR_INIT;

	(void)check_sound(path, work);
	pruned_check(path);
	CHECK_OK(work->run(path, &err));
	CHECK(check_sound(path, work));
	pruned_check(path);
}

static bool ends_before(const char *path, const struct work *work, long n, enum crash_mode mode)
{
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		struct err err = ERR_INIT;
		bool done;

		crash_vfs_arm(n, mode);
		done = work->run(path, &err);
		if (mode == CRASH_POWER || mode == CRASH_POWER_MIXED)
			crash_vfs_cut_power();
		_exit(done ? 0 : 1);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status));
	CHECK(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == CRASH_EXIT_CODE);
	return WEXITSTATUS(status) == 0;
}

static void stop_everywhere(const struct work *work, enum crash_mode mode, long step)
{
	CLEANUP(freep) char *before = prepare(work);
	CLEANUP(freep) char *path = str_printf("%s/ring", check_temp_dir());
	bool ended = false;
	long n = 1;

	for (; !ended && n < TIMES_MAX; n += check_stride(step)) {
		files_copy(before, path);
		ended = ends_before(path, work, n, mode);
		crash_vfs_arm(0, CRASH_OFF);
		check_complete(path, work);
		files_remove(path);
	}
	(void)printf("# stopped at %ld changes\n", (n - 1) / check_stride(step));
	CHECK(ended);
}

static void fail_everywhere(const struct work *work, enum crash_mode mode, long step)
{
	CLEANUP(freep) char *before = prepare(work);
	CLEANUP(freep) char *path = str_printf("%s/ring", check_temp_dir());
	bool ended = false;
	long n = 1;

	for (; !ended && n < TIMES_MAX; n += check_stride(step)) {
		struct err err = ERR_INIT;

		files_copy(before, path);
		crash_vfs_arm(n, mode);
		(void)work->run(path, &err);
		ended = crash_vfs_count() < n;
		crash_vfs_arm(0, CRASH_OFF);
		check_complete(path, work);
		files_remove(path);
	}
	(void)printf("# failed at %ld changes\n", (n - 1) / check_stride(step));
	CHECK(ended);
}

static void killed_at_every_change_nothing_that_is_kept_is_lost(void)
{
	stop_everywhere(&pruning, CRASH_EXIT, 1);
	stop_everywhere(&forgetting, CRASH_EXIT, 2);
	stop_everywhere(&sealing, CRASH_EXIT, 5);
	stop_everywhere(&merging, CRASH_EXIT, 5);
}

static void killed_within_a_write_nothing_that_is_kept_is_lost(void)
{
	stop_everywhere(&pruning, CRASH_TEAR, 3);
	stop_everywhere(&forgetting, CRASH_TEAR, 11);
	stop_everywhere(&sealing, CRASH_TEAR, 17);
	stop_everywhere(&merging, CRASH_TEAR, 29);
}

static void a_power_cut_at_every_change_takes_nothing_that_is_kept(void)
{
	stop_everywhere(&pruning, CRASH_POWER, 1);
	stop_everywhere(&forgetting, CRASH_POWER, 3);
	stop_everywhere(&sealing, CRASH_POWER, 7);
	stop_everywhere(&merging, CRASH_POWER, 11);
}

static void writes_in_an_order_of_the_disk_take_nothing_that_is_kept(void)
{
	stop_everywhere(&pruning, CRASH_POWER_MIXED, 1);
	stop_everywhere(&forgetting, CRASH_POWER_MIXED, 5);
	stop_everywhere(&sealing, CRASH_POWER_MIXED, 7);
	stop_everywhere(&merging, CRASH_POWER_MIXED, 17);
}

static void a_full_disk_takes_nothing_that_is_kept(void)
{
	fail_everywhere(&pruning, CRASH_FULL, 1);
	fail_everywhere(&forgetting, CRASH_FULL, 7);
	fail_everywhere(&sealing, CRASH_FULL, 13);
	fail_everywhere(&merging, CRASH_FULL, 23);
}

static void a_failing_write_takes_nothing_that_is_kept(void)
{
	fail_everywhere(&pruning, CRASH_FAIL_ONCE, 1);
	fail_everywhere(&forgetting, CRASH_FAIL_ONCE, 7);
	fail_everywhere(&sealing, CRASH_FAIL_ONCE, 13);
	fail_everywhere(&merging, CRASH_FAIL_ONCE, 23);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(killed_at_every_change_nothing_that_is_kept_is_lost),
		PROMISE(killed_within_a_write_nothing_that_is_kept_is_lost),
		PROMISE(a_power_cut_at_every_change_takes_nothing_that_is_kept),
		PROMISE(writes_in_an_order_of_the_disk_take_nothing_that_is_kept),
		PROMISE(a_full_disk_takes_nothing_that_is_kept),
		PROMISE(a_failing_write_takes_nothing_that_is_kept),
	};

	crash_vfs_install();
	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
