/*
 * Prunes an archive, forgets mail, seals volumes and merges small ones, with a stop or a failure
 * at each change of the disk. Afterwards the archive opens and check finds nothing, everything to
 * be kept is present byte for byte, and the next run completes.
 */
#include <stdlib.h>
#include <string.h>

#include "archive/forget.h"
#include "archive/seal.h"
#include "base/alloc.h"
#include "base/str.h"
#include "support/archive/files.h"
#include "support/archive/inside.h"
#include "support/archive/pruned.h"
#include "support/archive/refs.h"
#include "support/check.h"
#include "support/crash/stops.h"

enum { NEWEST = PRUNED_SNAPSHOTS, WAIT_MS = 1000, SMALL_COUNT = 3 };

/* The last snapshot pins snapshot 4. */
static const char all_snapshots[] = "1 2 3 4 5 6 7";
static const char kept_snapshots[] = "4 7";

static bool prune(const char *path, struct err *err)
{
	struct archive_pruned pruned;

	return pruned_prune(path, &(struct keep_rules){.last = 1}, 0, &pruned, err);
}

/* One message that is gone from the server, and one that is present. */
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
	       archive_forget(ref_of(path), (const uint8_t(*)[SHA256_BYTES])digests,
		       ARRAY_LEN(forgotten_uids), WAIT_MS, &forgotten, err);
}

/* Fails unless every volume but the newest is sealed. */
static bool seal(const char *path, struct err *err)
{
	const struct archive_seal wish = {.open_bytes_min = 1};
	struct archive_sealed sealed;

	return fixture_unlock(path, err) &&
	       archive_seal(ref_of(path), &wish, WAIT_MS, &sealed, err) &&
	       (inside_all_sealed(path) || err_set(err, ERR_LOCAL, "a volume is not sealed"));
}

/* Fails unless fewer small sealed volumes than SMALL_COUNT and one open volume are left. */
static bool merge(const char *path, struct err *err)
{
	const struct archive_seal wish = {.open_bytes_min = 1, .small_count = SMALL_COUNT};
	struct archive_sealed sealed;

	return fixture_unlock(path, err) &&
	       archive_seal(ref_of(path), &wish, WAIT_MS, &sealed, err) &&
	       (inside_volume_count(path) <= SMALL_COUNT ||
		       err_set(err, ERR_LOCAL, "there are more than %d volumes", SMALL_COUNT));
}

/* The archive as it is before the run; the caller frees the path. */
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

static char *prepare_small(void)
{
	const struct archive_seal wish = {.open_bytes_min = 1};
	char *path = prepare();
	struct archive_sealed sealed;
	struct err err = ERR_INIT;

	CHECK_OK(archive_seal(ref_of(path), &wish, WAIT_MS, &sealed, &err));
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

/* Both messages are forgotten, or neither is. */
static bool is_forgotten(struct archive *archive)
{
	CLEANUP(freep) char *list = everything(archive);
	bool gone_there = strstr(list, " 13 ") != NULL;
	bool present_there = strstr(list, " 32 ") != NULL;

	CHECK(gone_there == present_there);
	return !present_there;
}

/* No other trace of it is visible. */
static bool is_as_before(struct archive *archive)
{
	CLEANUP(freep) char *snapshots = pruned_snapshots(archive);

	CHECK_STR(snapshots, all_snapshots);
	return true;
}

/* What must hold after any stop or failure. */
static bool check_sound(const struct stops *stops, const char *path)
{
	CLEANUP(archive_writer_freep) struct archive_writer *writer = fixture_writer(path);
	struct archive *view = archive_writer_view(writer);
	CLEANUP(freep) char *list = list_of(view, NEWEST + 1);

	CHECK(strstr(list, " 31 ") != NULL && strstr(list, " 36 ") != NULL);
	pruned_check_bytes(view, NEWEST + 1);
	return stops->is_done(view);
}

static void check_complete(const struct stops *stops, const char *path)
{
	struct err err = ERR_INIT;

	(void)check_sound(stops, path);
	fixture_check(path);
	CHECK_OK(stops->run(path, &err));
	CHECK(check_sound(stops, path));
	fixture_check(path);
}

static const struct stops sealing = {prepare, seal, check_complete, is_as_before};
static const struct stops merging = {prepare_small, merge, check_complete, is_as_before};
static const struct stops pruning = {prepare, prune, check_complete, is_pruned};
static const struct stops forgetting = {prepare, forget, check_complete, is_forgotten};

static void killed_at_every_change_nothing_that_is_kept_is_lost(void)
{
	stops_end(&pruning, CRASH_EXIT, 1);
	stops_end(&forgetting, CRASH_EXIT, 5);
	stops_end(&sealing, CRASH_EXIT, 11);
	stops_end(&merging, CRASH_EXIT, 19);
}

static void killed_within_a_write_nothing_that_is_kept_is_lost(void)
{
	stops_end(&pruning, CRASH_TEAR, 5);
	stops_end(&forgetting, CRASH_TEAR, 23);
	stops_end(&sealing, CRASH_TEAR, 37);
	stops_end(&merging, CRASH_TEAR, 61);
}

static void a_full_disk_takes_nothing_that_is_kept(void)
{
	stops_fail(&pruning, CRASH_FULL, 3);
	stops_fail(&forgetting, CRASH_FULL, 17);
	stops_fail(&sealing, CRASH_FULL, 29);
	stops_fail(&merging, CRASH_FULL, 53);
}

static void a_failing_write_takes_nothing_that_is_kept(void)
{
	stops_fail(&pruning, CRASH_FAIL_ONCE, 3);
	stops_fail(&forgetting, CRASH_FAIL_ONCE, 17);
	stops_fail(&sealing, CRASH_FAIL_ONCE, 29);
	stops_fail(&merging, CRASH_FAIL_ONCE, 53);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(killed_at_every_change_nothing_that_is_kept_is_lost),
		PROMISE(killed_within_a_write_nothing_that_is_kept_is_lost),
		PROMISE(a_full_disk_takes_nothing_that_is_kept),
		PROMISE(a_failing_write_takes_nothing_that_is_kept),
	};

	crash_vfs_install();
	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
