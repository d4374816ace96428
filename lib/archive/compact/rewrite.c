#include "archive/compact/rewrite.h"

#include <string.h>

#include "archive/catalogue/litter.h"
#include "archive/catalogue/replace.h"
#include "archive/compact/maintenance.h"
#include "archive/read/reader.h"
#include "base/alloc.h"
#include "base/fs.h"

static bool read_items(struct db *catalogue, struct rewrite_plan *plan, struct err *err)
{
	enum { ROW = CATALOGUE_VOLUME_ITEMS_BY_FOLDER };
	bool row;

	db_bind_int(catalogue, ROW, "volume", plan->volume.id.sequence);
	while (db_step(catalogue, ROW, &row, err)) {
		struct item_row item;

		if (!row)
			return true;
		item = rows_read_item(catalogue, ROW);
		ARRAY_GROW(plan->items, plan->count, plan->cap);
		plan->items[plan->count++] =
			(struct source_item){item.id, item.frame, item.offset, item.size};
	}
	return false;
}

/* The first chosen volume with a sequence above `after`. */
static bool find_chosen(struct db *catalogue, int64_t after, rewrite_choose *choose, void *context,
	bool *ret_found, struct catalogue_volume *ret_volume, struct err *err)
{
	CLEANUP(catalogue_volumes_free) struct catalogue_volumes volumes = {0};

	*ret_found = false;
	if (!catalogue_volumes(catalogue, &volumes, err))
		return false;
	for (size_t i = 0; i < volumes.count && !*ret_found; i++) {
		if (volumes.items[i].id.sequence > after &&
			!choose(context, &volumes.items[i], ret_found, err))
			return false;
		*ret_volume = volumes.items[i];
	}
	return true;
}

bool rewrite_plan_next(const struct archive_ref *archive, int64_t after, rewrite_choose *choose,
	void *context, bool *ret_found, struct rewrite_plan *ret_plan, struct err *err)
{
	CLEANUP(archive_freep) struct archive *view = NULL;
	CLEANUP(rewrite_plan_free) struct rewrite_plan plan = {0};
	bool done;

	/* without the writer lock: rewrite_replace() checks that nothing changed meanwhile */
	if (!archive_open(archive, &view, err) || !archive_enter(view, err))
		return false;
	done = find_chosen(view->catalogue, after, choose, context, ret_found, &plan.volume, err) &&
	       (!*ret_found || read_items(view->catalogue, &plan, err));
	archive_leave(view);
	if (!done)
		return false;
	*ret_plan = plan;
	plan = (struct rewrite_plan){0};
	return true;
}

/* --- replacing the volume --- */

/* Item ids are never reused in an archive, so an equal number of items means the same items. */
static bool is_unchanged(
	struct db *catalogue, const struct rewrite_plan *plan, bool *ret_same, struct err *err)
{
	struct catalogue_volume now;
	int64_t count;
	bool found;

	if (!catalogue_volume(catalogue, plan->volume.id.sequence, &found, &now, err))
		return false;
	*ret_same = found && now.state == plan->volume.state &&
		    now.applied_frame == plan->volume.applied_frame &&
		    memcmp(now.id.uuid, plan->volume.id.uuid, ARCHIVE_UUID_BYTES) == 0;
	if (!*ret_same)
		return true;
	if (!catalogue_count_items(catalogue, plan->volume.id.sequence, &count, err))
		return false;
	*ret_same = (size_t)count == plan->count;
	return true;
}

/*
 * The order survives a stop anywhere. The catalogue's WAL is moved into the database first, as far
 * as readers allow. The rename then makes the new file count: stopped after it, replay enters the
 * new locations (replace_all()). Stopped after the catalogue's commit, the old file is litter,
 * which the next seal, forget or rekey removes. litter_remove() empties the WAL before it removes
 * a file that an older state of the catalogue names.
 */
static bool publish(const struct archive_ref *archive, struct db *catalogue, struct volume *made,
	const struct directory *directory, struct err *err)
{
	const struct volume_id id = made->id;

	return db_wal_checkpoint(catalogue, false, err) &&
	       volume_publish_sealed(archive->path, made, err) &&
	       replace_volume(archive, catalogue, &id, directory, err) &&
	       litter_remove(archive->path, catalogue, err);
}

bool rewrite_replace(const struct archive_ref *archive, const struct rewrite_plan *plan,
	struct volume *made, const struct directory *directory, int timeout_ms, bool *ret_done,
	struct err *err)
{
	CLEANUP(maintenance_close) struct maintenance job = {.lock = -1};
	struct db *catalogue;

	if (!maintenance_open(&job, archive, timeout_ms, err))
		return false;
	catalogue = job.packer.catalogue;
	if (!is_unchanged(catalogue, plan, ret_done, err))
		return false;
	*ret_done = *ret_done && fs_exists(db_path(made->db)); /* forget may have removed it */
	return !*ret_done || publish(archive, catalogue, made, directory, err);
}
