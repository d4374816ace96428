/* Catching up before reading: completes what a writer interrupted between its two commits, or a
 * copy interrupted before its renames, left. */
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
	struct err unreadable = ERR_INIT; /* opening it reports the error */

	*ret_needed = false;
	return !fs_exists(file) || !catalogue_open_peek(archive, &catalogue, &unreadable) ||
	       replay_needed(archive, catalogue, ret_needed, err);
}

static bool replay_now(const struct archive_ref *archive, struct err *err)
{
	CLEANUP(zstd_freep) struct zstd *zstd = zstd_new();
	CLEANUP(db_freep) struct db *catalogue = NULL;

	/* empty the WAL: the next copy takes a WAL in a copy as a sign that someone wrote to it */
	return catalogue_open(archive, DB_WRITE, &catalogue, err) &&
	       replay(archive, catalogue, zstd, err) && db_wal_checkpoint(catalogue, true, err);
}

bool archive_catch_up(const struct archive_ref *archive, bool *ret_out_of_date, struct err *err)
{
	CLEANUP(fs_unlock) int lock = -1;
	struct err of = ERR_INIT;
	bool needed;

	*ret_out_of_date = false;
	if (!writer_lock_take_if_exists(archive->path, 0, &lock, &of))
		return of.kind == ERR_BUSY || err_set(err, of.kind, "%s", of.text);
	/* publish first: the catalogue has to be up to date with the volumes that count then */
	if ((lock >= 0 && !staged_publish(archive->path, err)) || !is_needed(archive, &needed, err))
		return false;
	*ret_out_of_date = (needed || staged_is_whole(archive->path)) && lock < 0;
	return !needed || lock < 0 || replay_now(archive, err);
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
