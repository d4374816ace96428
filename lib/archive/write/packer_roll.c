/* Housekeeping between commits: WAL checkpoints, and a new volume when the open one is full. */
#include <assert.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "archive/volume/readers.h"
#include "archive/volume/writer_lock.h"
#include "archive/write/packer.h"
#include "base/fs.h"
#include "base/str.h"

/* The writer's own view reads without locks, so SQLite would let a WAL checkpoint change pages
 * under it. */
static bool is_peeked(const struct packer *packer)
{
	return packer->view_peeks && atomic_load(packer->view_peeks);
}

static bool checkpoint_one(struct db *db, struct err *err)
{
	return db_in_transaction(db) || db_wal_bytes(db) <= PACKER_WAL_BYTES_MAX ||
	       db_wal_checkpoint(db, false, err);
}

bool packer_limit_wal(struct packer *packer, struct err *err)
{
	return is_peeked(packer) ||
	       (checkpoint_one(packer->volume.db, err) && checkpoint_one(packer->catalogue, err));
}

static bool empty_one(struct db *db, uint64_t bytes_kept, struct err *err)
{
	return db_wal_file_bytes(db) <= bytes_kept || db_wal_checkpoint(db, true, err);
}

static bool empty_both(struct packer *packer, uint64_t bytes_kept, struct err *err)
{
	return packer->dirty || is_peeked(packer) ||
	       (empty_one(packer->volume.db, bytes_kept, err) &&
		       empty_one(packer->catalogue, bytes_kept, err));
}

bool packer_tidy_wal(struct packer *packer, struct err *err)
{
	return empty_both(packer, PACKER_WAL_BYTES_TIDY, err);
}

bool packer_empty_wal(struct packer *packer, struct err *err)
{
	return empty_both(packer, 0, err);
}

bool packer_is_full(const struct packer *packer)
{
	struct stat st;
	const char *path = db_path(packer->volume.db);

	return stat(path, &st) == 0 &&
	       (uint64_t)st.st_size + db_wal_bytes(packer->volume.db) >= packer->volume_bytes_max;
}

static bool enter_volume(struct packer *packer, const struct volume_id *id, struct err *err)
{
	bool own = !db_in_transaction(packer->catalogue);

	if (own && !db_begin(packer->catalogue, err))
		return false;
	if (catalogue_add_volume(packer->catalogue, id, err) &&
		catalogue_set_volume_state(
			packer->catalogue, packer->volume.id.sequence, VOLUME_FULL, err))
		return !own || db_commit(packer->catalogue, err);
	if (own)
		db_rollback(packer->catalogue);
	return false;
}

/* The old volume is complete without its WAL and never written again. */
static bool close_old(struct packer *packer, struct err *err)
{
	CLEANUP(freep) char *path = layout_volume_path(packer->archive.path, &packer->volume.id);

	volume_close(&packer->volume);
	return db_remove_wal(path, err) && fs_chmod(path, LAYOUT_CLOSED_VOLUME_MODE, err);
}

static bool create_next(struct packer *packer, struct volume_id *ret_id, struct err *err)
{
	const char *path = packer->archive.path;
	CLEANUP(freep) char *folder = layout_volumes_path(path);

	/* while the repack lock is held, its holder has an unfinished file there: no leftover */
	return (repack_lock_is_held(path) || layout_remove_leftovers(folder, err)) &&
	       volume_create(&packer->archive, packer->state.archive,
		       packer->volume.id.sequence + 1, packer->owner_epoch, ret_id, err);
}

bool packer_roll(struct packer *packer, struct err *err)
{
	bool unimportant;

	if (!packer_is_full(packer) || is_peeked(packer))
		return true;
	return packer_roll_now(packer, &unimportant, err);
}

/*
 * A reader that still needs the old volume's WAL postpones the roll to a later commit.
 *
 * The order survives a stop anywhere: the old volume is complete without its WAL first; then the
 * new one is created, durably; then the catalogue enters it. Stopped after the creation, replay
 * enters the new volume and marks the old one full. Stopped after the entry, only the old volume's
 * empty -wal and its mode are left as they were.
 */
bool packer_roll_now(struct packer *packer, bool *ret_rolled, struct err *err)
{
	struct volume_id id;

	/* a catalogue that names the old volume's frames needs its last commit to be durable */
	assert(!packer->dirty && !db_in_transaction(packer->volume.db));
	*ret_rolled = false;
	if (!db_wal_checkpoint(packer->volume.db, true, err))
		return false;
	if (db_wal_bytes(packer->volume.db) > 0)
		return true;
	if (!create_next(packer, &id, err) || !enter_volume(packer, &id, err) ||
		!close_old(packer, err))
		return false;
	packer->next_frame = 1;
	packer->litter_after = 0;
	packer->committed_frame = 0;
	*ret_rolled = true;
	return volume_open(&packer->archive, &id, DB_WRITE, &packer->volume, err);
}

static bool try_to_roll(void *context, bool *ret_done, struct err *err)
{
	return packer_roll_now(context, ret_done, err);
}

bool packer_roll_surely(struct packer *packer, struct err *err)
{
	bool rolled;

	return readers_wait(READERS_ROLL_MS, try_to_roll, packer, &rolled, err) &&
	       (rolled || err_set(err, ERR_BUSY, "%s: a reader is still open; try again later",
				  packer->archive.path));
}
