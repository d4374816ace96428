/* A first or another master key: the mail is the same, and the old key opens nothing any more. */
#include <dirent.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

#include "archive/archive.h"
#include "archive/keys/keys.h"
#include "archive/seal.h"
#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"
#include "support/archive/pruned.h"
#include "support/archive/refs.h"
#include "support/archive/rekeyed.h"
#include "support/check.h"

enum { WAIT_MS = REKEYED_WAIT_MS, LATE_UID = 900 };

#define PATH CLEANUP(freep) char *

/* Complete, with the same mail as before, and every file under this key epoch. */
static void check_same(const char *path, const char *before, uint32_t epoch)
{
	PATH after = rekeyed_everything(path);

	rekeyed_check(path, epoch);
	CHECK_INT(pruned_words(path), 0);
	CHECK_STR(after, before);
	fixture_check(path);
}

static void encrypting_keeps_the_mail_and_leaves_no_plain_text(void)
{
	PATH path = rekeyed_plain("encrypt");
	PATH before = rekeyed_everything(path);
	struct archive_rekeyed rekeyed;

	CHECK(pruned_words(path) > 0);
	rekeyed_begin_encrypt(path);
	rekeyed = rekeyed_go_on(path);
	CHECK(rekeyed.volumes > 0);
	CHECK_INT(rekeyed.key_epoch, 1);
	check_same(path, before, 1);
}

static void rotating_keeps_the_mail_under_another_key(void)
{
	PATH path = rekeyed_encrypted("rotate");
	PATH before = rekeyed_everything(path);

	rekeyed_begin_rotate(path, &rekeyed_key);
	CHECK_INT(rekeyed_go_on(path).key_epoch, 2);
	check_same(path, before, 2);
}

static void rekeyed_volumes_rebuild_the_catalogue(void)
{
	PATH path = rekeyed_encrypted("rebuilt");
	PATH before = rekeyed_everything(path);
	PATH after = NULL;
	struct err err = ERR_INIT;

	rekeyed_begin_rotate(path, &rekeyed_key);
	(void)rekeyed_go_on(path);
	fixture_remove_catalogue(path);
	CHECK_OK(archive_rebuild(ref_of(path), WAIT_MS, &err));
	after = rekeyed_everything(path);
	CHECK_STR(after, before);
	fixture_check(path);
}

/* Volumes from a journal checkpoint, sealed before and after it, and rekeyed a second time. */
static void rekeying_works_with_sealing_and_pruning(void)
{
	PATH path = rekeyed_plain("together");
	const struct archive_seal all = {.open_bytes_min = 1};
	struct archive_sealed sealed;
	struct archive_pruned pruned;
	struct err err = ERR_INIT;

	CHECK_OK(archive_seal(ref_of(path), &all, WAIT_MS, &sealed, &err));
	rekeyed_begin_encrypt(path);
	(void)rekeyed_go_on(path);
	rekeyed_add(path, LATE_UID);
	CHECK_OK(archive_seal(ref_of(path), &all, WAIT_MS, &sealed, &err));
	fixture_check(path);
	rekeyed_begin_rotate(path, &rekeyed_key);
	(void)rekeyed_go_on(path);
	fixture_check(path);
	CHECK_OK(pruned_prune(path, &(struct keep_rules){.last = 1}, 0, &pruned, &err));
	rekeyed_add(path, LATE_UID + 1);
	CHECK_OK(archive_seal(ref_of(path), &all, WAIT_MS, &sealed, &err));
	rekeyed_begin_rotate(path, &rekeyed_key);
	(void)rekeyed_go_on(path);
	rekeyed_check(path, 3);
	fixture_check(path);
	CHECK_OK(archive_rebuild(ref_of(path), WAIT_MS, &err));
	fixture_check(path);
}

static size_t count_files(const char *path)
{
	CLEANUP(freep) char *folder = layout_volumes_path(path);
	DIR *dir = opendir(folder);
	struct dirent *entry;
	size_t count = 0;

	CHECK(dir != NULL);
	while ((entry = readdir(dir)))
		count += fnmatch("*.vol", entry->d_name, 0) == 0 ||
			 fnmatch("*.vol.new", entry->d_name, 0) == 0;
	(void)closedir(dir);
	return count;
}

struct crowd {
	const char *path;
	size_t most;
};

static void count_crowd(void *context, uint64_t bytes, uint64_t total)
{
	struct crowd *crowd = context;
	size_t count = count_files(crowd->path);

	CHECK(bytes <= total);
	if (count > crowd->most)
		crowd->most = count;
}

static void rekeying_duplicates_at_most_one_volume_at_a_time(void)
{
	PATH path = rekeyed_plain("crowd");
	struct crowd crowd = {path, 0};
	const struct archive_rekey wish = {.progress = count_crowd, .context = &crowd};
	size_t before = count_files(path);
	struct archive_rekeyed rekeyed;
	struct err err = ERR_INIT;

	CHECK(before > 2);
	rekeyed_begin_encrypt(path);
	CHECK_OK(archive_rekey(ref_of(path), &wish, WAIT_MS, &rekeyed, &err));
	/* the new open volume, and the one being rewritten */
	CHECK(crowd.most > 2 && crowd.most <= before + 2);
}

static void an_empty_archive_can_be_encrypted_and_rotated(void)
{
	PATH path = str_printf("%s/empty", check_temp_dir());
	struct err err = ERR_INIT;

	CHECK_OK(archive_create(path, 0, &err));
	rekeyed_begin_encrypt(path);
	(void)rekeyed_go_on(path);
	rekeyed_begin_rotate(path, &rekeyed_key);
	(void)rekeyed_go_on(path);
	rekeyed_check(path, 2);
	pruned_fill(path);
	fixture_check(path);
}

/* A removed secret opens the old files, and not the current ones. */
static void a_previous_key_does_not_open_the_rotated_archive(void)
{
	PATH path = rekeyed_encrypted("leaked");
	PATH keyring = layout_keyring_path(path);
	CLEANUP(buf_free) struct buf old = BUF_INIT(KEYRING_FILE_BYTES_MAX);
	struct archive *archive = NULL;
	struct err err = ERR_INIT;
	uint32_t id;

	CHECK_OK(archive_add_key(ref_of(path), &rekeyed_other_key, &id, &err));
	CHECK_OK(fs_read(keyring, &old, &err));
	rekeyed_begin_rotate(path, &rekeyed_key);
	CHECK(!archive_unlock(ref_of(path), &rekeyed_other_key, &err));
	CHECK_INT(err.kind, ERR_AUTH);
	(void)rekeyed_go_on(path);
	CHECK(!archive_unlock(ref_of(path), &rekeyed_other_key, &err));
	CHECK_OK(fs_write_atomic(keyring, old.data, old.len, 0600, &err));
	CHECK_OK(archive_unlock(ref_of(path), &rekeyed_other_key, &err));
	CHECK(!archive_open(ref_of(path), &archive, &err));
	CHECK_INT(err.kind, ERR_CORRUPT);
}

static uint32_t seen_id;

static bool see_key(void *context, const struct archive_key *seen, struct err *err)
{
	(void)err;
	seen_id = seen->id;
	++*(int *)context;
	return true;
}

static void kept_keys_keep_their_id(void)
{
	PATH path = rekeyed_encrypted("numbers");
	struct archive_carried carried = {.secret = rekeyed_other_key};
	struct err err = ERR_INIT;
	uint32_t id;
	int count = 0;

	CHECK_OK(archive_add_key(ref_of(path), &rekeyed_other_key, &carried.id, &err));
	CHECK_INT(carried.id, 2);
	CHECK_OK(archive_rotate_begin(ref_of(path), &carried, 1, WAIT_MS, &err));
	(void)rekeyed_go_on(path);
	CHECK_OK(archive_each_key(path, see_key, &count, &err));
	CHECK_INT(count, 1);
	CHECK_INT(seen_id, 2);
	CHECK_OK(archive_add_key(ref_of(path), &rekeyed_key, &id, &err));
	CHECK_INT(id, 3);
	CHECK_OK(archive_unlock(ref_of(path), &rekeyed_key, &err));
	CHECK_OK(archive_unlock(ref_of(path), &rekeyed_other_key, &err));
}

static void rotation_needs_at_least_one_key(void)
{
	PATH path = rekeyed_encrypted("none");
	struct err err = ERR_INIT;

	CHECK(!archive_rotate_begin(ref_of(path), NULL, 0, WAIT_MS, &err));
	CHECK_INT(err.kind, ERR_AUTH);
	CHECK_INT(archive_rekey_state(path), ARCHIVE_REKEY_NONE);
	CHECK(!archive_encrypt_begin(ref_of(path), &rekeyed_key, WAIT_MS, &err));
	CHECK_INT(err.kind, ERR_USAGE);
	fixture_check(path);
}

/* A completed change stays completed: a lost keyring is restored without the previous key. */
static void a_lost_keyring_comes_back_without_an_unfinished_change(void)
{
	PATH path = rekeyed_encrypted("lost");
	PATH keyring = layout_keyring_path(path);
	struct err err = ERR_INIT;

	CHECK_OK(fs_remove(keyring, &err));
	CHECK_OK(archive_mend_keyring(path, &err));
	CHECK_INT(archive_rekey_state(path), ARCHIVE_REKEY_NONE);
	CHECK_OK(archive_unlock(ref_of(path), &rekeyed_key, &err));
	fixture_check(path);
}

static void an_empty_archive_can_be_rotated_often_and_sealed(void)
{
	PATH path = str_printf("%s/%s", check_temp_dir(), "often");
	const struct archive_seal all = {.small_count = SEAL_SMALL_COUNT};
	struct archive_sealed sealed;
	struct err err = ERR_INIT;

	CHECK_OK(archive_create(path, 0, &err));
	rekeyed_begin_encrypt(path);
	(void)rekeyed_go_on(path);
	for (int i = 0; i < SEAL_SMALL_COUNT; i++) {
		rekeyed_begin_rotate(path, &rekeyed_key);
		(void)rekeyed_go_on(path);
	}
	CHECK_OK(archive_seal(ref_of(path), &all, WAIT_MS, &sealed, &err));
	fixture_check(path);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(encrypting_keeps_the_mail_and_leaves_no_plain_text),
		PROMISE(rotating_keeps_the_mail_under_another_key),
		PROMISE(rekeyed_volumes_rebuild_the_catalogue),
		PROMISE(rekeying_works_with_sealing_and_pruning),
		PROMISE(rekeying_duplicates_at_most_one_volume_at_a_time),
		PROMISE(an_empty_archive_can_be_encrypted_and_rotated),
		PROMISE(a_previous_key_does_not_open_the_rotated_archive),
		PROMISE(kept_keys_keep_their_id),
		PROMISE(rotation_needs_at_least_one_key),
		PROMISE(a_lost_keyring_comes_back_without_an_unfinished_change),
		PROMISE(an_empty_archive_can_be_rotated_often_and_sealed),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
