#include "archive/catalogue/rebuild.h"

#include <inttypes.h>
#include <string.h>

#include "archive/archive.h"
#include "archive/catalogue/catalogue.h"
#include "archive/catalogue/create.h"
#include "archive/catalogue/replay.h"
#include "archive/volume/staged.h"
#include "base/fs.h"
#include "base/str.h"

bool rebuild_into(const struct archive_ref *archive, const char *db_path, struct db **ret_catalogue,
	struct err *err)
{
	CLEANUP(zstd_freep) struct zstd *zstd = zstd_new();
	CLEANUP(db_freep) struct db *rebuilt = NULL;

	if (!create_catalogue(archive, db_path, &rebuilt, err) ||
		!replay(archive, rebuilt, zstd, err))
		return false;
	*ret_catalogue = TAKE(rebuilt);
	return true;
}

static bool remove_database(const char *path, struct err *err)
{
	CLEANUP(freep) char *unfinished = layout_unfinished_path(path);

	return db_remove_wal(path, err) && fs_remove(path, err) && fs_remove(unfinished, err);
}

/* If the present catalogue knows commits that the volumes lack, a volume or its -wal was lost, and
 * the catalogue is the only record of what it held: it is not replaced. */
static bool check_no_loss(const struct archive_ref *archive, struct db *rebuilt, struct err *err)
{
	CLEANUP(freep) char *old_path = layout_catalogue_path(archive->path);
	CLEANUP(db_freep) struct db *old = NULL;
	struct catalogue_state known, found;
	struct err unreadable = ERR_INIT;

	if (!fs_exists(old_path) || !catalogue_open_peek(archive, &old, &unreadable) ||
		!catalogue_state(old, &known, &unreadable))
		return true;
	if (!catalogue_state(rebuilt, &found, err))
		return false;
	if (memcmp(known.archive, found.archive, ARCHIVE_UUID_BYTES) != 0 ||
		known.applied_seq <= found.applied_seq)
		return true;
	return err_set(err, ERR_CORRUPT,
		"%s: the catalogue knows of %" PRIu64 " commits, the volumes hold %" PRIu64
		": put the missing volumes or -wal files back, or move catalogue.db away to "
		"go on without them",
		archive->path, known.applied_seq, found.applied_seq);
}

/* Closes the new database, so that it can be renamed. */
static bool build_beside(const struct archive_ref *archive, const char *db_path, struct err *err)
{
	CLEANUP(db_freep) struct db *rebuilt = NULL;

	return remove_database(db_path, err) && rebuild_into(archive, db_path, &rebuilt, err) &&
	       check_no_loss(archive, rebuilt, err) && db_wal_checkpoint(rebuilt, true, err);
}

/*
 * The new catalogue is complete on disk, without a -wal, before the old one is touched. Then the
 * old -wal is removed before the rename, because SQLite would apply it to the new database.
 *
 * A crash before that removal leaves the old catalogue, and a leftover. A crash between removal and
 * rename leaves the old catalogue without its last commits, if they were only in the -wal: replay
 * applies them again from the volumes. If a WAL checkpoint had been interrupted before, the old
 * database may be malformed without its -wal, and the rebuild has to be repeated.
 */
bool rebuild_locked(const struct archive_ref *archive, struct err *err)
{
	CLEANUP(freep) char *catalogue = layout_catalogue_path(archive->path);
	CLEANUP(freep) char *beside = str_printf("%s.rebuilt.new", catalogue);
	struct err unimportant = ERR_INIT;

	if (build_beside(archive, beside, err) && db_remove_wal(beside, err) &&
		db_remove_wal(catalogue, err) && fs_rename(beside, catalogue, err))
		return true;
	(void)remove_database(beside, &unimportant);
	return false;
}

bool archive_rebuild(const struct archive_ref *archive, int timeout_ms, struct err *err)
{
	CLEANUP(fs_unlock) int lock = -1;

	if (!archive_exists(archive->path))
		return err_set(err, ERR_NOT_FOUND, "%s: there is no archive", archive->path);
	return staged_lock_and_publish(archive->path, timeout_ms, &lock, err) &&
	       rebuild_locked(archive, err);
}
