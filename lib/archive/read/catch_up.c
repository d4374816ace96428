/* What a stopped writer left between its two commits, or a stopped copy beside its files, for those
 * who only read. */
#include "archive/catalogue/catalogue.h"
#include "archive/catalogue/replay.h"
#include "archive/read/reader.h"
#include "archive/volume/staged.h"
#include "archive/volume/writer_lock.h"
#include "base/fs.h"
#include "base/str.h"

static bool is_needed(const struct archive_ref *archive, bool *ret_needed, struct err *err)
{
	CLEANUP(freep) char *file = layout_catalogue_path(archive->path);
	CLEANUP(db_freep) struct db *catalogue = NULL;
	struct err told = ERR_INIT; /* to who opens it */

	*ret_needed = false;
	return !fs_exists(file) ||
	       !catalogue_open(archive, db_peek_mode(file), &catalogue, &told) ||
	       replay_needed(archive, catalogue, ret_needed, err);
}

static bool bring_up(const struct archive_ref *archive, struct err *err)
{
	CLEANUP(zstd_freep) struct zstd *zstd = zstd_new();
	CLEANUP(db_freep) struct db *catalogue = NULL;

	/* a copy with a -wal was written to, as far as the next copy knows */
	return catalogue_open(archive, DB_WRITE, &catalogue, err) &&
	       replay(archive, catalogue, zstd, err) && db_wal_checkpoint(catalogue, true, err);
}

bool archive_catch_up(const struct archive_ref *archive, bool *ret_behind, struct err *err)
{
	CLEANUP(fs_unlock) int lock = -1;
	struct err of = ERR_INIT;
	bool needed;

	*ret_behind = false;
	if (!writer_lock_take_if_exists(archive->path, 0, &lock, &of))
		return of.kind == ERR_BUSY || err_set(err, of.kind, "%s", of.text);
	if ((lock >= 0 && !staged_publish(archive->path, err)) || !is_needed(archive, &needed, err))
		return false;
	*ret_behind = (needed || staged_is_whole(archive->path)) && lock < 0;
	return !needed || lock < 0 || bring_up(archive, err);
}

bool archive_open_newest(const struct archive_ref *ref, struct archive **ret_archive)
{
	CLEANUP(archive_freep) struct archive *archive = NULL;
	CLEANUP(freep) char *file = layout_catalogue_path(ref->path);
	struct err unsure = ERR_INIT;
	bool needed;

	if (!fs_exists(file) || staged_is_whole(ref->path) ||
		!archive_open(ref, &archive, &unsure) ||
		!replay_needed(ref, archive->catalogue, &needed, &unsure) || needed)
		return false;
	*ret_archive = TAKE(archive);
	return true;
}
