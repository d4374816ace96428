/*
 * Encrypts a plain archive and rotates the master key of an encrypted one, with a stop or a
 * failure at each change of the disk. Afterwards the archive opens, check finds nothing, and all
 * mail is present byte for byte; the next run completes the change and leaves nothing under the
 * previous key.
 */
#include "archive/rekey.h"

#include <stdlib.h>
#include <string.h>

#include "archive/seal.h"
#include "base/alloc.h"
#include "base/str.h"
#include "support/archive/files.h"
#include "support/archive/inside.h"
#include "support/archive/pruned.h"
#include "support/archive/refs.h"
#include "support/archive/rekeyed.h"
#include "support/check.h"
#include "support/crash/stops.h"

enum { WAIT_MS = 1000, MESSAGES = 37 };

static const struct archive_secret key = {
	ARCHIVE_KEY, "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", 64};

/* Unlocks as a new process would: this one still has the keys of an earlier archive. */
static bool unlock(const char *path, struct err *err)
{
	ref_lock_out(path);
	return !archive_is_encrypted(ref_of(path)) || archive_unlock(ref_of(path), &key, err);
}

static bool go_on(const char *path, struct err *err)
{
	const struct archive_rekey wish = {0};
	struct archive_rekeyed rekeyed;

	return archive_rekey_state(path) == ARCHIVE_REKEY_NONE ||
	       archive_rekey(ref_of(path), &wish, WAIT_MS, &rekeyed, err);
}

static bool encrypt(const char *path, struct err *err)
{
	return unlock(path, err) &&
	       (archive_is_encrypted(ref_of(path)) ||
		       archive_encrypt_begin(ref_of(path), &key, WAIT_MS, err)) &&
	       go_on(path, err);
}

static bool rotate(const char *path, struct err *err)
{
	const struct archive_carried carried = {.id = 1, .secret = key};

	return unlock(path, err) &&
	       (inside_key_epoch(path) == 2 ||
		       archive_rotate_begin(ref_of(path), &carried, 1, WAIT_MS, err)) &&
	       go_on(path, err);
}

/* Some volumes are sealed, some full, one is open. */
static char *prepare_plain(void)
{
	char *path = str_printf("%s/before", check_temp_dir());
	const struct archive_seal wish = {0};
	struct archive_sealed sealed;
	struct err err = ERR_INIT;

	files_remove(path);
	ref_lock_out(path);
	CHECK_OK(archive_create(path, 0, &err));
	pruned_fill(path);
	CHECK_OK(archive_seal(ref_of(path), &wish, WAIT_MS, &sealed, &err));
	CHECK(sealed.volumes > 1);
	CHECK(pruned_words(path) > 0);
	return path;
}

static char *prepare_encrypted(void)
{
	char *path = prepare_plain();
	struct err err = ERR_INIT;

	CHECK_OK(encrypt(path, &err));
	return path;
}

static int count_mail(const char *path)
{
	CLEANUP(archive_freep) struct archive *reader = fixture_reader(path);
	struct archive_list list = {.generation = PRUNED_SNAPSHOTS, .deleted = true};
	CLEANUP(freep) char *lines = xstrdup(fixture_list(reader, &list));
	int count = 0;

	pruned_check_bytes(reader, PRUNED_SNAPSHOTS);
	for (const char *at = lines; (at = strchr(at, '\n')); at++)
		count++;
	return count;
}

/* The secret opens it for reading and writing; nothing is added under the previous key. */
static void check_sound(const char *path)
{
	struct archive_writer *writer;
	struct err err = ERR_INIT;

	CHECK_OK(unlock(path, &err));
	CHECK_INT(count_mail(path), MESSAGES);
	writer = fixture_writer(path);
	archive_writer_freep(&writer);
	fixture_check(path);
}

static void check_of_now(const char *path)
{
	uint32_t wanted = inside_key_epoch(path);

	CHECK(wanted > 0);
	CHECK_INT(archive_rekey_state(path), ARCHIVE_REKEY_NONE);
	rekeyed_check(path, wanted);
	CHECK_INT(pruned_words(path), 0);
}

static void check_complete(const struct stops *stops, const char *path)
{
	struct err err = ERR_INIT;

	check_sound(path);
	CHECK_OK(stops->run(path, &err));
	check_sound(path);
	check_of_now(path);
}

static const struct stops encrypting = {prepare_plain, encrypt, check_complete, NULL};
static const struct stops rotating = {prepare_encrypted, rotate, check_complete, NULL};

static void killed_at_every_change_it_goes_on(void)
{
	stops_end(&encrypting, CRASH_EXIT, 7);
	stops_end(&rotating, CRASH_EXIT, 9);
}

static void killed_within_a_write_it_goes_on(void)
{
	stops_end(&encrypting, CRASH_TEAR, 23);
	stops_end(&rotating, CRASH_TEAR, 29);
}

static void a_full_disk_takes_nothing(void)
{
	stops_fail(&encrypting, CRASH_FULL, 17);
	stops_fail(&rotating, CRASH_FULL, 19);
}

static void a_failing_write_takes_nothing(void)
{
	stops_fail(&encrypting, CRASH_FAIL_ONCE, 17);
	stops_fail(&rotating, CRASH_FAIL_ONCE, 19);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(killed_at_every_change_it_goes_on),
		PROMISE(killed_within_a_write_it_goes_on),
		PROMISE(a_full_disk_takes_nothing),
		PROMISE(a_failing_write_takes_nothing),
	};

	crash_vfs_install();
	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
