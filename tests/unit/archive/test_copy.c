/* Copies: wherever a run is stopped, a copy stays a copy, and only of this archive and under this
 * key. */
#include "archive/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "archive/archive.h"
#include "archive/catalogue/catalogue.h"
#include "archive/check.h"
#include "archive/keys/keys.h"
#include "archive/seal.h"
#include "base/fs.h"
#include "base/str.h"
#include "support/archive/files.h"
#include "support/archive/pruned.h"
#include "support/archive/refs.h"
#include "support/archive/rekeyed.h"
#include "support/check.h"

enum { WAIT_MS = REKEYED_WAIT_MS, LATE_UID = 900, LATE_COUNT = 20, LATE_BYTES = 9000 };

#define READER CLEANUP(archive_freep) struct archive *
#define PATH   CLEANUP(freep) char *

struct refusal {
	const char *folder;
	enum fs_change_kind kind;
	const char *ending; /* of the name */
	int left;           /* this many calls pass */
	int code;           /* errno */
};

static int refuse(void *context, const struct fs_change *change)
{
	struct refusal *refusal = context;
	const char *name = change->to ? change->to : change->path;
	size_t len = strlen(name), end = strlen(refusal->ending);

	if (change->kind != refusal->kind ||
		strncmp(name, refusal->folder, strlen(refusal->folder)) != 0 || len < end ||
		strcmp(name + len - end, refusal->ending) != 0)
		return 0;
	return refusal->left-- > 0 ? 0 : refusal->code;
}

static const char a_volume[] = ".vol";
static const char staged_volume[] = ".vol.copied.new";
static const char staged_catalogue[] = "catalogue.db.copied.new";
static const char coming_volume[] = ".vol.copied.new.new";

static void copy_stopped(
	const char *path, const char *copy, enum fs_change_kind kind, const char *ending, int left)
{
	struct refusal refusal = {copy, kind, ending, left, EIO};
	struct archive_copied copied;
	struct err err = ERR_INIT;

	fs_set_hook(refuse, &refusal);
	CHECK(!archive_copy(ref_of(path), copy, WAIT_MS, &copied, &err));
	fs_set_hook(NULL, NULL);
}

/* Enough for a WAL checkpoint to leave its volume alone. */
static void add_much(const char *path)
{
	struct archive_writer *writer = fixture_writer(path);

	for (uint32_t uid = LATE_UID; uid < LATE_UID + LATE_COUNT; uid++)
		fixture_add(writer, 1, PRUNED_VALIDITY, uid, uid, LATE_BYTES, "");
	(void)fixture_commit(writer, true);
	archive_writer_freep(&writer);
}

/* A copy, and an archive that has sealed a volume since. The caller frees the copy's path. */
static char *copy_and_seal(const char *path)
{
	const struct archive_seal all = {.open_bytes_min = 1};
	char *copy = str_printf("%s.copy", path);
	struct archive_copied copied;
	struct archive_sealed sealed;
	struct err err = ERR_INIT;

	add_much(path);
	CHECK_OK(archive_copy(ref_of(path), copy, WAIT_MS, &copied, &err));
	CHECK_OK(archive_seal(ref_of(path), &all, WAIT_MS, &sealed, &err));
	CHECK(sealed.volumes > 0);
	return copy;
}

/* A replaced volume would have the same sequence as the volume that replaces it. */
static void an_interrupted_update_drops_replaced_volumes_later(void)
{
	PATH path = rekeyed_encrypted("copied");
	PATH copy = copy_and_seal(path);
	CLEANUP(volume_list_free) struct volume_list replaced = {0};
	struct archive_copied copied;
	struct err err = ERR_INIT;

	copy_stopped(path, copy, FS_REMOVE, a_volume, 0);
	CHECK_OK(archive_copy(ref_of(path), copy, WAIT_MS, &copied, &err)); /* completed */
	CHECK_OK(volume_list_replaced(copy, &replaced, &err));
	CHECK_INT(replaced.count, 0);
	CHECK_OK(archive_unlock(ref_of(copy), &rekeyed_key, &err));
	fixture_check(copy);
}

/* Wherever a run is stopped, a readable copy stays readable. */
static void a_copy_interrupted_twice_is_readable(void)
{
	PATH path = rekeyed_encrypted("twice");
	PATH copy = copy_and_seal(path);
	READER reader = NULL;
	struct archive_snapshot newest;
	struct err err = ERR_INIT;

	copy_stopped(path, copy, FS_RENAME, a_volume, 1);
	copy_stopped(path, copy, FS_RENAME, a_volume, 0);
	CHECK_OK(archive_unlock(ref_of(copy), &rekeyed_key, &err));
	reader = fixture_reader(copy);
	CHECK_OK(archive_resolve(
		reader, (struct archive_when){.kind = ARCHIVE_LATEST}, &newest, &err));
	fixture_check_message(reader,
		fixture_find(reader, newest.generation, 1, PRUNED_VALIDITY, LATE_UID), LATE_UID,
		LATE_BYTES);
}

/* --- what is new lies beside what is there first --- */

static uint64_t files_copied(const char *path, const char *copy)
{
	struct archive_copied copied;
	struct err err = ERR_INIT;

	CHECK_OK(archive_copy(ref_of(path), copy, WAIT_MS, &copied, &err));
	return copied.files;
}

static void check_nothing_left(const char *copy)
{
	PATH files = files_digests(copy);
	struct err err = ERR_INIT;

	CHECK(!strstr(files, ".new"));
	CHECK_OK(archive_unlock(ref_of(copy), &rekeyed_key, &err));
	fixture_check(copy);
}

static void copy_transfers_only_changed_files(void)
{
	PATH path = rekeyed_encrypted("changed");
	PATH copy = str_printf("%s.copy", path);

	CHECK(files_copied(path, copy) > 4);
	CHECK_INT(files_copied(path, copy), 0);
	add_much(path);
	CHECK_INT(files_copied(path, copy), 2); /* the newest volume and the catalogue */
	check_nothing_left(copy);
}

static void copy_reuses_files_staged_by_an_interrupted_run(void)
{
	enum { BROUGHT = 2 };
	PATH path = rekeyed_encrypted("brought");
	PATH whole = str_printf("%s.whole", path);
	PATH copy = str_printf("%s.copy", path);
	uint64_t all = files_copied(path, whole);

	copy_stopped(path, copy, FS_RENAME, staged_volume, BROUGHT);
	CHECK_INT(files_copied(path, copy), all - BROUGHT);
	check_nothing_left(copy);
}

static void copy_removes_staged_files_no_longer_in_the_source(void)
{
	const struct archive_seal merge = {.open_bytes_min = 1, .small_count = 2};
	PATH path = rekeyed_encrypted("no-more");
	PATH copy = copy_and_seal(path);
	struct archive_sealed sealed;
	struct err err = ERR_INIT;

	copy_stopped(path, copy, FS_RENAME, staged_volume, 1);
	CHECK_OK(archive_seal(ref_of(path), &merge, WAIT_MS, &sealed, &err));
	CHECK(sealed.merged > 0);
	(void)files_copied(path, copy);
	check_nothing_left(copy);
}

/* Every line of the one text occurs in the other. */
static void check_lines_of(char *some, const char *all)
{
	for (char *rest = some, *line; (line = strsep(&rest, "\n"));)
		CHECK(strstr(all, line));
}

static void a_full_target_leaves_the_copy_unchanged(void)
{
	PATH path = rekeyed_encrypted("full");
	PATH copy = copy_and_seal(path);
	PATH before = files_digests(copy);
	PATH after = NULL;
	struct refusal refusal = {copy, FS_WRITE, coming_volume, 1, ENOSPC};
	struct archive_copied copied;
	struct err err = ERR_INIT;

	fs_set_hook(refuse, &refusal);
	CHECK(!archive_copy(ref_of(path), copy, WAIT_MS, &copied, &err));
	fs_set_hook(NULL, NULL);
	CHECK(strstr(err.text, "was left unchanged") && strstr(err.text, "No space left"));
	after = files_digests(copy);
	check_lines_of(before, after);
	(void)files_copied(path, copy);
	check_nothing_left(copy);
}

static bool no_finding(void *context, const struct archive_finding *finding, struct err *err)
{
	(void)context;
	return err_set(err, ERR_CORRUPT, "%s: %s", finding->where, finding->what);
}

/* The archive it was copied from is gone. */
static void rebuild_completes_a_copy_interrupted_between_renames(void)
{
	const struct archive_check check = {.finding = no_finding};
	PATH path = rekeyed_encrypted("between");
	PATH copy = copy_and_seal(path);
	struct archive_checked checked;
	struct err err = ERR_INIT;

	copy_stopped(path, copy, FS_RENAME, a_volume, 1);
	CHECK_OK(archive_unlock(ref_of(copy), &rekeyed_key, &err));
	CHECK(!archive_check(ref_of(copy), &check, WAIT_MS, &checked, &err));
	CHECK_INT(err.kind, ERR_BUSY);
	CHECK(strstr(err.text, "mailstow rebuild"));
	CHECK_OK(archive_rebuild(ref_of(copy), WAIT_MS, &err));
	check_nothing_left(copy);
	(void)files_copied(path, copy);
	check_nothing_left(copy);
}

/* It is complete, and may be the only copy left. */
static void a_fully_staged_first_copy_is_an_archive(void)
{
	PATH path = rekeyed_plain("begun");
	PATH copy = str_printf("%s.copy", path);
	PATH before = NULL;
	PATH after = NULL;
	struct err err = ERR_INIT;

	copy_stopped(path, copy, FS_RENAME, a_volume, 0);
	before = files_digests(copy);
	CHECK(!archive_create(copy, 0, &err));
	CHECK_INT(err.kind, ERR_CREATE);
	after = files_digests(copy);
	CHECK_STR(after, before);
	err_clear(&err);
	CHECK_OK(archive_rebuild(ref_of(copy), WAIT_MS, &err));
	freep(&after);
	after = files_digests(copy);
	CHECK(!strstr(after, ".new"));
	fixture_check(copy);
}

/* As NTFS does. */
static void cut_times(const char *path)
{
	struct stat st;

	CHECK_INT(stat(path, &st), 0);
	st.st_mtim.tv_nsec -= st.st_mtim.tv_nsec % 100;
	CHECK_INT(utimensat(AT_FDCWD, path, (struct timespec[]){st.st_mtim, st.st_mtim}, 0), 0);
}

static void a_copy_is_complete_on_a_file_system_with_coarse_times(void)
{
	PATH path = pruned_archive("coarse");
	PATH copy = str_printf("%s.copy", path);
	PATH catalogue = layout_catalogue_path(copy);
	CLEANUP(volume_list_free) struct volume_list list = {0};
	struct err err = ERR_INIT;

	CHECK(files_copied(path, copy) > 4);
	CHECK_OK(volume_list(copy, &list, &err));
	for (size_t i = 0; i < list.count; i++) {
		PATH volume = layout_volume_path(copy, &list.items[i]);

		cut_times(volume);
	}
	cut_times(catalogue);
	CHECK_INT(files_copied(path, copy),
		2); /* files that may have changed: the newest volume and the catalogue */
}

/* An interrupted first copy of this archive left its keyring. */
static void copy_replaces_a_foreign_keyring(void)
{
	PATH other = rekeyed_encrypted("other");
	PATH path = rekeyed_plain("plain-there");
	PATH copy = str_printf("%s.copy", path);
	struct archive_copied copied;
	struct err err = ERR_INIT;

	copy_stopped(other, copy, FS_RENAME, staged_catalogue, 0);
	CHECK_OK(archive_copy(ref_of(path), copy, WAIT_MS, &copied, &err));
	fixture_check(copy);
	CHECK_OK(archive_copy(ref_of(path), copy, WAIT_MS, &copied, &err));
}

static void copy_replaces_a_damaged_keyring(void)
{
	PATH path = rekeyed_encrypted("mended");
	PATH copy = str_printf("%s.copy", path);
	PATH keyring = layout_keyring_path(copy);
	struct archive_copied copied;
	struct err err = ERR_INIT;

	CHECK_OK(archive_copy(ref_of(path), copy, WAIT_MS, &copied, &err));
	CHECK_OK(fs_write_atomic(keyring, "MSKR", 4, 0600, &err));
	CHECK_OK(archive_copy(ref_of(path), copy, WAIT_MS, &copied, &err));
	CHECK_OK(archive_unlock(ref_of(copy), &rekeyed_key, &err));
	fixture_check(copy);
}

/* The error must not advise removing it. */
static void copy_refuses_the_copy_of_another_archive(void)
{
	PATH path = rekeyed_plain("mine");
	PATH other = rekeyed_encrypted("stranger");
	PATH copy = str_printf("%s.copy", other);
	struct archive_copied copied;
	struct err err = ERR_INIT;

	CHECK_OK(archive_copy(ref_of(other), copy, WAIT_MS, &copied, &err));
	CHECK(!archive_copy(ref_of(path), copy, WAIT_MS, &copied, &err));
	CHECK_INT(err.kind, ERR_CREATE);
	CHECK(strstr(err.text, "another archive") && !strstr(err.text, "remove"));
}

static void refuse_copy(const char *path, const char *copy)
{
	struct archive_copied copied;
	struct err err = ERR_INIT;

	CHECK(!archive_copy(ref_of(path), copy, WAIT_MS, &copied, &err));
	CHECK_INT(err.kind, ERR_CREATE);
	CHECK(strstr(err.text, "before the master key changed"));
}

/* Any readable volume tells which key a copy belongs to. */
static void copy_leaves_an_old_copy_with_a_damaged_first_volume_alone(void)
{
	PATH path = rekeyed_encrypted("first-damaged");
	PATH copy = str_printf("%s.copy", path);
	PATH keyring = layout_keyring_path(copy);
	CLEANUP(volume_list_free) struct volume_list list = {0};
	CLEANUP(buf_free) struct buf before = BUF_INIT(KEYRING_FILE_BYTES_MAX);
	CLEANUP(buf_free) struct buf after = BUF_INIT(KEYRING_FILE_BYTES_MAX);
	static const char zeros[4096];
	PATH first = NULL;
	struct archive_copied copied;
	struct err err = ERR_INIT;

	CHECK_OK(archive_copy(ref_of(path), copy, WAIT_MS, &copied, &err));
	CHECK_OK(volume_list(copy, &list, &err));
	CHECK(list.count > 2);
	first = layout_volume_path(copy, &list.items[0]);
	CHECK_OK(fs_write_atomic(first, zeros, sizeof(zeros), 0444, &err));
	CHECK_OK(fs_read(keyring, &before, &err));
	rekeyed_begin_rotate(path, &rekeyed_key);
	(void)rekeyed_go_on(path);
	refuse_copy(path, copy);
	CHECK_OK(fs_read(keyring, &after, &err));
	CHECK(before.len == after.len && memcmp(before.data, after.data, before.len) == 0);
}

/* If a run stopped with volumes of both in one folder, neither keyring would open them all. */
static void copy_leaves_a_copy_under_the_previous_key_alone(void)
{
	PATH path = rekeyed_encrypted("of-before");
	PATH copy = str_printf("%s.copy", path);
	PATH later = str_printf("%s.later", path);
	struct archive_copied copied;
	struct err err = ERR_INIT;

	CHECK_OK(archive_copy(ref_of(path), copy, WAIT_MS, &copied, &err));
	rekeyed_begin_rotate(path, &rekeyed_key);
	refuse_copy(path, copy);
	(void)rekeyed_go_on(path);
	refuse_copy(path, copy);
	CHECK_OK(archive_unlock(ref_of(copy), &rekeyed_key, &err));
	rekeyed_check(copy, 1);
	fixture_check(copy);
	CHECK_OK(archive_copy(ref_of(path), later, WAIT_MS, &copied, &err));
	CHECK_OK(archive_unlock(ref_of(later), &rekeyed_key, &err));
	rekeyed_check(later, 2);
	fixture_check(later);
}

/* The error does not call it an older copy that may be removed. */
static void copy_reports_a_copy_that_was_encrypted_on_its_own(void)
{
	PATH path = rekeyed_plain("its-own-key");
	PATH copy = str_printf("%s.copy", path);
	struct archive_copied copied;
	struct err err = ERR_INIT;

	CHECK(files_copied(path, copy) > 4);
	rekeyed_begin_encrypt(copy);
	(void)rekeyed_go_on(copy);
	CHECK_OK(archive_checkpoint_wal(ref_of(copy), WAIT_MS, &err));
	CHECK(!archive_copy(ref_of(path), copy, WAIT_MS, &copied, &err));
	CHECK_INT(err.kind, ERR_CREATE);
	CHECK(strstr(err.text, "another master key") && !strstr(err.text, "remove"));
}

static void an_archive_can_be_created_where_a_first_copy_was_interrupted(void)
{
	PATH path = rekeyed_plain("hardly-begun");
	PATH copy = str_printf("%s.copy", path);
	PATH files = NULL;
	struct err err = ERR_INIT;

	copy_stopped(path, copy, FS_RENAME, "/copied", 0);
	CHECK_OK(archive_create(copy, 0, &err));
	files = files_digests(copy);
	CHECK(!strstr(files, ".new"));
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(an_interrupted_update_drops_replaced_volumes_later),
		PROMISE(a_copy_interrupted_twice_is_readable),
		PROMISE(copy_transfers_only_changed_files),
		PROMISE(copy_reuses_files_staged_by_an_interrupted_run),
		PROMISE(copy_removes_staged_files_no_longer_in_the_source),
		PROMISE(a_full_target_leaves_the_copy_unchanged),
		PROMISE(rebuild_completes_a_copy_interrupted_between_renames),
		PROMISE(a_fully_staged_first_copy_is_an_archive),
		PROMISE(a_copy_is_complete_on_a_file_system_with_coarse_times),
		PROMISE(copy_replaces_a_foreign_keyring),
		PROMISE(copy_replaces_a_damaged_keyring),
		PROMISE(copy_refuses_the_copy_of_another_archive),
		PROMISE(copy_reports_a_copy_that_was_encrypted_on_its_own),
		PROMISE(an_archive_can_be_created_where_a_first_copy_was_interrupted),
		PROMISE(copy_leaves_a_copy_under_the_previous_key_alone),
		PROMISE(copy_leaves_an_old_copy_with_a_damaged_first_volume_alone),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
