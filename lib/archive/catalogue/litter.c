#include "archive/catalogue/litter.h"

#include <assert.h>

#include "archive/volume/readers.h"
#include "base/alloc.h"
#include "base/fs.h"

bool litter_includes(const struct catalogue_state *state, const struct catalogue_volumes *known,
	const struct volume_id *id)
{
	for (size_t i = 0; i < known->count; i++)
		if (known->items[i].id.sequence == id->sequence)
			return false;
	return id->sequence < state->checkpoint;
}

/* Volumes that sealed ones replaced, in the catalogue too. */
static bool add_replaced(const char *archive_path, const struct catalogue_volumes *known,
	struct volume_list *litter, struct err *err)
{
	CLEANUP(volume_list_free) struct volume_list replaced = {0};

	if (!volume_list_replaced(archive_path, &replaced, err))
		return false;
	for (size_t i = 0; i < replaced.count; i++) {
		if (catalogue_names(known, &replaced.items[i]))
			continue;
		ARRAY_GROW(litter->items, litter->count, litter->cap);
		litter->items[litter->count++] = replaced.items[i];
	}
	return true;
}

static bool list_litter(const char *archive_path, struct db *catalogue,
	struct volume_list *ret_litter, struct err *err)
{
	CLEANUP(catalogue_volumes_free) struct catalogue_volumes known = {0};
	struct catalogue_state state;
	size_t count = 0;

	if (!volume_list(archive_path, ret_litter, err) ||
		!catalogue_volumes(catalogue, &known, err) ||
		!catalogue_state(catalogue, &state, err))
		return false;
	for (size_t i = 0; i < ret_litter->count; i++)
		if (litter_includes(&state, &known, &ret_litter->items[i]))
			ret_litter->items[count++] = ret_litter->items[i];
	ret_litter->count = count;
	return add_replaced(archive_path, &known, ret_litter, err);
}

bool litter_exists(
	const char *archive_path, struct db *catalogue, bool *ret_exists, struct err *err)
{
	CLEANUP(volume_list_free) struct volume_list litter = {0};

	if (!list_litter(archive_path, catalogue, &litter, err))
		return false;
	*ret_exists = litter.count > 0;
	return true;
}

/*
 * The -wal is emptied first: only then does no reader see a state that needs the files, and no
 * power cut bring one back. Stopped after some files are removed, the next call removes the others.
 */
bool litter_remove(const char *archive_path, struct db *catalogue, struct err *err)
{
	CLEANUP(volume_list_free) struct volume_list litter = {0};
	struct err busy = ERR_INIT;

	/* the commit that made the files litter must not be able to roll back */
	assert(!db_in_transaction(catalogue));
	if (!list_litter(archive_path, catalogue, &litter, err))
		return false;
	if (litter.count > 0 && !db_empty_wal(catalogue, &busy))
		return busy.kind == ERR_BUSY || err_set(err, busy.kind, "%s", busy.text);
	for (size_t i = 0; i < litter.count; i++) {
		CLEANUP(freep) char *path = layout_volume_path(archive_path, &litter.items[i]);

		if (!db_remove_wal(path, err) || !fs_remove(path, err))
			return false;
	}
	return true;
}

struct removal {
	const char *archive_path;
	struct db *catalogue;
};

static bool try_to_remove_litter(void *context, bool *ret_done, struct err *err)
{
	const struct removal *removal = context;
	bool left;

	if (!litter_remove(removal->archive_path, removal->catalogue, err) ||
		!litter_exists(removal->archive_path, removal->catalogue, &left, err))
		return false;
	*ret_done = !left;
	return true;
}

bool litter_remove_all(
	const char *archive_path, struct db *catalogue, int timeout_ms, struct err *err)
{
	struct removal removal = {archive_path, catalogue};
	bool done;

	return readers_wait(timeout_ms, try_to_remove_litter, &removal, &done, err) &&
	       (done || err_set(err, ERR_BUSY,
				"%s: a reader is still open; the files it needs remain; try again "
				"later",
				archive_path));
}
