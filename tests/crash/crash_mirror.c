/*
 * A mirror and a restore of thirty messages, stopped or failed at each of their changes of the
 * disk. Afterwards the archive opens, what was acknowledged is there byte for byte, and the next
 * run completes with nothing twice.
 */
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/check.h"
#include "support/crash_vfs.h"
#include "support/files.h"
#include "support/ring.h"

enum { LETTERS = 30, TIMES_MAX = 100000 };

typedef bool ring_work(struct ring *ring, struct err *err);

static bool mirror(struct ring *ring, struct err *err)
{
	return ring_mirror(ring, NULL, err);
}

/* True: the child came to its end before change n. */
static bool ends_before(struct ring *ring, ring_work *work, long n, enum crash_mode mode)
{
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		struct err err = ERR_INIT;

		crash_vfs_arm(n, mode);
		_exit(work(ring, &err) ? 0 : 1);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status));
	CHECK(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == CRASH_EXIT_CODE);
	crash_vfs_arm(0, CRASH_OFF);
	return WEXITSTATUS(status) == 0;
}

static struct ring *ring_on_port(const char *name)
{
	struct ring *ring = ring_new(&model_profile_full, LETTERS, name);

	ring->port = model_listen(ring->model);
	return ring;
}

/* A second pass writes nothing. */
static void check_quiet(struct ring *ring)
{
	CLEANUP(freep) char *before = files_digests(ring->archive);
	CLEANUP(freep) char *after = NULL;
	struct err err = ERR_INIT;

	CHECK_OK(mirror(ring, &err));
	after = files_digests(ring->archive);
	CHECK_STR(after, before);
}

static void complete(struct ring *ring)
{
	struct err err = ERR_INIT;

	CHECK_OK(mirror(ring, &err));
	ring_check_mirrored(ring);
	check_quiet(ring);
}

static void stop_first_pass(enum crash_mode mode, long step)
{
	CLEANUP(ring_freep) struct ring *ring = ring_on_port("first");
	bool ended = false;
	long n = 1;

	for (; !ended && n < TIMES_MAX; n += step) {
		ended = ends_before(ring, mirror, n, mode);
		complete(ring);
		ring_forget(ring);
	}
	(void)printf("# stopped at %ld changes\n", n / step);
	CHECK(ended);
}

static void stop_second_pass(enum crash_mode mode, long step)
{
	CLEANUP(ring_freep) struct ring *ring = ring_on_port("second");
	CLEANUP(freep) char *first_text = NULL;
	struct err err = ERR_INIT;
	int64_t first;
	bool ended = false;
	long n = 1;

	CHECK_OK(ring_mirror(ring, &first, &err));
	first_text = ring_archive_text(ring, first);
	ring_keep(ring);
	ring_change(ring);
	for (; !ended && n < TIMES_MAX; n += step) {
		CLEANUP(freep) char *first_now = NULL;

		ended = ends_before(ring, mirror, n, mode);
		first_now = ring_archive_text(ring, first);
		CHECK_STR(first_now, first_text);
		complete(ring);
		ring_put_back(ring);
	}
	(void)printf("# stopped at %ld changes\n", n / step);
	CHECK(ended);
}

static void a_first_pass_killed_at_every_change_is_completed_by_the_next(void)
{
	stop_first_pass(CRASH_EXIT, 1);
}

static void a_first_pass_killed_within_a_write_is_completed_by_the_next(void)
{
	stop_first_pass(CRASH_TEAR, 3);
}

static void a_later_pass_killed_at_every_change_loses_nothing_that_was_there(void)
{
	stop_second_pass(CRASH_EXIT, 1);
}

static void a_later_pass_killed_within_a_write_loses_nothing_that_was_there(void)
{
	stop_second_pass(CRASH_TEAR, 3);
}

static void fail_at_changes(enum crash_mode mode, enum err_kind kind)
{
	CLEANUP(ring_freep) struct ring *ring = ring_on_port("full");
	bool ended = false;
	long n = 1;

	for (; !ended && n < TIMES_MAX; n += 3) {
		struct err err = ERR_INIT;
		bool done;

		crash_vfs_arm(n, mode);
		done = mirror(ring, &err);
		ended = crash_vfs_count() < n;
		crash_vfs_arm(0, CRASH_OFF);
		if (!done)
			CHECK_INT(err.kind, kind);
		complete(ring);
		ring_forget(ring);
	}
	(void)printf("# failed at %ld changes\n", n / 3);
	CHECK(ended);
}

static void a_full_disk_is_said_and_gone_on_from(void)
{
	fail_at_changes(CRASH_FULL, ERR_NO_SPACE);
}

static void a_failing_write_is_said_and_gone_on_from(void)
{
	fail_at_changes(CRASH_FAIL_ONCE, ERR_LOCAL);
}

static void a_restore_killed_at_every_change_adds_nothing_twice(void)
{
	CLEANUP(ring_freep) struct ring *ring = ring_on_port("restore");
	CLEANUP(freep) char *bytes = NULL;
	struct err err = ERR_INIT;
	bool ended = false;
	long n = 1;

	CHECK_OK(mirror(ring, &err));
	ring_keep(ring);
	bytes = files_digests(ring->archive);
	for (; !ended && n < TIMES_MAX; n++) {
		CLEANUP(freep) char *bytes_now = NULL;

		ended = ends_before(ring, ring_restore, n, CRASH_EXIT);
		CHECK_OK(ring_restore(ring, &err));
		ring_check_restored(ring);
		bytes_now = files_digests(ring->archive);
		CHECK_STR(bytes_now, bytes);
		ring_put_back(ring);
		ring_new_target(ring);
	}
	(void)printf("# stopped at %ld changes\n", n);
	CHECK(ended);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(a_first_pass_killed_at_every_change_is_completed_by_the_next),
		PROMISE(a_first_pass_killed_within_a_write_is_completed_by_the_next),
		PROMISE(a_later_pass_killed_at_every_change_loses_nothing_that_was_there),
		PROMISE(a_later_pass_killed_within_a_write_loses_nothing_that_was_there),
		PROMISE(a_full_disk_is_said_and_gone_on_from),
		PROMISE(a_failing_write_is_said_and_gone_on_from),
		PROMISE(a_restore_killed_at_every_change_adds_nothing_twice),
	};

	crash_vfs_install();
	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
