#include "archive/adopt.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "archive/archive.h"
#include "archive/compact/maintenance.h"
#include "archive/keys/keys.h"
#include "archive/read/reader.h"
#include "archive/volume/staged.h"
#include "archive/volume/writer_lock.h"
#include "base/fs.h"
#include "base/str.h"

enum {
	DOTS = 2 /* entries of every folder */
};

/* --- source and target --- */

/* The working folder. No account can have this name. */
static char *working_folder(const char *to)
{
	const char *slash = strrchr(to, '/');
	size_t folder = slash ? (size_t)(slash - to) + 1 : 0;

	return str_printf("%.*s.%s.adopt", (int)folder, to, to + folder);
}

/* The target must not exist, or be an empty folder, which the final rename replaces. */
static bool check_free(const char *to, struct err *err)
{
	DIR *dir = opendir(to);
	int entries = 0;

	if (!dir && errno != ENOENT)
		return err_errno(err, ERR_CREATE, errno, "%s", to);
	while (dir && readdir(dir))
		entries++;
	if (dir)
		(void)closedir(dir);
	return entries <= DOTS ||
	       err_set(err, ERR_CREATE,
		       "%s: is not empty and not an archive; choose another name or move it away",
		       to);
}

static bool identify(const char *path, const struct volume_list *volumes,
	uint8_t ret_archive[ARCHIVE_UUID_BYTES], struct err *err)
{
	CLEANUP(freep) char *file = NULL;

	if (volumes->count == 0)
		return err_set(err, ERR_CORRUPT, "%s: has no volumes", path);
	file = staged_volume_path(path, &volumes->items[0]);
	return volume_peek_archive(file, &volumes->items[0], ret_archive, err);
}

/* *ret_same: the volumes at path, if any, belong to this archive. */
static bool is_of_archive(const char *path, const struct volume_list *volumes,
	const uint8_t archive[ARCHIVE_UUID_BYTES], bool *ret_same, struct err *err)
{
	uint8_t there[ARCHIVE_UUID_BYTES];

	*ret_same = true;
	if (volumes->count == 0)
		return true;
	if (!identify(path, volumes, there, err))
		return false;
	*ret_same = memcmp(there, archive, ARCHIVE_UUID_BYTES) == 0;
	return true;
}

static bool check_unlocked(const struct archive_ref *archive, struct err *err)
{
	CLEANUP(keys_view_free) struct keys_view view = {0};

	return keys_look(archive, &view, err);
}

static bool facts_of(const struct archive_ref *ref, bool may_peek, struct archive_facts *ret_facts,
	struct err *err)
{
	CLEANUP(archive_freep) struct archive *archive = NULL;

	return archive_open_view(ref, may_peek, &archive, err) &&
	       archive_facts(archive, ret_facts, err);
}

/* The source, with its lock, and the volumes at the target. */
struct both {
	int lock;
	struct volume_list volumes, there;
	bool same; /* the target's volumes, if any, are of the source's archive */
};

static void both_free(struct both *both)
{
	volume_list_free(&both->volumes);
	volume_list_free(&both->there);
	fs_unlock(&both->lock);
}

static bool read_both(
	const char *from, const char *to, int timeout_ms, struct both *both, struct err *err)
{
	uint8_t archive[ARCHIVE_UUID_BYTES];

	return writer_lock_take_if_exists(from, timeout_ms, &both->lock, err) &&
	       staged_volume_list(from, &both->volumes, err) &&
	       identify(from, &both->volumes, archive, err) && volume_list(to, &both->there, err) &&
	       is_of_archive(to, &both->there, archive, &both->same, err);
}

/* An existing target is fine if it is this archive in the source's state. */
static bool check_target(const struct archive_ref *from, const struct archive_ref *to,
	int timeout_ms, char ret_head[SHA256_HEX_MAX], struct err *err)
{
	CLEANUP(both_free) struct both both = {.lock = -1};
	struct archive_facts ours, theirs;

	if (!read_both(from->path, to->path, timeout_ms, &both, err))
		return false;
	if (!both.same)
		return err_set(err, ERR_CREATE,
			"%s: another archive is there; adopt under another name", to->path);
	if (!check_unlocked(from, err) || !facts_of(to, false, &ours, err) ||
		!facts_of(from, true, &theirs, err))
		return false;
	if (strcmp(ours.head, theirs.head) != 0)
		return err_set(err, ERR_CREATE,
			"%s: is this archive already, but in another state; nothing was changed",
			to->path);
	memcpy(ret_head, ours.head, SHA256_HEX_MAX);
	return true;
}

/* --- copying --- */

static bool adopt_file(const char *from, const char *to, mode_t mode, struct archive_adopted *made,
	struct err *err)
{
	uint64_t bytes;

	if (!fs_copy(from, to, &bytes, err))
		return false;
	made->files += bytes > 0;
	made->bytes += bytes;
	return fs_chmod(to, mode, err);
}

/*
 * Copy a volume with its -wal, if it has one. An old -wal is removed first: SQLite would apply it
 * to the new file. A crash before the new -wal leaves a volume without its last commits, which
 * nothing opens before the next run has copied the -wal too.
 */
static bool copy_volume(const char *from, const char *to, const struct volume_id *id, bool newest,
	struct archive_adopted *made, struct err *err)
{
	CLEANUP(freep) char *here = staged_volume_path(from, id);
	CLEANUP(freep) char *there = layout_volume_path(to, id);
	CLEANUP(freep) char *wal_here = str_printf("%s-wal", here);
	CLEANUP(freep) char *wal_there = str_printf("%s-wal", there);

	return db_remove_wal(there, err) &&
	       adopt_file(here, there, newest ? LAYOUT_FILE_MODE : LAYOUT_CLOSED_VOLUME_MODE, made,
		       err) &&
	       (!db_has_wal(here) || adopt_file(wal_here, wal_there, LAYOUT_FILE_MODE, made, err));
}

/* Replace a keyring that an earlier run left, which may be another archive's. If the source lost
 * its keyring, archive_mend_keyring() takes the copy in the volumes. */
static bool adopt_keyring(
	const char *from, const char *to, struct archive_adopted *made, struct err *err)
{
	CLEANUP(freep) char *here = layout_keyring_path(from);
	CLEANUP(freep) char *there = layout_keyring_path(to);

	return fs_exists(here) ? adopt_file(here, there, LAYOUT_FILE_MODE, made, err)
			       : fs_remove(there, err);
}

static bool adopt_files(const char *from, const char *to, const struct volume_list *volumes,
	const struct volume_list *there, struct archive_adopted *made, struct err *err)
{
	CLEANUP(freep) char *catalogue = layout_catalogue_path(to);

	/* a catalogue from an earlier run may list more than the source holds now: rebuild it */
	if (!db_remove_wal(catalogue, err) || !fs_remove(catalogue, err) ||
		!volume_list_remove_others(to, there, volumes, err) ||
		!adopt_keyring(from, to, made, err))
		return false;
	for (size_t i = 0; i < volumes->count; i++)
		if (!copy_volume(from, to, &volumes->items[i], i + 1 == volumes->count, made, err))
			return false;
	return archive_mend_keyring(to, err);
}

static bool adopt_files_locked(const char *from, const char *to, int timeout_ms,
	struct archive_adopted *made, struct err *err)
{
	CLEANUP(both_free) struct both both = {.lock = -1};

	if (!read_both(from, to, timeout_ms, &both, err))
		return false;
	if (!both.same)
		return err_set(err, ERR_CREATE,
			"%s: is left over from adopting another archive; remove it", to);
	return adopt_files(from, to, &both.volumes, &both.there, made, err);
}

/* --- an archive of its own --- */

/*
 * End the source's newest volume and start one with the next owner epoch. Checkpoints the
 * catalogue, so that everything is on disk before the folder gets its name. After a crash in here
 * the next run removes the volume that was started, because the source lacks it, and starts
 * another.
 */
static bool begin_owner_epoch(const struct archive_ref *archive, int timeout_ms, struct err *err)
{
	CLEANUP(maintenance_close) struct maintenance job = {.lock = -1};
	bool rolled;

	if (!maintenance_open(&job, archive, timeout_ms, err))
		return false;
	job.packer.owner_epoch++;
	return packer_roll_now(&job.packer, &rolled, err) &&
	       (rolled || err_set(err, ERR_BUSY, "%s: another program is reading it; try again",
				  archive->path)) &&
	       db_wal_checkpoint(job.packer.catalogue, true, err);
}

static bool check_made(const struct archive_ref *archive, const struct archive_check *check,
	int timeout_ms, struct archive_adopted *made, struct err *err)
{
	struct archive_checked checked;

	if (!archive_check(archive, check, timeout_ms, &checked, err))
		return false;
	memcpy(made->head, checked.head, SHA256_HEX_MAX);
	return checked.errors == 0 || err_set(err, ERR_CORRUPT, "the archive is damaged");
}

/* Remove the copied volumes, so that the next run copies them again: a damaged one would look like
 * a finished copy, because its time and size are the source's. */
static void discard_volumes(const char *path)
{
	CLEANUP(volume_list_free) struct volume_list there = {0};
	struct err unimportant = ERR_INIT;

	if (volume_list(path, &there, &unimportant))
		(void)volume_list_remove_others(
			path, &there, &(struct volume_list){0}, &unimportant);
}

static bool build_adopted(const struct archive_ref *from, const struct archive_ref *adopted,
	const struct archive_check *check, int timeout_ms, struct archive_adopted *made,
	struct err *err)
{
	if (adopt_files_locked(from->path, adopted->path, timeout_ms, made, err) &&
		check_unlocked(from, err) && archive_rebuild(adopted, timeout_ms, err) &&
		begin_owner_epoch(adopted, timeout_ms, err) &&
		check_made(adopted, check, timeout_ms, made, err))
		return true;
	if (err_is_unreadable(err))
		discard_volumes(adopted->path);
	return false;
}

/*
 * Holds the repack lock; the steps take the writer lock themselves. The rename comes last: a crash
 * before it leaves the working folder, where the next run continues, and nothing at the target.
 * fs_rename() syncs the parent folder, so after it the archive exists completely.
 */
static bool adopt(const struct archive_ref *from, const char *to, const struct archive_check *check,
	int timeout_ms, struct archive_adopted *made, struct err *err)
{
	CLEANUP(freep) char *path = working_folder(to);
	const struct archive_ref adopted = {path, from->keys};
	CLEANUP(freep) char *volumes = layout_volumes_path(path);
	CLEANUP(fs_unlock) int lock = -1;

	if (!check_free(to, err) || !fs_make_dirs(path, LAYOUT_FOLDER_MODE, err) ||
		!fs_make_dirs(volumes, LAYOUT_FOLDER_MODE, err) ||
		!repack_lock_take(path, timeout_ms, &lock, err))
		return false;
	return build_adopted(from, &adopted, check, timeout_ms, made, err) &&
	       fs_rename(path, to, err);
}

bool archive_adopt(const struct archive_ref *from, const char *to,
	bool (*finding)(void *context, const struct archive_finding *finding, struct err *err),
	void *context, int timeout_ms, struct archive_adopted *ret_adopted, struct err *err)
{
	const struct archive_check check = {.finding = finding, .context = context};
	const struct archive_ref target = {to, from->keys};
	struct archive_adopted made = {.was_there = archive_exists(to)};

	if (!archive_exists(from->path))
		return err_set(err, ERR_NOT_FOUND, "%s: there is no archive here", from->path);
	if (!(made.was_there ? check_target(from, &target, timeout_ms, made.head, err)
			     : adopt(from, to, &check, timeout_ms, &made, err)))
		return false;
	*ret_adopted = made;
	return true;
}
