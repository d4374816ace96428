/*
 * Cuts the connection after every byte of a short mirror and a short restore, in both directions.
 * Afterwards the archive is sound, everything acknowledged is present, and the next run completes
 * without storing anything twice.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/archive.h"
#include "support/check.h"
#include "support/crash/ring.h"

enum {
	FEW_LETTERS = 3,
	MANY_LETTERS = 30,
	LATER_STEP = 11,
	RENAMING_STEP = 13,
	MANY_STEP = 97, /* a prime, so that lines of all lengths are cut at every position */
	BYTES_MAX = 1000 * 1000,
};

static const enum model_end ends[] = {MODEL_FIN, MODEL_RST, MODEL_BYE};

static struct model_cut cut_at(enum model_way way, uint64_t n)
{
	return (struct model_cut){.way = way, .after_bytes = n, .end = ends[n % ARRAY_LEN(ends)]};
}

/* True: the connection was cut before the work ended. */
static bool mirror_cut(struct ring *ring, const struct model_cut *cut)
{
	struct err err = ERR_INIT;
	bool fired, done;

	model_cut_arm(ring->model, cut);
	done = ring_mirror(ring, NULL, &err);
	fired = model_cut_fired(ring->model);
	model_cut_disarm(ring->model);
	CHECK(done || fired);
	if (!done && err.kind != ERR_RETRY && err.kind != ERR_PROTOCOL)
		check_fail(__FILE__, __LINE__, "after %llu bytes: %s",
			(unsigned long long)cut->after_bytes, err.text);
	return fired;
}

static void cut_first_pass(enum model_way way, unsigned letters, long step)
{
	CLEANUP(ring_freep) struct ring *ring = ring_new(&model_profile_full, letters, "first");
	long n = 1;
	bool fired = true;

	for (; fired && n < BYTES_MAX; n += check_stride(step)) {
		const struct model_cut cut = cut_at(way, (uint64_t)n);
		struct err err = ERR_INIT;

		fired = mirror_cut(ring, &cut);
		CHECK_OK(ring_mirror(ring, NULL, &err));
		ring_check_mirrored(ring);
		ring_forget(ring);
	}
	(void)printf("# cut at %ld places\n", n / check_stride(step));
	CHECK(!fired);
}

static void cut_second_pass(enum model_way way, long step, void (*change)(struct ring *ring))
{
	CLEANUP(ring_freep)
	struct ring *ring = ring_new(&model_profile_full, FEW_LETTERS * 2, "second");
	CLEANUP(freep) char *first_text = NULL;
	struct err err = ERR_INIT;
	int64_t first;
	long n = 1;
	bool fired = true;

	CHECK_OK(ring_mirror(ring, &first, &err));
	first_text = ring_archive_text(ring, first);
	ring_keep(ring);
	change(ring);
	for (; fired && n < BYTES_MAX; n += check_stride(step)) {
		CLEANUP(freep) char *first_now = NULL;
		const struct model_cut cut = cut_at(way, (uint64_t)n);

		fired = mirror_cut(ring, &cut);
		first_now = ring_archive_text(ring, first);
		CHECK_STR(first_now, first_text);
		CHECK_OK(ring_mirror(ring, NULL, &err));
		ring_check_mirrored(ring);
		ring_put_back(ring);
	}
	(void)printf("# cut at %ld places\n", n / check_stride(step));
	CHECK(!fired);
	if (change == ring_rename)
		CHECK_INT(ring_bodies(ring), FEW_LETTERS * 2);
}

/* A run gives up when its first login fails, and recovers from any later loss. */
static void cut_restore(enum model_way way, unsigned letters, long step)
{
	CLEANUP(ring_freep) struct ring *ring = ring_new(&model_profile_full, letters, "restore");
	struct err err = ERR_INIT;
	long n = 1;
	bool fired = true;

	CHECK_OK(ring_mirror(ring, NULL, &err));
	ring_keep(ring);
	for (; fired && n < BYTES_MAX; n += check_stride(step)) {
		const struct model_cut cut = cut_at(way, (uint64_t)n);

		model_cut_arm(ring->model, &cut);
		if (!ring_restore(ring, &err)) {
			CHECK(err.kind == ERR_RETRY || err.kind == ERR_PROTOCOL);
			CHECK_OK(ring_restore(ring, &err));
		}
		fired = model_cut_fired(ring->model);
		model_cut_disarm(ring->model);
		ring_check_restored(ring);
		ring_put_back(ring);
		ring_new_target(ring);
	}
	(void)printf("# cut at %ld places\n", n / check_stride(step));
	CHECK(!fired);
}

static void a_first_pass_cut_after_every_byte_told_is_completed_by_the_next(void)
{
	cut_first_pass(MODEL_TO_CLIENT, FEW_LETTERS, 1);
}

static void a_first_pass_cut_after_every_byte_said_is_completed_by_the_next(void)
{
	cut_first_pass(MODEL_FROM_CLIENT, FEW_LETTERS, 1);
}

static void a_longer_first_pass_cut_here_and_there_is_completed_by_the_next(void)
{
	cut_first_pass(MODEL_TO_CLIENT, MANY_LETTERS, MANY_STEP);
	cut_first_pass(MODEL_FROM_CLIENT, MANY_LETTERS, MANY_STEP);
}

static void a_later_pass_cut_while_it_is_told_loses_nothing_that_was_there(void)
{
	cut_second_pass(MODEL_TO_CLIENT, LATER_STEP, ring_change);
}

static void a_later_pass_cut_while_it_says_something_loses_nothing_that_was_there(void)
{
	cut_second_pass(MODEL_FROM_CLIENT, LATER_STEP, ring_change);
}

static void a_pass_over_renamed_folders_cut_anywhere_fetches_nothing_again(void)
{
	cut_second_pass(MODEL_TO_CLIENT, RENAMING_STEP, ring_rename);
	cut_second_pass(MODEL_FROM_CLIENT, RENAMING_STEP, ring_rename);
}

static void a_restore_cut_after_every_byte_told_adds_nothing_twice(void)
{
	cut_restore(MODEL_TO_CLIENT, FEW_LETTERS, 1);
}

static void a_restore_cut_after_every_byte_said_adds_nothing_twice(void)
{
	cut_restore(MODEL_FROM_CLIENT, FEW_LETTERS, 1);
}

static void a_longer_restore_cut_here_and_there_adds_nothing_twice(void)
{
	cut_restore(MODEL_TO_CLIENT, MANY_LETTERS, MANY_STEP);
	cut_restore(MODEL_FROM_CLIENT, MANY_LETTERS, MANY_STEP);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(a_first_pass_cut_after_every_byte_told_is_completed_by_the_next),
		PROMISE(a_first_pass_cut_after_every_byte_said_is_completed_by_the_next),
		PROMISE(a_longer_first_pass_cut_here_and_there_is_completed_by_the_next),
		PROMISE(a_later_pass_cut_while_it_is_told_loses_nothing_that_was_there),
		PROMISE(a_later_pass_cut_while_it_says_something_loses_nothing_that_was_there),
		PROMISE(a_pass_over_renamed_folders_cut_anywhere_fetches_nothing_again),
		PROMISE(a_restore_cut_after_every_byte_told_adds_nothing_twice),
		PROMISE(a_restore_cut_after_every_byte_said_adds_nothing_twice),
		PROMISE(a_longer_restore_cut_here_and_there_adds_nothing_twice),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
