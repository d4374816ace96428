#include "archive/seal.h"

#include <inttypes.h>
#include <string.h>
#include <sys/stat.h>

#include "archive/checkpoint.h"
#include "archive/create.h"
#include "archive/reader.h"
#include "archive/reclaim.h"
#include "archive/replace.h"
#include "archive/seal_volume.h"
#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"

static uint64_t file_bytes(const char *archive_path, const struct volume_id *id)
{
	CLEANUP(freep) char *path = volume_path(archive_path, id);
	struct stat st;

	return stat(path, &st) == 0 ? (uint64_t)st.st_size : 0;
}

/* --- what is to be done --- */

/* The first full volume past `after`. */
static bool find_full(struct db *catalogue, int64_t after, bool *ret_found,
	struct catalogue_volume *ret_volume, struct err *err)
{
	CLEANUP(catalogue_volumes_free) struct catalogue_volumes volumes = {0};

	*ret_found = false;
	if (!catalogue_volumes(catalogue, &volumes, err))
		return false;
	for (size_t i = 0; i < volumes.count && !*ret_found; i++) {
		*ret_found = volumes.items[i].state == VOLUME_FULL &&
			     volumes.items[i].id.sequence > after;
		*ret_volume = volumes.items[i];
	}
	return true;
}

static bool read_items(struct db *catalogue, struct seal_plan *plan, struct err *err)
{
	enum { ROW = CATALOGUE_VOLUME_ITEMS_BY_FOLDER };
	bool row;

	db_bind_int(catalogue, ROW, "volume", plan->volume.id.sequence);
	while (db_step(catalogue, ROW, &row, err)) {
		if (!row)
			return true;
		ARRAY_GROW(plan->items, plan->count, plan->cap);
		plan->items[plan->count++] = (struct source_item){
			.id = db_int(catalogue, ROW, 0),
			.frame = db_int(catalogue, ROW, 1),
			.offset = (uint64_t)db_int(catalogue, ROW, 2),
			.size = (uint64_t)db_int(catalogue, ROW, 3),
		};
	}
	return false;
}

static bool read_plan(struct archive *view, int64_t after, bool *ret_found, struct seal_plan *plan,
	struct err *err)
{
	bool done;

	if (!archive_enter(view, err))
		return false;
	done = find_full(view->catalogue, after, ret_found, &plan->volume, err) &&
	       (!*ret_found || read_items(view->catalogue, plan, err));
	archive_leave(view);
	return done;
}

static bool next_plan(const char *path, int64_t after, bool *ret_found, struct seal_plan *ret_plan,
	struct err *err)
{
	CLEANUP(archive_freep) struct archive *view = NULL;
	CLEANUP(seal_plan_free) struct seal_plan plan = {0};

	if (!archive_open(path, &view, err) || !read_plan(view, after, ret_found, &plan, err))
		return false;
	*ret_plan = plan;
	plan = (struct seal_plan){0};
	return true;
}

/* --- taking its place --- */

/* Ids are not used twice in an archive: as many items as before are the same ones. */
static bool is_unchanged(
	struct db *catalogue, const struct seal_plan *plan, bool *ret_same, struct err *err)
{
	enum { ROW = CATALOGUE_VOLUME_ITEMS_COUNT };
	struct catalogue_volume now;
	bool found, row;

	if (!catalogue_volume(catalogue, plan->volume.id.sequence, &found, &now, err))
		return false;
	*ret_same = found && now.state == VOLUME_FULL &&
		    now.applied_frame == plan->volume.applied_frame &&
		    memcmp(now.id.uuid, plan->volume.id.uuid, ARCHIVE_UUID_BYTES) == 0;
	if (!*ret_same)
		return true;
	db_bind_int(catalogue, ROW, "volume", plan->volume.id.sequence);
	if (!db_step(catalogue, ROW, &row, err))
		return false;
	*ret_same = row && (size_t)db_int(catalogue, ROW, 0) == plan->count;
	db_reset(catalogue, ROW);
	return true;
}

/* The catalogue is on the disk before: it names frames of the volume that goes. */
static bool publish(const char *path, struct db *catalogue, struct volume *made,
	const struct directory *directory, struct err *err)
{
	const struct volume_id id = made->id;

	return db_checkpoint(catalogue, false, err) && volume_publish_sealed(path, made, err) &&
	       replace_volume(path, catalogue, &id, directory, err) &&
	       checkpoint_remove_litter(path, catalogue, err);
}

/* *ret_done false: the volume has changed since it was planned. */
static bool take_place(const char *path, const struct seal_plan *plan, struct volume *made,
	const struct directory *directory, int timeout_ms, bool *ret_done, struct err *err)
{
	CLEANUP(reclaim_close) struct reclaim job = {.lock = -1};
	struct db *catalogue;

	if (!reclaim_open(&job, path, timeout_ms, err))
		return false;
	catalogue = job.packer.catalogue;
	return is_unchanged(catalogue, plan, ret_done, err) &&
	       (!*ret_done || publish(path, catalogue, made, directory, err));
}

static bool seal_one(const char *path, const struct archive_seal *seal,
	const struct seal_plan *plan, int timeout_ms, struct archive_sealed *sealed,
	struct err *err)
{
	CLEANUP(directory_free) struct directory directory = {0};
	uint64_t before = file_bytes(path, &plan->volume.id);
	struct volume made = {0};
	struct volume_id id;
	bool done = false;
	bool ok;

	if (!seal_make(path, plan, seal->cancel, &made, &directory, err))
		return err_wrap(err, "volume %" PRId64, plan->volume.id.sequence);
	id = made.id;
	ok = take_place(path, plan, &made, &directory, timeout_ms, &done, err);
	if (made.db)
		seal_throw_away(&made);
	if (!ok || !done)
		return ok;
	sealed->volumes++;
	sealed->bytes_before += before;
	sealed->bytes_after += file_bytes(path, &id);
	return true;
}

/* --- all of them --- */

/* What one that was stopped left goes. The newest is ended if it has enough; readers in the way:
 * another time. */
static bool prepare(const char *path, uint64_t bytes_min, int timeout_ms, struct err *err)
{
	CLEANUP(reclaim_close) struct reclaim job = {.lock = -1};
	CLEANUP(freep) char *folder = volume_folder(path);
	bool unimportant;

	if (!reclaim_open(&job, path, timeout_ms, err) || !create_remove_leftovers(folder, err) ||
		!checkpoint_remove_litter(path, job.packer.catalogue, err))
		return false;
	return bytes_min == 0 ||
	       file_bytes(path, &job.packer.volume.id) + db_wal_bytes(job.packer.volume.db) <
		       bytes_min ||
	       packer_roll_now(&job.packer, &unimportant, err);
}

static bool seal_all(const char *path, const struct archive_seal *seal, int timeout_ms,
	struct archive_sealed *sealed, struct err *err)
{
	int64_t after = 0;
	bool found = true;

	if (!prepare(path, seal->open_bytes_min, timeout_ms, err))
		return false;
	while (found) {
		CLEANUP(seal_plan_free) struct seal_plan plan = {0};

		if (!next_plan(path, after, &found, &plan, err) ||
			(found && !seal_one(path, seal, &plan, timeout_ms, sealed, err)))
			return false;
		after = plan.volume.id.sequence;
	}
	return true;
}

static bool merge_small(const char *path, const struct archive_seal *seal, int timeout_ms,
	uint64_t *ret_merged, struct err *err)
{
	CLEANUP(reclaim_close) struct reclaim job = {.lock = -1};

	*ret_merged = 0;
	return seal->small_count == 0 ||
	       (reclaim_open(&job, path, timeout_ms, err) &&
		       reclaim_merge(&job, seal->small_count, seal->cancel, ret_merged, err));
}

bool archive_seal(const char *path, const struct archive_seal *seal, int timeout_ms,
	struct archive_sealed *ret_sealed, struct err *err)
{
	CLEANUP(freep) char *lock_path = str_printf("%s/sealing", path);
	CLEANUP(fs_unlock) int lock = -1;
	struct archive_sealed sealed = {0};

	if (!archive_exists(path))
		return err_set(err, ERR_NOT_FOUND, "%s: there is no archive", path);
	if (!fs_lock(lock_path, timeout_ms, &lock, err) ||
		!seal_all(path, seal, timeout_ms, &sealed, err) ||
		!merge_small(path, seal, timeout_ms, &sealed.merged, err) ||
		(sealed.merged > 0 && !seal_all(path, seal, timeout_ms, &sealed, err)))
		return false;
	*ret_sealed = sealed;
	return true;
}
