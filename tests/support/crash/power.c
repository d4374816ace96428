#include "support/crash/power.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "archive/archive.h"
#include "base/alloc.h"
#include "base/str.h"
#include "support/archive/files.h"
#include "support/archive/refs.h"
#include "support/chance.h"
#include "support/check.h"
#include "support/crash/power_disk.h"

enum {
	WALK_FDS = 16,
	SEEDS = 4,
	PLACE_MODE = 0700,
	SAID_MAX = 5,
	NAME_BYTES = 100,
	CHECK_AGAIN_EACH = 4
};

static const char encrypted_prefix[] = "encrypted-";

struct ring {
	const struct power_work *work;
	bool encrypted;
	char *place;
	struct power_log *log;
	char **texts; /* the visible state: before the work, and after each promise */
	long promises;
	uint64_t *seen; /* digests of disks */
	size_t seen_count, seen_cap;
};

/* --- the work, as it goes without a cut --- */

static long promises_before(const struct ring *ring, long at)
{
	long count = 0;

	for (long i = 0; i < at; i++)
		count += ring->log->events[i].acknowledges;
	return count;
}

/* After a power cut no process holds a key. */
static void lock_all(const struct power_log *log)
{
	for (size_t i = 0; i < log->now.count; i++) {
		const struct power_name *name = &log->now.items[i];
		CLEANUP(freep) char *path = str_printf("%s%s", log->place, name->path);

		if (name->file == POWER_FOLDER)
			ref_lock_out(path);
	}
}

static void put_disk(const struct ring *ring, const struct power_cut *cut)
{
	struct power_disk *disk = power_disk_after(ring->log, cut);

	lock_all(ring->log);
	files_remove(ring->place);
	power_disk_write(disk, ring->place);
	power_disk_freep(&disk);
}

static void keep_text(struct ring *ring, long at)
{
	put_disk(ring, &(struct power_cut){.at = at, .fate = POWER_KEPT});
	ring->texts = xrealloc(ring->texts, (size_t)(ring->promises + 1) * sizeof(*ring->texts));
	ring->texts[ring->promises] = ring->work->tell(ring->place);
}

static void record(struct ring *ring)
{
	struct err err = ERR_INIT;

	chance_begin();
	files_remove(ring->place);
	CHECK(mkdir(ring->place, PLACE_MODE) == 0);
	if (ring->work->prepare)
		ring->work->prepare(ring->place);
	ring->log = power_log_begin(ring->place);
	CHECK_OK(ring->work->run(ring->place, &err));
	power_log_acknowledge();
	power_log_end(ring->log);
	keep_text(ring, 0);
	for (long i = 0; i < (long)ring->log->count; i++) {
		if (!ring->log->events[i].acknowledges)
			continue;
		ring->promises++;
		keep_text(ring, i + 1);
	}
}

static struct ring *begin(const struct power_work *work, bool encrypted)
{
	struct ring *ring = xcalloc(1, sizeof(*ring));

	ring->work = work;
	ring->encrypted = encrypted;
	ring->place = str_printf("%s/power", check_temp_dir());
	if (encrypted)
		CHECK(setenv("MAILSTOW_TEST_ENCRYPTED", "1", 1) == 0);
	else
		CHECK(unsetenv("MAILSTOW_TEST_ENCRYPTED") == 0);
	record(ring);
	return ring;
}

static void end(struct ring *ring)
{
	for (long i = 0; i <= ring->promises; i++)
		free(ring->texts[i]);
	lock_all(ring->log);
	power_log_freep(&ring->log);
	files_remove(ring->place);
	free(ring->texts);
	free(ring->seen);
	free(ring->place);
	free(ring);
}

/* --- one state --- */

struct state {
	const struct ring *ring;
	struct power_cut cut;
};

static void format_name(const struct state *state, char out[NAME_BYTES])
{
	(void)snprintf(out, NAME_BYTES, "%s%s/%ld/%s/%u",
		state->ring->encrypted ? encrypted_prefix : "", state->ring->work->name,
		state->cut.at, power_fate_name(state->cut.fate), state->cut.seed);
}

/* The state after the last promise, or the one after the next promise. */
static void check_told(const struct ring *ring, long promises)
{
	CLEANUP(freep) char *text = ring->work->tell(ring->place);
	bool next = promises < ring->promises && strcmp(text, ring->texts[promises + 1]) == 0;

	if (!next)
		CHECK_STR(text, ring->texts[promises]);
}

/* Completed work leaves exactly its files under their final names, even before a cleanup. */
static void check_names(const struct ring *ring)
{
	struct power_cut cut = {.at = (long)ring->log->count, .fate = POWER_LOST};
	struct power_disk *disk = power_disk_after(ring->log, &cut);
	CLEANUP(freep) char *difference = power_disk_difference(disk);

	power_disk_freep(&disk);
	CHECK_STR(difference ? difference : "", "");
}

static int is_litter(const char *path, const struct stat *st, int type, struct FTW *level)
{
	(void)st;
	(void)level;
	if (type == FTW_F && strstr(path, ".new") && !strstr(path, ".vol.new"))
		check_fail(__FILE__, __LINE__, "%s is left", path);
	return 0;
}

/* Files of abandoned work are removed; abandoned volumes when the next volume is started. */
static void check_litter(const char *place)
{
	CHECK(nftw(place, is_litter, WALK_FDS, FTW_PHYS) == 0);
}

static void check_state(void *context)
{
	const struct state *state = context;
	const struct ring *ring = state->ring;
	long promises = promises_before(ring, state->cut.at);
	CLEANUP(freep) char *text = NULL;
	struct err err = ERR_INIT;

	put_disk(ring, &state->cut);
	if (promises == ring->promises)
		check_names(ring);
	check_told(ring, promises);
	ring->work->check(ring->place);
	CHECK_OK(ring->work->run(ring->place, &err));
	text = ring->work->tell(ring->place);
	CHECK_STR(text, ring->texts[ring->promises]);
	check_litter(ring->place);
	if (state->cut.at % CHECK_AGAIN_EACH ==
		0) /* it was sound before, and checking is expensive */
		ring->work->check(ring->place);
}

/* --- many --- */

/* In a run of writes to one file, only some moments are checked. */
static bool is_moment(const struct power_log *log, long at)
{
	enum { WRITES_EACH = 7 };
	const struct power_event *before, *next;

	if (at == 0 || at == (long)log->count)
		return true;
	before = &log->events[at - 1];
	next = &log->events[at];
	return before->acknowledges || next->acknowledges || before->kind != DISK_WRITE ||
	       next->kind != DISK_WRITE || before->file != next->file || at % WRITES_EACH == 0;
}

static bool is_new(struct ring *ring, const struct power_cut *cut)
{
	struct power_disk *disk = power_disk_after(ring->log, cut);
	uint64_t digest = power_disk_digest(disk) + (uint64_t)promises_before(ring, cut->at);

	power_disk_freep(&disk);
	for (size_t i = 0; i < ring->seen_count; i++)
		if (ring->seen[i] == digest)
			return false;
	ARRAY_GROW(ring->seen, ring->seen_count, ring->seen_cap);
	ring->seen[ring->seen_count++] = digest;
	return true;
}

/* Visits all states, moment by moment, each with its number. */
typedef void each_cut(void *context, long number, const struct power_cut *cut);

static long for_each_cut(const struct power_log *log, each_cut *each, void *context)
{
	long number = 0;

	for (long at = 0; at <= (long)log->count; at++) {
		if (!is_moment(log, at))
			continue;
		for (enum power_fate fate = POWER_LOST; fate < POWER_FATES; fate++) {
			uint32_t seeds = power_fate_is_random(fate) ? SEEDS : 1;

			for (uint32_t seed = 1; seed <= seeds; seed++)
				each(context, number++, &(struct power_cut){at, fate, seed});
		}
	}
	return number;
}

struct walk {
	struct ring *ring;
	const struct power_wish *wish;
	long step;
	struct power_result result;
};

static void count_only(void *context, long number, const struct power_cut *cut)
{
	(void)context;
	(void)number;
	(void)cut;
}

static void try_cut(void *context, long number, const struct power_cut *cut)
{
	struct walk *walk = context;
	struct state state = {walk->ring, *cut};
	char name[NAME_BYTES];

	if (number % walk->step != 0 || !is_new(walk->ring, cut))
		return;
	walk->result.states++;
	if (check_apart(check_state, &state, walk->wish->quiet))
		return;
	format_name(&state, name);
	if (!walk->wish->quiet && ++walk->result.failed <= SAID_MAX)
		(void)printf("# failed: state %s\n", name);
	else if (walk->wish->quiet)
		walk->result.failed++;
}

/* An explicit small number of states holds for every build. */
static long step_of(const struct power_wish *wish, const struct power_work *work, long there)
{
	long wanted = wish->states ? wish->states : work->states;
	long step = there > wanted ? there / wanted : 1;

	if (!wish->states)
		step = check_stride(step);
	while (step > 1 &&
		(step % 2 == 0 || step % 5 == 0)) /* otherwise some fates would never be tried */
		step++;
	return step;
}

struct power_result power_ring(const struct power_work *work, const struct power_wish *wish)
{
	struct walk walk = {.ring = begin(work, wish->encrypted), .wish = wish};
	long there = for_each_cut(walk.ring->log, count_only, NULL);

	power_log_lie(walk.ring->log, wish->lie);
	walk.step = step_of(wish, work, there);
	walk.result.events = (long)walk.ring->log->count;
	(void)for_each_cut(walk.ring->log, try_cut, &walk);
	for (size_t i = 0; i < walk.ring->seen_count; i++)
		walk.result.digest += walk.ring->seen[i];
	end(walk.ring);
	return walk.result;
}

/* --- one by its name --- */

static const struct power_work *find_work(
	const struct power_work *works, size_t count, const char *name, size_t len)
{
	for (size_t i = 0; i < count; i++)
		if (strlen(works[i].name) == len && strncmp(works[i].name, name, len) == 0)
			return &works[i];
	return NULL;
}

static bool parse_cut(char *text, struct power_cut *ret_cut)
{
	char *fate = strchr(text, '/');
	char *seed = fate ? strchr(fate + 1, '/') : NULL;
	uint64_t at, number;

	if (!seed)
		return false;
	*fate++ = '\0';
	*seed++ = '\0';
	if (!str_parse_u64(text, &at) || !str_parse_u64(seed, &number))
		return false;
	*ret_cut = (struct power_cut){(long)at, power_fate_named(fate), (uint32_t)number};
	return ret_cut->fate < POWER_FATES;
}

void power_replay(const struct power_work *works, size_t count, const char *name)
{
	bool encrypted = str_starts(name, encrypted_prefix);
	const char *bare = name + (encrypted ? strlen(encrypted_prefix) : 0);
	size_t len = strcspn(bare, "/");
	const struct power_work *work = find_work(works, count, bare, len);
	CLEANUP(freep) char *text = xstrdup(bare[len] ? bare + len + 1 : "");
	struct power_disk *disk;
	struct ring *ring;
	struct state state;
	bool passed;

	if (!work || !parse_cut(text, &state.cut))
		check_fail(__FILE__, __LINE__, "%s: there is no such state", name);
	ring = begin(work, encrypted);
	CHECK(state.cut.at <= (long)ring->log->count);
	state.ring = ring;
	disk = power_disk_after(ring->log, &state.cut);
	power_disk_print(disk);
	power_disk_freep(&disk);
	passed = check_apart(check_state, &state, false);
	end(ring);
	CHECK(passed);
}
