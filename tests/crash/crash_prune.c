/*
 * Pruning an archive, stopped or failed at each of its changes of the disk. Afterwards the archive
 * opens and is whole, all that is to be kept is there byte for byte, and the next run completes.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/str.h"
#include "support/check.h"
#include "support/crash_vfs.h"
#include "support/files.h"
#include "support/pruned.h"

enum { TIMES_MAX = 1000000, NEWEST = PRUNED_SNAPSHOTS };

/* The last one pins 4. */
static const char all_snapshots[] = "1 2 3 4 5 6 7";
static const char kept_snapshots[] = "4 7";

static bool work(const char *path, struct err *err)
{
	struct archive_pruned pruned;

	return pruned_prune(path, &(struct keep_rules){.last = 1}, 0, &pruned, err);
}

/* An archive as it is before; the caller frees the path. */
static char *prepare(void)
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
	return path;
}

static char *list_of(struct archive *archive, int64_t generation)
{
	return xstrdup(fixture_list_at(archive, generation));
}

/* What must hold whatever happened. *ret_done: it was pruned. */
static void check_sound(const char *path, const char *newest, bool *ret_done)
{
	CLEANUP(archive_writer_freep) struct archive_writer *writer = fixture_writer(path);
	struct archive *view = archive_writer_view(writer);
	CLEANUP(freep) char *snapshots = pruned_snapshots(view);
	CLEANUP(freep) char *list = list_of(view, NEWEST + 1);

	*ret_done = strcmp(snapshots, kept_snapshots) == 0;
	if (!*ret_done)
		CHECK_STR(snapshots, all_snapshots);
	CHECK_STR(list, newest);
	pruned_check_bytes(view, NEWEST + 1);
}

static void check_complete(const char *path, const char *newest)
{
	struct err err = ERR_INIT;
	bool done;

	check_sound(path, newest, &done);
	pruned_check(path);
	CHECK_OK(work(path, &err));
	check_sound(path, newest, &done);
	CHECK(done);
	pruned_check(path);
}

static bool ends_before(const char *path, long n, enum crash_mode mode)
{
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		struct err err = ERR_INIT;
		bool done;

		crash_vfs_arm(n, mode);
		done = work(path, &err);
		if (mode == CRASH_POWER || mode == CRASH_POWER_MIXED)
			crash_vfs_cut_power();
		_exit(done ? 0 : 1);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status));
	CHECK(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == CRASH_EXIT_CODE);
	return WEXITSTATUS(status) == 0;
}

static void stop_everywhere(enum crash_mode mode, long step)
{
	CLEANUP(freep) char *before = prepare();
	CLEANUP(freep) char *path = str_printf("%s/ring", check_temp_dir());
	CLEANUP(archive_freep) struct archive *reader = fixture_reader(before);
	CLEANUP(freep) char *newest = list_of(reader, NEWEST + 1);
	bool ended = false;
	long n = 1;

	archive_freep(&reader);
	for (; !ended && n < TIMES_MAX; n += step) {
		files_copy(before, path);
		ended = ends_before(path, n, mode);
		crash_vfs_arm(0, CRASH_OFF);
		check_complete(path, newest);
		files_remove(path);
	}
	(void)printf("# stopped at %ld changes\n", (n - 1) / step);
	CHECK(ended);
}

static void fail_everywhere(enum crash_mode mode)
{
	CLEANUP(freep) char *before = prepare();
	CLEANUP(freep) char *path = str_printf("%s/ring", check_temp_dir());
	CLEANUP(archive_freep) struct archive *reader = fixture_reader(before);
	CLEANUP(freep) char *newest = list_of(reader, NEWEST + 1);
	bool ended = false;
	long n = 1;

	archive_freep(&reader);
	for (; !ended && n < TIMES_MAX; n++) {
		struct err err = ERR_INIT;

		files_copy(before, path);
		crash_vfs_arm(n, mode);
		(void)work(path, &err);
		ended = crash_vfs_count() < n;
		crash_vfs_arm(0, CRASH_OFF);
		check_complete(path, newest);
		files_remove(path);
	}
	(void)printf("# failed at %ld changes\n", n - 1);
	CHECK(ended);
}

static void killed_at_every_change_nothing_that_is_kept_is_lost(void)
{
	stop_everywhere(CRASH_EXIT, 1);
}

static void killed_within_a_write_nothing_that_is_kept_is_lost(void)
{
	stop_everywhere(CRASH_TEAR, 3);
}

static void a_power_cut_at_every_change_takes_nothing_that_is_kept(void)
{
	stop_everywhere(CRASH_POWER, 1);
}

static void writes_in_an_order_of_the_disk_take_nothing_that_is_kept(void)
{
	stop_everywhere(CRASH_POWER_MIXED, 1);
}

static void a_full_disk_takes_nothing_that_is_kept(void)
{
	fail_everywhere(CRASH_FULL);
}

static void a_failing_write_takes_nothing_that_is_kept(void)
{
	fail_everywhere(CRASH_FAIL_ONCE);
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
