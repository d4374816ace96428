#include "archive/seal.h"

#include <inttypes.h>
#include <string.h>

#include "archive/catalogue/create.h"
#include "archive/catalogue/litter.h"
#include "archive/compact/reclaim.h"
#include "archive/compact/rewrite.h"
#include "archive/compact/rewrite_repack.h"
#include "archive/volume/writer_lock.h"
#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"

static bool choose_full(
	void *context, const struct catalogue_volume *volume, bool *ret_chosen, struct err *err)
{
	(void)context;
	(void)err;
	*ret_chosen = volume->state == VOLUME_FULL;
	return true;
}

/*
 * Repacking needs no writer lock and changes nothing: a stop leaves an unfinished file that the
 * next run removes. rewrite_replace() makes the new file count, and says what a stop leaves then.
 */
static bool seal_one(const struct archive_ref *archive, const struct archive_seal *seal,
	const struct rewrite_plan *plan, int timeout_ms, struct archive_sealed *sealed,
	struct err *err)
{
	CLEANUP(directory_free) struct directory directory = {0};
	const struct rewrite_watch watch = {.cancel = seal->cancel};
	uint64_t before = volume_file_bytes(archive->path, &plan->volume.id);
	struct volume made = {0};
	struct volume_id id;
	bool done = false;
	bool ok;

	if (!rewrite_repack(archive, plan, &watch, &made, &directory, err))
		return err_wrap(err, "volume %" PRId64, plan->volume.id.sequence);
	id = made.id;
	ok = rewrite_replace(archive, plan, &made, &directory, timeout_ms, &done, err);
	if (made.db)
		rewrite_discard(&made);
	if (!ok || !done)
		return ok;
	sealed->volumes++;
	sealed->bytes_before += before;
	sealed->bytes_after += volume_file_bytes(archive->path, &id);
	return true;
}

/* Do the database files hold everything, without a -wal? */
static bool has_no_wal(const char *path)
{
	CLEANUP(freep) char *catalogue = layout_catalogue_path(path);
	CLEANUP(volume_list_free) struct volume_list list = {0};
	CLEANUP(freep) char *newest = NULL;
	struct err unsure = ERR_INIT;

	if (db_has_wal(catalogue) || !volume_list(path, &list, &unsure) || list.count == 0)
		return false;
	newest = layout_volume_path(path, &list.items[list.count - 1]);
	return !db_has_wal(newest);
}

bool archive_checkpoint_wal(const struct archive_ref *archive, int timeout_ms, struct err *err)
{
	CLEANUP(maintenance_close) struct maintenance job = {.lock = -1};

	if (has_no_wal(archive->path))
		return true;
	return maintenance_open(&job, archive, timeout_ms, err) &&
	       packer_empty_wal(&job.packer, err);
}

/* Remove what an interrupted run left, and end the newest volume if it is large enough. If readers
 * prevent that, the next run does it. */
static bool prepare_seal(
	const struct archive_ref *archive, uint64_t bytes_min, int timeout_ms, struct err *err)
{
	CLEANUP(maintenance_close) struct maintenance job = {.lock = -1};
	CLEANUP(freep) char *folder = layout_volumes_path(archive->path);
	bool unimportant;

	if (!maintenance_open(&job, archive, timeout_ms, err) ||
		!layout_remove_leftovers(folder, err) ||
		!litter_remove(archive->path, job.packer.catalogue, err) ||
		!packer_empty_wal(&job.packer, err))
		return false;
	return bytes_min == 0 ||
	       volume_file_bytes(archive->path, &job.packer.volume.id) +
			       db_wal_bytes(job.packer.volume.db) <
		       bytes_min ||
	       packer_roll_now(&job.packer, &unimportant, err);
}

static bool seal_all(const struct archive_ref *archive, const struct archive_seal *seal,
	int timeout_ms, struct archive_sealed *sealed, struct err *err)
{
	int64_t after = 0;
	bool found = true;

	if (!prepare_seal(archive, seal->open_bytes_min, timeout_ms, err))
		return false;
	while (found) {
		CLEANUP(rewrite_plan_free) struct rewrite_plan plan = {0};

		if (!rewrite_plan_next(archive, after, choose_full, NULL, &found, &plan, err) ||
			(found && !seal_one(archive, seal, &plan, timeout_ms, sealed, err)))
			return false;
		after = plan.volume.id.sequence;
	}
	return true;
}

static bool merge_small(const struct archive_ref *archive, const struct archive_seal *seal,
	int timeout_ms, uint64_t *ret_merged, struct err *err)
{
	CLEANUP(maintenance_close) struct maintenance job = {.lock = -1};

	*ret_merged = 0;
	return seal->small_count == 0 ||
	       (maintenance_open(&job, archive, timeout_ms, err) &&
		       reclaim_merge(&job, seal->small_count, seal->cancel, ret_merged, err));
}

bool archive_seal(const struct archive_ref *archive, const struct archive_seal *seal,
	int timeout_ms, struct archive_sealed *ret_sealed, struct err *err)
{
	CLEANUP(fs_unlock) int lock = -1;
	struct archive_sealed sealed = {0};

	if (!archive_exists(archive->path))
		return err_set(err, ERR_NOT_FOUND, "%s: there is no archive here", archive->path);
	if (!repack_lock_take(archive->path, timeout_ms, &lock, err) ||
		!seal_all(archive, seal, timeout_ms, &sealed, err) ||
		!merge_small(archive, seal, timeout_ms, &sealed.merged, err) ||
		(sealed.merged > 0 && !seal_all(archive, seal, timeout_ms, &sealed, err)))
		return false;
	*ret_sealed = sealed;
	return true;
}
