/*
 * Updates and adopts a copy, with a stop or a failure at each change of the disk. Afterwards the
 * source is unchanged, the copy shows the old state or the new one if it opens at all, and the
 * next run completes it. A copy that opens is also adopted and written to.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "archive/adopt.h"
#include "archive/copy.h"
#include "archive/seal.h"
#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"
#include "support/archive/files.h"
#include "support/archive/pruned.h"
#include "support/archive/refs.h"
#include "support/check.h"
#include "support/crash/crash_vfs.h"

enum { TIMES_MAX = 1000000, WAIT_MS = 1000, PINNED = 4 };

/* A scenario: the archive, and what is copied or adopted from it. */
struct world {
	char *folder, *archive, *made;
};

struct work {
	bool (*run)(const struct world *world, struct err *err);
	bool made_before; /* there is an older copy */
	bool only_reads;  /* the source does not change by a byte */
};

static struct world world_at(const char *name)
{
	struct world world = {.folder = str_printf("%s/%s", check_temp_dir(), name)};

	world.archive = str_printf("%s/alice", world.folder);
	world.made = str_printf("%s/disk/alice", world.folder);
	return world;
}

static void world_free(struct world *world)
{
	free(world->folder);
	free(world->archive);
	free(world->made);
}

static bool copy(const struct world *world, struct err *err)
{
	struct archive_copied copied;

	return fixture_unlock(world->archive, err) &&
	       archive_copy(ref_of(world->archive), world->made, WAIT_MS, &copied, err);
}

static bool no_finding(void *context, const struct archive_finding *finding, struct err *err)
{
	(void)context;
	return err_set(err, ERR_CORRUPT, "%s: %s", finding->where, finding->what);
}

static bool adopt(const struct world *world, struct err *err)
{
	struct archive_adopted adopted;

	return fixture_unlock(world->archive, err) &&
	       archive_adopt(ref_of(world->archive), world->made, no_finding, NULL, WAIT_MS,
		       &adopted, err);
}

static const struct work first_copy = {copy, false, false};
static const struct work later_copy = {copy, true, false};
static const struct work adoption = {adopt, false, true};

/* Every message of every snapshot, and the list of snapshots. */
static char *everything(struct archive *archive)
{
	const struct archive_when now = {.kind = ARCHIVE_LATEST};
	struct archive_list list = {.deleted = true};
	CLEANUP(freep) char *snapshots = pruned_snapshots(archive);
	struct archive_snapshot last;
	struct err err = ERR_INIT;

	CHECK_OK(archive_resolve(archive, now, &last, &err));
	list.generation = last.generation;
	return str_printf("%s\n%s", snapshots, fixture_list(archive, &list));
}

static char *everything_at(const char *path)
{
	CLEANUP(archive_freep) struct archive *archive = fixture_reader(path);

	return everything(archive);
}

/* Volumes sealed since the older copy, and an open one that grew. */
static void go_on(const char *path)
{
	const struct archive_seal wish = {.open_bytes_min = 1};
	struct archive_writer *writer = fixture_writer(path);
	struct archive_sealed sealed;
	struct err err = ERR_INIT;

	CHECK_OK(archive_pin(writer, PINNED, true, &err));
	CHECK_INT(fixture_commit(writer, true), PRUNED_SNAPSHOTS + 1);
	archive_writer_freep(&writer);
	CHECK_OK(archive_seal(ref_of(path), &wish, WAIT_MS, &sealed, &err));
	CHECK(sealed.volumes > 1);
	writer = fixture_writer(path);
	CHECK_OK(archive_pin(writer, PINNED, false, &err));
	CHECK_INT(fixture_commit(writer, true), PRUNED_SNAPSHOTS + 2);
	archive_writer_freep(&writer);
}

/* ret_old: what the older copy shows; NULL: no older copy exists. */
static struct world prepare(const struct work *work, char **ret_old)
{
	struct world world = world_at("before");
	struct err err = ERR_INIT;

	files_remove(world.folder);
	CHECK_OK(fs_make_dirs(world.folder, 0700, &err));
	CHECK_OK(fixture_create(world.archive, &err));
	pruned_fill(world.archive);
	*ret_old = NULL;
	if (work->made_before) {
		CHECK_OK(copy(&world, &err));
		*ret_old = everything_at(world.made);
	}
	go_on(world.archive);
	return world;
}

static bool cuts_power(enum crash_mode mode)
{
	return mode == CRASH_POWER || mode == CRASH_POWER_MIXED;
}

static bool is_one_of(const char *got, const char *old, const char *new)
{
	return (old && strcmp(got, old) == 0) || strcmp(got, new) == 0;
}

/* Whatever is there can be adopted and written to, and shows the old state or the new one. Does not
 * hold for power cuts that lose a file together with its new name, as in this ring: crash_power
 * covers those. */
static void check_taken(const struct world *world, const char *old, const char *new)
{
	struct world taken = {.archive = world->made};
	CLEANUP(freep) char *adopted = str_printf("%s/adopted", world->folder);
	CLEANUP(freep) char *written = str_printf("%s/written", world->folder);
	CLEANUP(freep) char *digests = files_digests(world->made);
	struct err err = ERR_INIT;

	taken.made = adopted;
	CHECK_OK(adopt(&taken, &err));
	CLEANUP(freep) char *after = files_digests(world->made);
	CLEANUP(freep) char *of_adopted = everything_at(adopted);
	CHECK_STR(after, digests);
	CHECK(is_one_of(of_adopted, old, new));
	files_copy(world->made, written);
	archive_writer_freep(&(struct archive_writer *){fixture_writer(written)});
	CLEANUP(freep) char *of_written = everything_at(written);
	CHECK_STR(of_written, of_adopted);
}

/* The result shows the old state or the new one, if it can be opened yet. */
static void check_half(const struct world *world, const char *old, const char *new)
{
	CLEANUP(archive_freep) struct archive *archive = NULL;
	CLEANUP(freep) char *got = NULL;
	struct err err = ERR_INIT;

	if (!old && (!archive_exists(world->made) || !fixture_unlock(world->made, &err) ||
			    !archive_open(ref_of(world->made), &archive, &err)))
		return;
	if (!archive)
		archive = fixture_reader(world->made);
	got = everything(archive);
	CHECK(is_one_of(got, old, new));
	pruned_check_bytes(archive, PRUNED_SNAPSHOTS);
}

static void check_complete(const struct world *world, const struct work *work, const char *old,
	const char *digests, const char *new)
{
	struct err err = ERR_INIT;

	if (work->only_reads) {
		CLEANUP(freep) char *now = files_digests(world->archive);

		CHECK_STR(now, digests);
	}
	check_half(world, old, new);
	CHECK_OK(work->run(world, &err));
	CLEANUP(freep) char *made = everything_at(world->made);
	CLEANUP(freep) char *source = everything_at(world->archive);
	CHECK_STR(made, new);
	CHECK_STR(source, new);
	fixture_check(world->made);
	if (!work->only_reads)
		fixture_check(world->archive);
}

static bool ends_before(
	const struct world *world, const struct work *work, long n, enum crash_mode mode)
{
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		struct err err = ERR_INIT;
		bool done;

		crash_vfs_arm(n, mode);
		done = work->run(world, &err);
		if (cuts_power(mode))
			crash_vfs_cut_power();
		_exit(done ? 0 : 1);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status));
	CHECK(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == CRASH_EXIT_CODE);
	return WEXITSTATUS(status) == 0;
}

static bool fails_before(
	const struct world *world, const struct work *work, long n, enum crash_mode mode)
{
	struct err err = ERR_INIT;
	bool ended;

	crash_vfs_arm(n, mode);
	(void)work->run(world, &err);
	ended = crash_vfs_count() < n;
	crash_vfs_arm(0, CRASH_OFF);
	return ended;
}

static void everywhere(const struct work *work, enum crash_mode mode, long step)
{
	CLEANUP(freep) char *old = NULL;
	CLEANUP(world_free) struct world before = prepare(work, &old);
	CLEANUP(world_free) struct world ring = world_at("ring");
	CLEANUP(freep) char *new = everything_at(before.archive);
	bool dies = mode != CRASH_FULL && mode != CRASH_FAIL_ONCE;
	bool ended = false;
	long stride = check_stride(CHECK_DAILY_STEP * step);
	long n = 1;

	for (; !ended && n < TIMES_MAX; n += stride) {
		files_copy(before.folder, ring.folder);
		CLEANUP(freep) char *digests = files_digests(ring.archive);
		ended = dies ? ends_before(&ring, work, n, mode)
			     : fails_before(&ring, work, n, mode);
		if (work->run == copy && !cuts_power(mode) && archive_exists(ring.made))
			check_taken(&ring, old, new);
		check_complete(&ring, work, old, digests, new);
		files_remove(ring.folder);
	}
	(void)printf("# %ld changes\n", (n - 1) / stride);
	CHECK(ended);
}

static void a_first_copy_that_was_stopped_is_completed(void)
{
	everywhere(&first_copy, CRASH_EXIT, 1);
	everywhere(&first_copy, CRASH_POWER, 5);
	everywhere(&first_copy, CRASH_FULL, 7);
	everywhere(&first_copy, CRASH_FAIL_ONCE, 7);
}

static void a_later_copy_shows_the_old_moment_or_the_new_one(void)
{
	everywhere(&later_copy, CRASH_EXIT, 1);
	everywhere(&later_copy, CRASH_POWER, 5);
	everywhere(&later_copy, CRASH_FULL, 5);
	everywhere(&later_copy, CRASH_FAIL_ONCE, 5);
}

static void an_adoption_that_was_stopped_goes_on_and_its_source_never_changes(void)
{
	everywhere(&adoption, CRASH_EXIT, 13);
	everywhere(&adoption, CRASH_TEAR, 61);
	everywhere(&adoption, CRASH_POWER, 31);
	everywhere(&adoption, CRASH_POWER_MIXED, 61);
	everywhere(&adoption, CRASH_FULL, 97);
	everywhere(&adoption, CRASH_FAIL_ONCE, 97);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(a_first_copy_that_was_stopped_is_completed),
		PROMISE(a_later_copy_shows_the_old_moment_or_the_new_one),
		PROMISE(an_adoption_that_was_stopped_goes_on_and_its_source_never_changes),
	};

	crash_vfs_install();
	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
