#include "archive/catalogue/rebuild.h"

#include <inttypes.h>
#include <string.h>

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
	CLEANUP(db_freep) struct db *made = NULL;

	if (!create_catalogue(archive, db_path, &made, err) || !replay(archive, made, zstd, err))
		return false;
	*ret_catalogue = TAKE(made);
	return true;
}

static bool remove_database(const char *path, struct err *err)
{
	CLEANUP(freep) char *unfinished = layout_unfinished_path(path);

	return db_remove_wal(path, err) && fs_remove(path, err) && fs_remove(unfinished, err);
}

/* The catalogue that stands there knows of commits that the volumes lack: a volume or its -wal was
 * lost, and with the old catalogue would go the last word of what was in it. */
static bool check_nothing_lacks(const struct archive_ref *archive, struct db *made, struct err *err)
{
	CLEANUP(freep) char *old_path = layout_catalogue_path(archive->path);
	CLEANUP(db_freep) struct db *old = NULL;
	struct catalogue_state known, found;
	struct err unreadable = ERR_INIT;

	if (!fs_exists(old_path) ||
		!catalogue_open(archive, db_peek_mode(old_path), &old, &unreadable) ||
		!catalogue_state(old, &known, &unreadable))
		return true;
	if (!catalogue_state(made, &found, err))
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

static bool make_beside(const struct archive_ref *archive, const char *db_path, struct err *err)
{
	CLEANUP(db_freep) struct db *made = NULL;

	return remove_database(db_path, err) && rebuild_into(archive, db_path, &made, err) &&
	       check_nothing_lacks(archive, made, err) && db_wal_checkpoint(made, true, err);
}

/* A -wal left beside another database would be taken for its own: it goes first. Stopped then, the
 * old catalogue is only behind. */
static bool put_in_place(const char *from, const char *to, struct err *err)
{
	return db_remove_wal(from, err) && db_remove_wal(to, err) && fs_rename(from, to, err);
}

bool rebuild_locked(const struct archive_ref *archive, struct err *err)
{
	CLEANUP(freep) char *catalogue = layout_catalogue_path(archive->path);
	CLEANUP(freep) char *beside = str_printf("%s.rebuilt.new", catalogue);
	struct err unimportant = ERR_INIT;

	if (make_beside(archive, beside, err) && put_in_place(beside, catalogue, err))
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
