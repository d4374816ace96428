/*
 * The power is cut while an archive is written, sealed, pruned, rebuilt, copied, forgets mail and
 * given keys, plain and encrypted, and while what stands beside it is written:
 *support/crash/power.h says what must hold then.
 *
 *	crash_power                           all of it
 *	crash_power seal/132/torn/2           one state again, by the name a failure has told
 *	crash_power encrypted-seal/132/torn/2
 */
#include <stdio.h>
#include <string.h>

#include "archive/archive.h"
#include "archive/forget.h"
#include "archive/prune.h"
#include "archive/retention.h"
#include "archive/seal.h"
#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"
#include "support/archive/archive_fixture.h"
#include "support/archive/files.h"
#include "support/archive/inside.h"
#include "support/archive/refs.h"
#include "support/check.h"
#include "support/crash/power.h"
#include "support/crash/power_archive.h"
#include "support/restore/power_journal.h"

#include "power_copies.h"
#include "power_keys.h"
#include "power_state.h"

enum { WAIT_MS = 1000, BATCHES = 5, SMALL_COUNT = 3, BIG_BYTES = 13 * 1000 * 1000 };

static char *archive_in(const char *place)
{
	return str_printf("%s/archive", place);
}

static char *tell(const char *place)
{
	CLEANUP(freep) char *path = archive_in(place);

	return power_tell(path, true);
}

static void check(const char *place)
{
	CLEANUP(freep) char *path = archive_in(place);

	if (archive_exists(path))
		fixture_check(path);
}

static void fill(const char *place, const char *name, int64_t batches)
{
	CLEANUP(freep) char *path = str_printf("%s/%s", place, name);
	struct err err = ERR_INIT;

	CHECK_OK(power_fill(path, batches, &err));
}

static void prepare_full(const char *place)
{
	fill(place, "archive", BATCHES);
}

/* --- a mirror --- */

static bool run_write(const char *place, struct err *err)
{
	CLEANUP(freep) char *path = archive_in(place);

	return power_fill(path, BATCHES, err);
}

static void prepare_one(const char *place)
{
	fill(place, "archive", 1);
}

/* Its pieces need more than one transaction. */
static bool add_big(struct archive_writer *writer, struct err *err)
{
	CLEANUP(buf_free) struct buf message = BUF_INIT(FIXTURE_MESSAGE_MAX);
	int64_t folder = 1, generation;
	struct archive_placement placement = {
		.folder_id = folder, .uidvalidity = POWER_VALIDITY, .uid = 100, .flags = ""};

	fixture_message(&message, 100, BIG_BYTES);
	return archive_message_begin(writer, folder, message.len, err) &&
	       archive_message_data(writer, message.data, message.len, err) &&
	       archive_message_end(writer, &placement.ticket, err) &&
	       archive_place(writer, &placement, err) &&
	       archive_commit(writer, true, &generation, err);
}

static bool run_big(const char *place, struct err *err)
{
	CLEANUP(freep) char *path = archive_in(place);
	CLEANUP(archive_writer_freep) struct archive_writer *writer = NULL;
	struct archive_snapshot snapshot;

	if (!fixture_unlock(path, err) ||
		!archive_writer_open(ref_of(path), WAIT_MS, &writer, err) ||
		!archive_resolve(archive_writer_view(writer),
			(struct archive_when){.kind = ARCHIVE_LATEST}, &snapshot, err))
		return false;
	return snapshot.generation > 1 || add_big(writer, err);
}

/* --- care --- */

static bool seal_and_merge(const char *path, size_t small_count, struct err *err)
{
	const struct archive_seal wish = {.open_bytes_min = 1, .small_count = small_count};
	struct archive_sealed sealed;

	return fixture_unlock(path, err) &&
	       archive_seal(ref_of(path), &wish, WAIT_MS, &sealed, err);
}

static bool seal(const char *path, struct err *err)
{
	return seal_and_merge(path, 0, err);
}

static bool run_seal(const char *place, struct err *err)
{
	CLEANUP(freep) char *path = archive_in(place);

	return seal(path, err);
}

/* Only an interrupted run leaves something to merge. */
static bool run_merge(const char *place, struct err *err)
{
	CLEANUP(freep) char *path = archive_in(place);

	if (!seal_and_merge(path, SMALL_COUNT, err))
		return false;
	CHECK(inside_volume_count(path) <= SMALL_COUNT);
	return true;
}

static bool prune(const char *path, struct err *err)
{
	const struct archive_prune wish = {
		.keep.last = 1, .keep_deleted_ms = 0, .now_ms = INT64_MAX / 2};
	struct archive_pruned pruned;

	return fixture_unlock(path, err) &&
	       archive_prune(ref_of(path), &wish, WAIT_MS, &pruned, err);
}

static bool run_prune(const char *place, struct err *err)
{
	CLEANUP(freep) char *path = archive_in(place);

	return prune(path, err);
}

static void prepare_sealed(const char *place)
{
	CLEANUP(freep) char *path = archive_in(place);
	struct err err = ERR_INIT;

	prepare_full(place);
	CHECK_OK(seal(path, &err));
}

/* One volume for each batch. */
static void prepare_small(const char *place)
{
	CLEANUP(freep) char *path = archive_in(place);
	struct err err = ERR_INIT;

	for (int64_t batch = 1; batch <= BATCHES; batch++) {
		fill(place, "archive", batch);
		CHECK_OK(seal(path, &err));
	}
	CHECK(inside_volume_count(path) > SMALL_COUNT);
}

/* One message that is gone from the server, and one that is present. */
static bool run_forget(const char *place, struct err *err)
{
	static const uint32_t uids[] = {2, BATCHES * POWER_EACH - 1};
	CLEANUP(freep) char *path = archive_in(place);
	uint8_t digests[ARRAY_LEN(uids)][SHA256_BYTES];
	struct archive_forgotten forgotten;

	for (size_t i = 0; i < ARRAY_LEN(uids); i++)
		power_digest(uids[i], digests[i]);
	return fixture_unlock(path, err) &&
	       archive_forget(ref_of(path), (const uint8_t(*)[SHA256_BYTES])digests,
		       ARRAY_LEN(uids), WAIT_MS, &forgotten, err);
}

static bool run_rebuild(const char *place, struct err *err)
{
	CLEANUP(freep) char *path = archive_in(place);

	return fixture_unlock(path, err) && archive_rebuild(ref_of(path), WAIT_MS, err);
}

static void prepare_lost(const char *place)
{
	CLEANUP(freep) char *path = archive_in(place);

	prepare_full(place);
	fixture_remove_catalogue(path);
}

/* --- copies: power_copies.h --- */

/* It was written to, sealed and pruned after the copy was made. */
static void prepare_copied(const char *place)
{
	CLEANUP(freep) char *path = archive_in(place);
	struct err err = ERR_INIT;

	fill(place, "archive", BATCHES - 1);
	CHECK_OK(power_copy(place, &err));
	CHECK_OK(seal(path, &err));
	fill(place, "archive", BATCHES);
	CHECK_OK(prune(path, &err));
}

/* --- keys: power_keys.h --- */

static void prepare_keys(const char *place)
{
	struct err err = ERR_INIT;

	fill(place, "archive", 2);
	CHECK_OK(power_key_add(place, &err));
}

static void prepare_two(const char *place)
{
	fill(place, "archive", 2);
}

/* --- all of it --- */

static const struct power_work works[] = {
	{"write", 200, POWER_BOTH, NULL, run_write, tell, check},
	{"big", 12, POWER_PLAIN, prepare_one, run_big, tell, check},
	{"seal", 340, POWER_BOTH, prepare_full, run_seal, tell, check},
	{"merge", 160, POWER_BOTH, prepare_small, run_merge, tell, check},
	{"prune", 200, POWER_BOTH, prepare_full, run_prune, tell, check},
	{"prune-sealed", 120, POWER_BOTH, prepare_sealed, run_prune, tell, check},
	{"forget", 320, POWER_BOTH, prepare_full, run_forget, tell, check},
	{"rebuild", 180, POWER_BOTH, prepare_full, run_rebuild, tell, check},
	{"rebuild-lost", 80, POWER_BOTH, prepare_lost, run_rebuild, tell, check},
	{"copy", 120, POWER_BOTH, prepare_full, power_copy, power_tell_copy, power_check_copy},
	{"copy-again", 120, POWER_BOTH, prepare_copied, power_copy, power_tell_copy,
		power_check_copy},
	{"encrypt", 160, POWER_PLAIN, prepare_sealed, power_encrypt, power_tell_rekey,
		power_check_rekey},
	{"rotate", 160, POWER_ENCRYPTED, prepare_sealed, power_rotate, power_tell_rekey,
		power_check_rekey},
	{"key-add", 60, POWER_ENCRYPTED, prepare_two, power_key_add, power_tell_keys, check},
	{"key-remove", 60, POWER_ENCRYPTED, prepare_keys, power_key_remove, power_tell_keys, check},
	{"journal", 140, POWER_BOTH, NULL, power_journal, power_tell_journal, power_check_journal},
	{"journal-damaged", 140, POWER_BOTH, power_prepare_damaged, power_journal,
		power_tell_journal, power_check_journal},
	{"state", 160, POWER_PLAIN, NULL, power_state, power_tell_state, power_check_state},
};

static void cut_all(bool encrypted)
{
	const struct power_wish wish = {.encrypted = encrypted};
	long states = 0, failed = 0;

	for (size_t i = 0; i < ARRAY_LEN(works); i++) {
		struct power_result result;

		if (works[i].archives == (encrypted ? POWER_PLAIN : POWER_ENCRYPTED))
			continue;
		result = power_ring(&works[i], &wish);
		(void)printf("# %s: %ld states, of %ld events; %ld failed\n", works[i].name,
			result.states, result.events, result.failed);
		states += result.states;
		failed += result.failed;
	}
	check_remark("%ld states", states);
	CHECK_INT(failed, 0);
}

static void a_power_cut_takes_nothing_from_plain_archives(void)
{
	cut_all(false);
}

static void a_power_cut_takes_nothing_from_encrypted_archives(void)
{
	cut_all(true);
}

/* Tests the ring itself: it must detect a disk that ignores syncs. */
static void check_found_out(const char *name, enum power_lie lie)
{
	for (size_t i = 0; i < ARRAY_LEN(works); i++) {
		const struct power_wish wish = {.lie = lie,
			.quiet = true,
			.encrypted = works[i].archives == POWER_ENCRYPTED,
			.states = 40};
		struct power_result result;

		if (strcmp(works[i].name, name) != 0)
			continue;
		result = power_ring(&works[i], &wish);
		(void)printf(
			"# %s: %ld of %ld states failed\n", name, result.failed, result.states);
		CHECK(result.failed > 0);
	}
}

static void a_disk_that_does_not_sync_files_is_found_out(void)
{
	check_found_out("write", POWER_FILES_LIE);
	check_found_out("seal", POWER_FILES_LIE);
	check_found_out("prune", POWER_FILES_LIE);
	check_found_out("copy-again", POWER_FILES_LIE);
	check_found_out("key-add", POWER_FILES_LIE);
	check_found_out("journal", POWER_FILES_LIE);
	check_found_out("state", POWER_FILES_LIE);
}

static void a_disk_that_does_not_sync_folders_is_found_out(void)
{
	check_found_out("write", POWER_FOLDERS_LIE);
	check_found_out("seal", POWER_FOLDERS_LIE);
	check_found_out("prune", POWER_FOLDERS_LIE);
	check_found_out("copy-again", POWER_FOLDERS_LIE);
	check_found_out("key-add", POWER_FOLDERS_LIE);
	check_found_out("journal", POWER_FOLDERS_LIE);
}

static uint64_t digest_of_some(size_t work)
{
	const struct power_wish wish = {.encrypted = true, .states = 8};

	return power_ring(&works[work], &wish).digest;
}

/* Otherwise the name of a state would not identify it. */
static void a_state_found_out_is_the_same_each_time(void)
{
	for (size_t i = 0; i < ARRAY_LEN(works); i++)
		if (works[i].archives != POWER_PLAIN)
			CHECK(digest_of_some(i) == digest_of_some(i));
}

static const char *state_name;

static void this_state_is_mended(void)
{
	power_replay(works, ARRAY_LEN(works), state_name);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(a_power_cut_takes_nothing_from_plain_archives),
		PROMISE(a_power_cut_takes_nothing_from_encrypted_archives),
		PROMISE(a_disk_that_does_not_sync_files_is_found_out),
		PROMISE(a_disk_that_does_not_sync_folders_is_found_out),
		PROMISE(a_state_found_out_is_the_same_each_time),
	};
	static const struct promise replay[] = {PROMISE(this_state_is_mended)};

	power_log_watch();
	if (argc > 1 && strchr(argv[1], '/')) {
		state_name = argv[1];
		return check_main(1, argv, replay, ARRAY_LEN(replay));
	}
	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
