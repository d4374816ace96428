#include "archive/catalogue/journal_checkpoint.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "archive/catalogue/apply.h"
#include "archive/volume/volume_sql.h"
#include "base/alloc.h"
#include "base/fs.h"

/* --- finding it --- */

/* The journal checkpoint frame that follows `after`; 0: none. */
static bool next_checkpoint(struct volume *volume, int64_t after, int64_t *ret_id, struct err *err)
{
	bool row;

	db_bind_int(volume->db, VOLUME_JOURNAL_CHECKPOINT_NEXT, "after", after);
	if (!db_step(volume->db, VOLUME_JOURNAL_CHECKPOINT_NEXT, &row, err))
		return false;
	*ret_id = row ? db_int(volume->db, VOLUME_JOURNAL_CHECKPOINT_NEXT, 0) : 0;
	if (row)
		db_reset(volume->db, VOLUME_JOURNAL_CHECKPOINT_NEXT);
	return true;
}

static bool read_header(struct volume *volume, int64_t frame, struct zstd *zstd,
	struct buf *payload, struct journal_header *ret_header, struct reader *ret_records,
	struct err *err)
{
	if (!volume_get_frame(volume, frame, FRAMES_JOURNAL, zstd, payload, err) ||
		!journal_open(payload, ret_header, ret_records, err))
		return false;
	return ret_header->checkpoint ||
	       err_set(err, ERR_CORRUPT, "%s: frame %" PRId64 ": is not a journal checkpoint",
		       db_path(volume->db), frame);
}

/* One without a final payload was never committed. */
static bool find_last(struct volume *volume, struct zstd *zstd, struct journal_checkpoint *ret_last,
	struct err *err)
{
	CLEANUP(buf_free) struct buf payload = BUF_INIT(FRAME_RAW_BYTES_MAX);
	struct journal_checkpoint last = {0}, at = {0};
	int64_t frame = 0;

	while (next_checkpoint(volume, frame, &frame, err)) {
		struct journal_header header;
		struct reader records;

		if (frame == 0) {
			*ret_last = last;
			return true;
		}
		if (!read_header(volume, frame, zstd, &payload, &header, &records, err))
			return false;
		if (at.first_frame == 0) {
			at.first_frame = frame;
			at.seq = header.seq - 1;
			memcpy(at.previous, header.previous, SHA256_BYTES);
		}
		at.last_frame = frame;
		at.last_seq = header.seq;
		at.found = header.final;
		if (header.final) {
			last = at;
			at = (struct journal_checkpoint){0};
		}
	}
	return false;
}

bool journal_checkpoint_find(const struct archive_ref *archive, const struct volume_list *volumes,
	struct zstd *zstd, struct journal_checkpoint *ret_checkpoint, struct err *err)
{
	struct journal_checkpoint found = {0};

	for (size_t i = volumes->count; i > 0 && !found.found; i--) {
		CLEANUP(volume_close) struct volume volume = {0};

		if (!volume_open_peek(archive, &volumes->items[i - 1], &volume, err) ||
			!find_last(&volume, zstd, &found, err))
			return false;
		found.volume = i - 1;
	}
	*ret_checkpoint = found;
	return true;
}

/* --- applying it --- */

struct checkpoint_restore {
	struct volume *volume;
	const struct volume_list *present;
	const struct directories *directories;
	struct db *catalogue;
	struct zstd *zstd;
	struct catalogue_state state; /* seq and head, as read */
	int64_t generation;
	struct buf payload;
};

static bool clear_tables(struct db *catalogue, struct err *err)
{
	static const size_t queries[] = {CATALOGUE_CLEAR_VOLUMES, CATALOGUE_CLEAR_ITEMS,
		CATALOGUE_CLEAR_PARTS, CATALOGUE_CLEAR_MESSAGES, CATALOGUE_CLEAR_FOLDERS,
		CATALOGUE_CLEAR_PLACEMENTS, CATALOGUE_CLEAR_FLAG_SETS, CATALOGUE_CLEAR_MARKS,
		CATALOGUE_CLEAR_SNAPSHOTS, CATALOGUE_CLEAR_TOMBSTONES};

	/* else a crash would leave the catalogue empty, with a head that claims otherwise */
	assert(db_in_transaction(catalogue));
	for (size_t i = 0; i < ARRAY_LEN(queries); i++)
		if (!db_run(catalogue, queries[i], err))
			return false;
	return true;
}

/* The volume listed, or the sealed one that replaced it; NULL: neither. */
static const struct volume_id *find_present(
	const struct checkpoint_restore *restoring, const struct volume_id *listed)
{
	const struct directory *directory =
		directories_of(restoring->directories, listed->sequence);

	for (size_t i = 0; i < restoring->present->count; i++) {
		const struct volume_id *id = &restoring->present->items[i];

		if (id->sequence == listed->sequence &&
			(memcmp(id->uuid, listed->uuid, ARCHIVE_UUID_BYTES) == 0 ||
				(directory && memcmp(directory->replaces, listed->uuid,
						      ARCHIVE_UUID_BYTES) == 0)))
			return id;
	}
	return NULL;
}

static enum volume_state state_of(
	const struct checkpoint_restore *restoring, const struct record_volume *volume)
{
	if (volume->doomed)
		return VOLUME_DOOMED;
	if (directories_of(restoring->directories, volume->sequence))
		return VOLUME_SEALED;
	return volume->sequence == restoring->volume->id.sequence ? VOLUME_OPEN : VOLUME_FULL;
}

static bool put_volume(
	struct checkpoint_restore *restoring, const struct record_volume *volume, struct err *err)
{
	struct volume_id listed = {.sequence = volume->sequence};
	const struct volume_id *id;

	memcpy(listed.uuid, volume->uuid, ARCHIVE_UUID_BYTES);
	id = find_present(restoring, &listed);
	if (!id)
		return err_set(err, ERR_CORRUPT,
			"journal checkpoint: volume %" PRId64 " is missing", listed.sequence);
	return catalogue_add_volume(restoring->catalogue, id, err) &&
	       catalogue_set_volume_state(
		       restoring->catalogue, id->sequence, state_of(restoring, volume), err);
}

static bool put_folder(struct db *db, const struct record_folder_row *row, struct err *err)
{
	enum { PUT = CATALOGUE_FOLDER_ROW_PUT };

	rows_bind_folder(db, PUT, &row->folder);
	rows_bind_span(db, PUT, &row->span);
	db_bind_int(db, PUT, "uidvalidity", row->uidvalidity);
	return db_run(db, PUT, err);
}

static bool put_placement(struct db *db, const struct record_placement_row *row, struct err *err)
{
	enum { PUT = CATALOGUE_PLACEMENT_ROW_PUT };
	int64_t flag_set;

	if (!apply_flag_set(db, row->placement.flags, &flag_set, err))
		return false;
	rows_bind_placement(db, PUT, &row->placement, flag_set);
	rows_bind_span(db, PUT, &row->span);
	db_bind_int(db, PUT, "gone", row->gone);
	db_bind_int(db, PUT, "added", row->added);
	return db_run(db, PUT, err);
}

static bool put_item(
	struct checkpoint_restore *restoring, const struct record_item_row *row, struct err *err)
{
	struct apply apply = {.catalogue = restoring->catalogue,
		.volume = row->volume,
		.directory = directories_of(restoring->directories, row->volume),
		.generation = restoring->generation};
	struct record record = {.kind = RECORD_ITEM, .item = row->item};

	return apply_record(&apply, &record, err);
}

static bool put_row(
	struct checkpoint_restore *restoring, const struct record *record, struct err *err)
{
	struct db *db = restoring->catalogue;
	struct apply apply = {.catalogue = db, .generation = restoring->generation};

	switch ((int)record->kind) {
	case RECORD_MESSAGE:
	case RECORD_MARK:
		return apply_record(&apply, record, err);
	case RECORD_PRUNED:
		return catalogue_set_pruned(db, record->pruned_ms, err);
	case RECORD_TOMBSTONE:
		rows_bind_place(db, CATALOGUE_TOMBSTONE_PUT, record->tombstone.folder,
			record->tombstone.uidvalidity, record->tombstone.uid);
		return db_run(db, CATALOGUE_TOMBSTONE_PUT, err);
	case RECORD_VOLUME:
		return put_volume(restoring, &record->volume, err);
	case RECORD_ITEM_ROW:
		return put_item(restoring, &record->item_row, err);
	case RECORD_FOLDER_ROW:
		return put_folder(db, &record->folder_row, err);
	case RECORD_PLACEMENT_ROW:
		return put_placement(db, &record->placement_row, err);
	case RECORD_SNAPSHOT_ROW:
		rows_bind_snapshot(db, CATALOGUE_SNAPSHOT_PUT, &record->snapshot_row);
		return db_run(db, CATALOGUE_SNAPSHOT_PUT, err);
	default:
		return err_set(err, ERR_CORRUPT,
			"journal checkpoint: a record of another kind of payload");
	}
}

static bool put_rows(struct checkpoint_restore *restoring, struct reader *records, struct err *err)
{
	struct record record;
	bool unknown;

	while (record_decode(records, &record, &unknown))
		if (!put_row(restoring, &record, err))
			return false;
	if (unknown)
		return err_set(err, ERR_NEWER, "journal checkpoint: a record of a newer mailstow");
	return !records->bad || err_set(err, ERR_CORRUPT, "journal checkpoint: a damaged record");
}

static bool put_payload(struct checkpoint_restore *restoring, int64_t frame, struct err *err)
{
	struct catalogue_state *state = &restoring->state;
	struct journal_header header;
	struct reader records;

	if (!read_header(restoring->volume, frame, restoring->zstd, &restoring->payload, &header,
		    &records, err))
		return false;
	if (header.seq != state->applied_seq + 1 ||
		memcmp(header.previous, state->head, SHA256_BYTES) != 0 ||
		(restoring->generation && restoring->generation != header.generation))
		return err_set(err, ERR_CORRUPT, "journal checkpoint: a payload of another one");
	restoring->generation = header.generation;
	state->applied_seq = header.seq;
	sha256_of(restoring->payload.data, restoring->payload.len, state->head);
	return put_rows(restoring, &records, err);
}

/* The rows were entered table by table, not in the order in which they came to be, so references
 * can only be checked at the end. */
static bool check_references(const struct checkpoint_restore *restoring, struct err *err)
{
	struct db *db = restoring->catalogue;
	struct archive_snapshot last;
	struct catalogue_volume own;
	uint64_t bytes;
	bool row;

	if (!db_step(db, CATALOGUE_DANGLING, &row, err))
		return false;
	if (row) {
		(void)err_set(err, ERR_CORRUPT,
			"journal checkpoint: %s %" PRId64 ", which does not exist",
			db_text(db, CATALOGUE_DANGLING, 0), db_int(db, CATALOGUE_DANGLING, 1));
		db_reset(db, CATALOGUE_DANGLING);
		return false;
	}
	if (!catalogue_volume(db, restoring->volume->id.sequence, &row, &own, err) ||
		!catalogue_last_snapshot(db, &last, &bytes, err))
		return false;
	return (row && last.generation == restoring->generation) ||
	       err_set(err, ERR_CORRUPT, "journal checkpoint: of another volume or generation");
}

static bool put_all(struct checkpoint_restore *restoring,
	const struct journal_checkpoint *checkpoint, struct err *err)
{
	int64_t frame = checkpoint->first_frame - 1;

	if (!clear_tables(restoring->catalogue, err))
		return false;
	while (frame != checkpoint->last_frame)
		if (!next_checkpoint(restoring->volume, frame, &frame, err) ||
			!put_payload(restoring, frame, err))
			return false;
	return check_references(restoring, err) &&
	       catalogue_set_journal_checkpoint(restoring->catalogue,
		       restoring->volume->id.sequence, checkpoint->last_frame, &restoring->state,
		       err);
}

/*
 * Clearing the tables, the rows, the applied frame and the head are one transaction. A crash before
 * its commit leaves the catalogue as it was, and replay finds the checkpoint again. A crash after
 * it leaves only the payloads that follow the checkpoint to replay.
 */
bool journal_checkpoint_apply(struct volume *volume, const struct journal_checkpoint *checkpoint,
	const struct volume_list *present, const struct directories *directories,
	struct db *catalogue, struct zstd *zstd, struct err *err)
{
	struct checkpoint_restore restoring = {.volume = volume,
		.present = present,
		.directories = directories,
		.catalogue = catalogue,
		.zstd = zstd,
		.state = {.applied_seq = checkpoint->seq},
		.payload = BUF_INIT(FRAME_RAW_BYTES_MAX)};
	bool done;

	assert(checkpoint->found && !db_in_transaction(catalogue));
	memcpy(restoring.state.head, checkpoint->previous, SHA256_BYTES);
	done = db_begin(catalogue, err) && put_all(&restoring, checkpoint, err) &&
	       db_commit(catalogue, err);
	buf_free(&restoring.payload);
	if (!done)
		db_rollback(catalogue);
	return done || err_wrap(err, "%s", db_path(volume->db));
}
