/* An update of a copy is interrupted anywhere, repeatedly: the old state stays readable, and the
 * last run completes the update. A copy newer than its source is not touched. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "archive/adopt.h"
#include "archive/copy.h"
#include "archive/forget.h"
#include "archive/seal.h"
#include "archive/volume/volume.h"
#include "base/fs.h"
#include "base/str.h"
#include "support/archive/files.h"
#include "support/archive/pruned.h"
#include "support/archive/refs.h"
#include "support/check.h"

enum { WAIT_MS = 1000, LATE_UID = 900, RUNS_MAX = 100, NEVER = 1000000, SEEDS = 4, ROUNDS = 8 };

#define READER CLEANUP(archive_freep) struct archive *
#define PATH   CLEANUP(freep) char *

/* --- a run that stops --- */

struct stop {
	const char *below; /* of the copy */
	int left;          /* renames and removals still to be done */
};

static int stop_at(void *context, const struct fs_change *change)
{
	struct stop *stop = context;

	if (strncmp(change->path, stop->below, strlen(stop->below)) != 0)
		return 0;
	if (stop->left == 0)
		return ENOSPC;
	stop->left -= change->kind == FS_RENAME || change->kind == FS_REMOVE;
	return 0;
}

/* True: it was not stopped. */
static bool copy_until(const char *path, const char *copy, int renames)
{
	struct stop stop = {copy, renames};
	struct archive_copied copied;
	struct err err = ERR_INIT;
	bool done;

	CHECK_OK(fixture_unlock(path, &err));
	fs_set_hook(stop_at, &stop);
	done = archive_copy(ref_of(path), copy, WAIT_MS, &copied, &err);
	fs_set_hook(NULL, NULL);
	return done;
}

static void copy_all(const char *path, const char *copy)
{
	CHECK(copy_until(path, copy, NEVER));
}

static void add(const char *path, uint32_t uid)
{
	struct archive_writer *writer = fixture_writer(path);
	int64_t folder = fixture_folder(writer, "INBOX", PRUNED_VALIDITY);

	fixture_add(writer, folder, PRUNED_VALIDITY, uid, uid, pruned_size(uid), "");
	(void)fixture_commit(writer, true);
	archive_writer_freep(&writer);
}

static void seal_all(const char *path)
{
	const struct archive_seal wish = {.open_bytes_min = 1};
	struct archive_sealed sealed;
	struct err err = ERR_INIT;

	CHECK_OK(archive_seal(ref_of(path), &wish, WAIT_MS, &sealed, &err));
	CHECK(sealed.volumes > 0);
}

static char *newest(const char *path, bool deleted)
{
	READER reader = fixture_reader(path);
	const struct archive_when now = {.kind = ARCHIVE_LATEST};
	struct archive_list list = {.deleted = deleted};
	struct archive_snapshot last;
	struct err err = ERR_INIT;

	CHECK_OK(archive_resolve(reader, now, &last, &err));
	list.generation = last.generation;
	pruned_check_bytes(reader, last.generation);
	return str_printf("%s", fixture_list(reader, &list));
}

static bool no_finding(void *context, const struct archive_finding *finding, struct err *err)
{
	(void)context;
	return err_set(err, ERR_CORRUPT, "%s: %s", finding->where, finding->what);
}

static char *adopted(const char *copy)
{
	PATH path = str_printf("%s.adopted", copy);
	PATH before = files_digests(copy);
	PATH after = NULL;
	PATH text = NULL;
	struct archive_adopted made;
	struct err err = ERR_INIT;

	CHECK_OK(fixture_unlock(copy, &err));
	CHECK_OK(archive_adopt(ref_of(copy), path, no_finding, NULL, WAIT_MS, &made, &err));
	after = files_digests(copy);
	CHECK_STR(after, before);
	text = newest(path, true);
	files_remove(path);
	return TAKE(text);
}

/* Another process writes to it. */
static char *gone_on_with(const char *copy)
{
	PATH path = str_printf("%s.written", copy);
	PATH text = NULL;
	struct archive_writer *writer;

	files_copy(copy, path);
	writer = fixture_writer(path);
	archive_writer_freep(&writer);
	text = newest(path, true);
	files_remove(path);
	return TAKE(text);
}

/* It shows the old state or the new one, and the same one to every reader and writer. */
static void check_half(const char *copy, const char *old, const char *new)
{
	PATH read = newest(copy, true);
	PATH taken = adopted(copy);
	PATH written = gone_on_with(copy);

	CHECK(strcmp(read, old) == 0 || strcmp(read, new) == 0);
	CHECK(strcmp(taken, old) == 0 || strcmp(taken, new) == 0);
	CHECK_STR(written, taken);
}

/* After each stop the copy can be read, adopted and written to, in the old state or the new one,
 * and the next run completes it. */
static void stop_everywhere(const char *name, void (*change)(const char *path))
{
	PATH path = pruned_archive(name);
	PATH base = str_printf("%s.base", path);
	PATH old = NULL;
	PATH new = NULL;
	bool done = false;

	add(path, LATE_UID);
	copy_all(path, base);
	old = newest(base, true);
	change(path);
	new = newest(path, true);
	for (int n = 0; !done && n < RUNS_MAX; n++) {
		PATH copy = str_printf("%s.copy%d", path, n);
		PATH whole = NULL;

		files_copy(base, copy);
		done = copy_until(path, copy, n);
		check_half(copy, old, new);
		copy_all(path, copy);
		whole = newest(copy, true);
		CHECK_STR(whole, new);
		fixture_check(copy);
		files_remove(copy);
	}
	CHECK(done);
}

static void more_and_seal(const char *path)
{
	add(path, LATE_UID + 1);
	seal_all(path);
}

static void more_and_seal_and_more(const char *path)
{
	more_and_seal(path);
	add(path, LATE_UID + 2);
}

static void only_pruned(const char *path)
{
	struct archive_pruned pruned;
	struct err err = ERR_INIT;

	CHECK_OK(pruned_prune(path, &(struct keep_rules){.last = 1}, 0, &pruned, &err));
}

static void prune_and_seal(const char *path)
{
	only_pruned(path);
	seal_all(path);
}

static void a_copy_interrupted_before_a_sealed_volume_is_readable(void)
{
	stop_everywhere("sealed", more_and_seal);
}

static void a_copy_interrupted_after_a_sealed_volume_is_readable(void)
{
	stop_everywhere("sealed-more", more_and_seal_and_more);
}

static void a_copy_interrupted_before_pruned_and_sealed_volumes_is_readable(void)
{
	stop_everywhere("pruned", prune_and_seal);
}

static void a_copy_interrupted_before_pruned_volumes_is_readable(void)
{
	stop_everywhere("only-pruned", only_pruned);
}

static int stop_at_name(void *context, const struct fs_change *change)
{
	return change->to && strcmp(change->to, context) == 0 ? ENOSPC : 0;
}

/* Nothing in a copy is lost when it is written to as the stop left it. */
static void a_copy_interrupted_before_its_catalogue_continues_with_all_it_has(void)
{
	PATH path = pruned_archive("goes-on");
	PATH copy = str_printf("%s.copy", path);
	PATH catalogue = str_printf("%s/catalogue.db", copy);
	PATH all = NULL;
	struct archive_copied copied;
	struct err err = ERR_INIT;

	add(path, LATE_UID);
	copy_all(path, copy);
	more_and_seal(path);
	fs_set_hook(stop_at_name, catalogue);
	CHECK(!archive_copy(ref_of(path), copy, WAIT_MS, &copied, &err));
	fs_set_hook(NULL, NULL);
	add(copy, LATE_UID + 5);
	all = newest(copy, false);
	CHECK(strstr(all, " 905 "));
	CHECK(strstr(all, " 901 "));
	fixture_check(copy);
}

/* --- stopped again and again, while the source goes on --- */

static uint32_t late = 2000;

static void forget_one(const char *path)
{
	CLEANUP(buf_free) struct buf message = BUF_INIT(FIXTURE_MESSAGE_MAX);
	uint8_t digest[1][SHA256_BYTES];
	struct archive_forgotten forgotten;
	struct err err = ERR_INIT;

	fixture_message(&message, late - 1, pruned_size(late - 1));
	sha256_of(message.data, message.len, digest[0]);
	CHECK_OK(archive_forget(ref_of(path), (const uint8_t(*)[SHA256_BYTES])digest, 1, WAIT_MS,
		&forgotten, &err));
}

static uint32_t below(uint64_t *chance, uint32_t number)
{
	*chance = *chance * 6364136223846793005U + 1442695040888963407U;
	return (uint32_t)((*chance >> 33) % number);
}

static void random_change(const char *path, uint64_t *chance)
{
	const struct archive_seal seal = {.open_bytes_min = 1};
	const struct archive_seal merge = {.open_bytes_min = 1, .small_count = 2};
	struct archive_sealed sealed;
	struct err err = ERR_INIT;

	switch (below(chance, 7)) {
	case 0:
		CHECK_OK(archive_seal(ref_of(path), &seal, WAIT_MS, &sealed, &err));
		break;
	case 1:
		CHECK_OK(archive_seal(ref_of(path), &merge, WAIT_MS, &sealed, &err));
		break;
	case 2:
		only_pruned(path);
		break;
	case 3:
		forget_one(path);
		break;
	default:
		add(path, late++);
	}
}

static void stop_again_and_again(uint64_t seed)
{
	PATH name = str_printf("again%u", (unsigned)seed);
	PATH path = pruned_archive(name);
	PATH copy = str_printf("%s.copy", path);
	PATH ours = NULL;
	PATH theirs = NULL;

	copy_all(path, copy);
	for (int i = 0; i < ROUNDS; i++) {
		PATH half = NULL;

		random_change(path, &seed);
		random_change(path, &seed);
		(void)copy_until(path, copy, (int)below(&seed, 10));
		half = newest(copy, true);
	}
	copy_all(path, copy);
	theirs = newest(copy, true);
	ours = newest(path, true);
	CHECK_STR(theirs, ours);
	fixture_check(copy);
}

static void the_last_of_many_interrupted_runs_completes_the_copy(void)
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++)
		stop_again_and_again(seed);
}

/* --- a source that was put back to an older state --- */

static void copy_leaves_a_copy_newer_than_its_source_alone(void)
{
	PATH path = pruned_archive("back");
	PATH copy = str_printf("%s.copy", path);
	PATH older = str_printf("%s.older", path);
	PATH before = NULL;
	PATH after = NULL;

	add(path, LATE_UID);
	files_copy(path, older);
	add(path, LATE_UID + 1);
	copy_all(path, copy);
	before = newest(copy, false);
	CHECK(!copy_until(older, copy, NEVER));
	after = newest(copy, false);
	CHECK_STR(after, before);
}

/* --- a copy that was written to, and copied from, which empties its -wal --- */

static void copy_leaves_a_copy_alone_that_was_written_to_and_copied(void)
{
	PATH path = pruned_archive("own");
	PATH copy = str_printf("%s.copy", path);
	PATH third = str_printf("%s.third", path);
	PATH before = NULL;
	PATH after = NULL;

	add(path, LATE_UID);
	copy_all(path, copy);
	add(copy, LATE_UID + 1);
	CHECK(!copy_until(path, copy, NEVER));
	copy_all(copy, third);
	before = newest(copy, false);
	CHECK(!copy_until(path, copy, NEVER));
	after = newest(copy, false);
	CHECK_STR(after, before);
}

/* A copy that was sealed by itself has other volumes of the same sequences. */
static void copy_leaves_a_copy_alone_that_was_sealed_on_its_own(void)
{
	PATH path = pruned_archive("self");
	PATH copy = str_printf("%s.copy", path);
	PATH third = str_printf("%s.third", path);
	const struct archive_seal wish = {.open_bytes_min = 0};
	struct archive_sealed sealed;
	struct archive_pruned pruned;
	PATH before = NULL;
	PATH after = NULL;
	struct err err = ERR_INIT;

	copy_all(path, copy);
	CHECK_OK(fixture_unlock(copy, &err));
	CHECK_OK(archive_seal(ref_of(copy), &wish, WAIT_MS, &sealed, &err));
	copy_all(copy, third);
	before = newest(copy, false);
	CHECK_OK(pruned_prune(path, &(struct keep_rules){.last = 1}, -1, &pruned, &err));
	CHECK(!copy_until(path, copy, NEVER));
	after = newest(copy, false);
	CHECK_STR(after, before);
}

/* What a sealed one took the place of may be damaged: it does not count. */
static void copy_replaces_a_damaged_volume_with_its_sealed_version(void)
{
	PATH path = pruned_archive("rotten");
	PATH copy = str_printf("%s.copy", path);
	static const char zeros[4096];
	CLEANUP(volume_list_free) struct volume_list list = {0};
	struct err err = ERR_INIT;

	copy_all(path, copy);
	CHECK_OK(volume_list(copy, &list, &err));
	for (size_t i = 0; i < list.count; i++) {
		PATH volume = layout_volume_path(copy, &list.items[i]);

		CHECK_OK(fs_write_atomic(volume, zeros, sizeof(zeros), 0444, &err));
	}
	seal_all(path);
	copy_all(path, copy);
	fixture_check(copy);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(a_copy_interrupted_before_a_sealed_volume_is_readable),
		PROMISE(a_copy_interrupted_after_a_sealed_volume_is_readable),
		PROMISE(a_copy_interrupted_before_pruned_and_sealed_volumes_is_readable),
		PROMISE(a_copy_interrupted_before_pruned_volumes_is_readable),
		PROMISE(a_copy_interrupted_before_its_catalogue_continues_with_all_it_has),
		PROMISE(the_last_of_many_interrupted_runs_completes_the_copy),
		PROMISE(copy_leaves_a_copy_newer_than_its_source_alone),
		PROMISE(copy_leaves_a_copy_alone_that_was_sealed_on_its_own),
		PROMISE(copy_replaces_a_damaged_volume_with_its_sealed_version),
		PROMISE(copy_leaves_a_copy_alone_that_was_written_to_and_copied),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
