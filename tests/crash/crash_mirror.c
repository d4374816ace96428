/*
 * Mirrors and restores thirty messages, with a stop or a failure at each change of the disk.
 * Afterwards the archive opens, everything acknowledged is present byte for byte, and the next run
 * completes without storing anything twice.
 */
#include <stdio.h>
#include <unistd.h>

#include "support/archive/files.h"
#include "support/check.h"
#include "support/crash/crash_vfs.h"
#include "support/crash/forker.h"
#include "support/crash/ring.h"

enum { LETTERS = 30, TIMES_MAX = 100000, PATH_BYTES_MAX = 300, NAME_BYTES_MAX = 20 };

enum work { WORK_MIRROR, WORK_RESTORE };

struct order {
	enum work work;
	long n;
	enum crash_mode mode;
	uint16_t port;
	char place[PATH_BYTES_MAX];
	char target[NAME_BYTES_MAX];
};

static bool mirror(struct ring *ring, struct err *err)
{
	return ring_mirror(ring, NULL, err);
}

static void obey(const void *context)
{
	const struct order *order = context;
	struct ring ring;
	struct err err = ERR_INIT;
	bool done;

	ring_join(&ring, order->place, order->target, order->port);
	crash_vfs_arm(order->n, order->mode);
	done = (order->work == WORK_MIRROR ? mirror : ring_restore)(&ring, &err);
	if (order->mode == CRASH_POWER || order->mode == CRASH_POWER_MIXED)
		crash_vfs_cut_power();
	_exit(done ? 0 : 1);
}

/* True: the process ended before change n. */
static bool ends_before(struct ring *ring, enum work work, long n, enum crash_mode mode)
{
	struct order order = {.work = work, .n = n, .mode = mode, .port = ring->port};
	int code;

	(void)snprintf(order.place, sizeof(order.place), "%s", ring->place);
	(void)snprintf(order.target, sizeof(order.target), "%s", ring->target);
	code = forker_order(&order);
	CHECK(code == 0 || code == CRASH_EXIT_CODE);
	return code == 0;
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

	for (; !ended && n < TIMES_MAX; n += check_stride(step)) {
		ended = ends_before(ring, WORK_MIRROR, n, mode);
		ring_check_sound(ring, ended);
		complete(ring);
		ring_forget(ring);
	}
	(void)printf("# stopped at %ld changes\n", n / check_stride(step));
	CHECK(ended);
}

/* The first pass fetched every message; no later pass fetched one again. */
static void check_bodies(struct ring *ring)
{
	CHECK_INT(ring_bodies(ring), LETTERS);
}

static void stop_second_pass(enum crash_mode mode, long step, void (*change)(struct ring *ring))
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
	change(ring);
	for (; !ended && n < TIMES_MAX; n += check_stride(step)) {
		CLEANUP(freep) char *first_now = NULL;

		ended = ends_before(ring, WORK_MIRROR, n, mode);
		first_now = ring_archive_text(ring, first);
		CHECK_STR(first_now, first_text);
		if (ended)
			ring_check_sound(ring, true);
		complete(ring);
		ring_put_back(ring);
	}
	(void)printf("# stopped at %ld changes\n", n / check_stride(step));
	CHECK(ended);
	if (change == ring_rename)
		check_bodies(ring);
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
	stop_second_pass(CRASH_EXIT, 1, ring_change);
}

static void a_later_pass_killed_within_a_write_loses_nothing_that_was_there(void)
{
	stop_second_pass(CRASH_TEAR, 3, ring_change);
}

static void a_power_cut_at_every_change_of_a_first_pass_is_mended(void)
{
	stop_first_pass(CRASH_POWER, 1);
	stop_first_pass(CRASH_POWER_MIXED, 1);
}

static void a_power_cut_at_every_change_of_a_later_pass_is_mended(void)
{
	stop_second_pass(CRASH_POWER, 1, ring_change);
	stop_second_pass(CRASH_POWER_MIXED, 1, ring_change);
}

static void a_pass_over_renamed_folders_killed_at_every_change_fetches_nothing_again(void)
{
	stop_second_pass(CRASH_EXIT, 1, ring_rename);
	stop_second_pass(CRASH_POWER_MIXED, 1, ring_rename);
}

static void fail_at_changes(enum crash_mode mode, enum err_kind kind)
{
	CLEANUP(ring_freep) struct ring *ring = ring_on_port("full");
	bool ended = false;
	long n = 1;

	for (; !ended && n < TIMES_MAX; n += check_stride(1)) {
		struct err err = ERR_INIT;
		bool done;

		crash_vfs_arm(n, mode);
		done = mirror(ring, &err);
		ended = crash_vfs_count() < n;
		crash_vfs_arm(0, CRASH_OFF);
		if (!done && err.kind != kind && !(kind == ERR_LOCAL && err.kind == ERR_CREATE))
			check_fail(__FILE__, __LINE__, "change %ld: %s", n, err.text);
		complete(ring);
		ring_forget(ring);
	}
	(void)printf("# failed at %ld changes\n", (n - 1) / check_stride(1));
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

static void stop_restore(enum crash_mode mode, long step)
{
	CLEANUP(ring_freep) struct ring *ring = ring_on_port("restore");
	CLEANUP(freep) char *bytes = NULL;
	struct err err = ERR_INIT;
	bool ended = false;
	long n = 1;

	CHECK_OK(mirror(ring, &err));
	ring_keep(ring);
	bytes = files_digests(ring->archive);
	for (; !ended && n < TIMES_MAX; n += check_stride(step)) {
		CLEANUP(freep) char *bytes_now = NULL;

		ended = ends_before(ring, WORK_RESTORE, n, mode);
		CHECK_OK(ring_restore(ring, &err));
		ring_check_restored(ring);
		bytes_now = files_digests(ring->archive);
		CHECK_STR(bytes_now, bytes);
		ring_put_back(ring);
		ring_new_target(ring);
	}
	(void)printf("# stopped at %ld changes\n", n / check_stride(step));
	CHECK(ended);
}

static void a_restore_killed_at_every_change_adds_nothing_twice(void)
{
	stop_restore(CRASH_EXIT, 1);
}

static void a_restore_killed_within_a_write_adds_nothing_twice(void)
{
	stop_restore(CRASH_TEAR, 2);
}

static void a_power_cut_at_every_change_of_a_restore_adds_nothing_twice(void)
{
	stop_restore(CRASH_POWER, 1);
	stop_restore(CRASH_POWER_MIXED, 1);
}

static void fail_restore(enum crash_mode mode)
{
	CLEANUP(ring_freep) struct ring *ring = ring_on_port("short");
	struct err err = ERR_INIT;
	bool ended = false;
	long n = 1;

	CHECK_OK(mirror(ring, &err));
	ring_keep(ring);
	for (; !ended && n < TIMES_MAX; n += check_stride(1)) {
		crash_vfs_arm(n, mode);
		(void)ring_restore(ring, &err);
		ended = crash_vfs_count() < n;
		crash_vfs_arm(0, CRASH_OFF);
		CHECK_OK(ring_restore(ring, &err));
		ring_check_restored(ring);
		ring_put_back(ring);
		ring_new_target(ring);
	}
	(void)printf("# failed at %ld changes\n", (n - 1) / check_stride(1));
	CHECK(ended);
}

static void a_restore_on_a_failing_disk_adds_nothing_twice(void)
{
	fail_restore(CRASH_FULL);
	fail_restore(CRASH_FAIL_ONCE);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(a_first_pass_killed_at_every_change_is_completed_by_the_next),
		PROMISE(a_first_pass_killed_within_a_write_is_completed_by_the_next),
		PROMISE(a_later_pass_killed_at_every_change_loses_nothing_that_was_there),
		PROMISE(a_later_pass_killed_within_a_write_loses_nothing_that_was_there),
		PROMISE(a_power_cut_at_every_change_of_a_first_pass_is_mended),
		PROMISE(a_power_cut_at_every_change_of_a_later_pass_is_mended),
		PROMISE(a_pass_over_renamed_folders_killed_at_every_change_fetches_nothing_again),
		PROMISE(a_full_disk_is_said_and_gone_on_from),
		PROMISE(a_failing_write_is_said_and_gone_on_from),
		PROMISE(a_restore_killed_at_every_change_adds_nothing_twice),
		PROMISE(a_restore_killed_within_a_write_adds_nothing_twice),
		PROMISE(a_power_cut_at_every_change_of_a_restore_adds_nothing_twice),
		PROMISE(a_restore_on_a_failing_disk_adds_nothing_twice),
	};

	crash_vfs_install();
	if (!forker_start(obey, sizeof(struct order)))
		return 1;
	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
