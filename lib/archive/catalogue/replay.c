#include "archive/catalogue/replay.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "archive/catalogue/apply.h"
#include "archive/catalogue/journal_checkpoint.h"
#include "archive/catalogue/litter.h"
#include "archive/catalogue/replace.h"
#include "archive/format/journal.h"

static const char advice[] = "run `mailstow rebuild` once the volumes are back";

struct replay {
	const struct archive_ref *archive;
	struct db *catalogue;
	struct zstd *zstd;
	struct volume volume; /* the one that is read */
	struct buf payload;
	struct catalogue_state state; /* as applied in the current transaction */
	struct apply apply;
	struct directories directories;
};

/* --- is it out of date? --- */

static bool has_uuid(const struct volume_list *list, const struct volume_id *id)
{
	for (size_t i = 0; i < list->count; i++)
		if (memcmp(list->items[i].uuid, id->uuid, ARCHIVE_UUID_BYTES) == 0)
			return true;
	return false;
}

/* NULL: all of them. */
static const struct volume_id *first_missing(
	const struct volume_list *present, const struct catalogue_volumes *known)
{
	for (size_t i = 0; i < known->count; i++)
		if (!has_uuid(present, &known->items[i].id))
			return &known->items[i].id;
	return NULL;
}

static bool all_present(const char *archive_path, const struct volume_list *present,
	const struct catalogue_volumes *known, struct err *err)
{
	const struct volume_id *missing = first_missing(present, known);
	CLEANUP(freep) char *path = missing ? layout_volume_path(archive_path, missing) : NULL;

	return !missing || err_set(err, ERR_CORRUPT, "%s: volume is missing; %s", path, advice);
}

/* A journal checkpoint past the last applied payload supersedes all before it. */
static bool find_checkpoint(const struct archive_ref *archive, struct db *catalogue,
	const struct volume_list *present, struct zstd *zstd,
	struct journal_checkpoint *ret_checkpoint, struct err *err)
{
	struct catalogue_state state;

	if (!catalogue_state(catalogue, &state, err) ||
		!journal_checkpoint_find(archive, present, zstd, ret_checkpoint, err))
		return false;
	ret_checkpoint->found =
		ret_checkpoint->found && ret_checkpoint->last_seq > state.applied_seq;
	return true;
}

static bool is_head(struct volume *volume, int64_t frame_id, const struct catalogue_state *state,
	struct zstd *zstd, struct err *err)
{
	CLEANUP(buf_free) struct buf payload = BUF_INIT(FRAME_RAW_BYTES_MAX);
	uint8_t sha256[SHA256_BYTES];

	if (!volume_get_frame(volume, frame_id, FRAMES_JOURNAL, zstd, &payload, err))
		return false;
	sha256_of(payload.data, payload.len, sha256);
	if (memcmp(sha256, state->head, SHA256_BYTES) != 0)
		return err_set(err, ERR_CORRUPT, "%s: its journal differs from the one catalogued",
			db_path(volume->db));
	return true;
}

/* The last journal frame applied must still be where the catalogue says, unchanged. */
static bool check_head(struct volume *volume, int64_t applied_frame,
	const struct catalogue_state *state, struct err *err)
{
	CLEANUP(zstd_freep) struct zstd *zstd = zstd_new();

	if (applied_frame == 0 || is_head(volume, applied_frame, state, zstd, err))
		return true;
	if (err->kind != ERR_CORRUPT)
		return false;
	return err_wrap(err, "the catalogue names a commit that the volumes lack; %s", advice);
}

/* Does the last catalogued volume have a journal frame that was not applied? */
static bool is_out_of_date(const struct archive_ref *archive, struct db *catalogue,
	const struct catalogue_volumes *known, bool *ret_out_of_date, struct err *err)
{
	const struct catalogue_volume *last = &known->items[known->count - 1];
	const struct catalogue_volume *head = last;
	CLEANUP(volume_close) struct volume volume = {0};
	struct catalogue_state state;
	int64_t next;

	while (head->applied_frame == 0 && head > known->items)
		head--;
	if (!catalogue_state(catalogue, &state, err) ||
		!volume_open_peek(archive, &head->id, &volume, err) ||
		!check_head(&volume, head->applied_frame, &state, err) ||
		!volume_next_journal(&volume, head->applied_frame, &next, err))
		return false;
	*ret_out_of_date = next != 0;
	if (*ret_out_of_date || head == last)
		return true;
	volume_close(&volume);
	if (!volume_open_peek(archive, &last->id, &volume, err) ||
		!volume_next_journal(&volume, 0, &next, err))
		return false;
	*ret_out_of_date = next != 0;
	return true;
}

/* A volume may be missing only if a later journal checkpoint does not list it. */
static bool is_superseded(const struct archive_ref *archive, struct db *catalogue,
	const struct volume_list *present, const struct catalogue_volumes *known,
	bool *ret_superseded, struct err *err)
{
	CLEANUP(zstd_freep) struct zstd *zstd = NULL;
	struct journal_checkpoint checkpoint;

	*ret_superseded = false;
	if (!first_missing(present, known))
		return true;
	zstd = zstd_new();
	if (!find_checkpoint(archive, catalogue, present, zstd, &checkpoint, err))
		return false;
	*ret_superseded = checkpoint.found;
	return checkpoint.found || all_present(archive->path, present, known, err);
}

bool replay_needed(
	const struct archive_ref *archive, struct db *catalogue, bool *ret_needed, struct err *err)
{
	CLEANUP(volume_list_free) struct volume_list present = {0};
	CLEANUP(catalogue_volumes_free) struct catalogue_volumes known = {0};

	if (!volume_list(archive->path, &present, err) ||
		!catalogue_volumes(catalogue, &known, err))
		return false;
	*ret_needed = replace_is_due(&present, &known);
	if (*ret_needed)
		return true;
	if (!is_superseded(archive, catalogue, &present, &known, ret_needed, err))
		return false;
	*ret_needed = *ret_needed || present.count != known.count;
	if (*ret_needed || known.count == 0)
		return true;
	return is_out_of_date(archive, catalogue, &known, ret_needed, err);
}

/* --- applying --- */

static bool check_header(
	const struct replay *replay, const struct journal_header *header, struct err *err)
{
	if (header->seq != replay->state.applied_seq + 1)
		return err_set(err, ERR_CORRUPT,
			"journal: %" PRIu64 " follows %" PRIu64 ": a volume is missing; %s",
			header->seq, replay->state.applied_seq, advice);
	if (memcmp(header->previous, replay->state.head, SHA256_BYTES) != 0)
		return err_set(err, ERR_CORRUPT,
			"journal: %" PRIu64 " does not follow the last payload applied",
			header->seq);
	return true;
}

static bool apply_records(struct replay *replay, struct reader *records, struct err *err)
{
	struct record record;
	bool unknown;

	while (record_decode(records, &record, &unknown))
		if (!apply_record(&replay->apply, &record, err))
			return false;
	if (unknown)
		return err_set(err, ERR_NEWER, "journal: a record of a newer mailstow");
	return !records->bad || err_set(err, ERR_CORRUPT, "journal: a damaged record");
}

static bool begin_commit(
	struct replay *replay, const struct journal_header *header, struct err *err)
{
	if (db_in_transaction(replay->catalogue)) {
		if (header->generation == replay->apply.generation)
			return true;
		return err_set(err, ERR_CORRUPT,
			"journal: %" PRIu64 " belongs to another generation", header->seq);
	}
	if (!db_begin(replay->catalogue, err) ||
		!apply_begin(&replay->apply, replay->catalogue, replay->volume.id.sequence,
			header->generation, err))
		return false;
	replay->apply.directory = directories_of(&replay->directories, replay->volume.id.sequence);
	return true;
}

/* Rows, applied frame and head change in one transaction: a stopped replay starts at the last
 * commit.
 */
static bool end_commit(struct replay *replay, int64_t frame_id, struct err *err)
{
	assert(db_in_transaction(replay->catalogue)); /* begin_commit() */
	if (!replay->apply.ended)
		return err_set(err, ERR_CORRUPT, "journal: generation %" PRId64 " has no end",
			replay->apply.generation);
	return catalogue_set_applied(
		       replay->catalogue, replay->volume.id.sequence, frame_id, err) &&
	       catalogue_set_state(
		       replay->catalogue, replay->state.applied_seq, replay->state.head, err) &&
	       db_commit(replay->catalogue, err);
}

static bool replay_frame(struct replay *replay, int64_t frame_id, struct err *err)
{
	struct journal_header header;
	struct reader records;

	if (!volume_get_frame(&replay->volume, frame_id, FRAMES_JOURNAL, replay->zstd,
		    &replay->payload, err) ||
		!journal_open(&replay->payload, &header, &records, err) ||
		!check_header(replay, &header, err))
		return false;
	/* the last journal checkpoint was applied first: this one was never committed */
	if (!header.checkpoint &&
		(!begin_commit(replay, &header, err) || !apply_records(replay, &records, err)))
		return false;
	replay->state.applied_seq = header.seq;
	sha256_of(replay->payload.data, replay->payload.len, replay->state.head);
	return !header.final || header.checkpoint || end_commit(replay, frame_id, err);
}

/* Payloads after the last final one were never committed: they are rolled back, the frames stay. */
static bool replay_volume(struct replay *replay, int64_t after, struct err *err)
{
	int64_t frame_id = after;
	bool ok = true;

	assert(!db_in_transaction(replay->catalogue));
	if (!catalogue_state(replay->catalogue, &replay->state, err))
		return false;
	while (ok) {
		ok = volume_next_journal(&replay->volume, frame_id, &frame_id, err);
		if (!ok || frame_id == 0)
			break;
		ok = replay_frame(replay, frame_id, err);
	}
	db_rollback(replay->catalogue);
	return ok;
}

/* Enters the volume before its payloads. A crash in between leaves it with no applied frame, so the
 * next replay reads it from the start. */
static bool replay_one(struct replay *replay, const struct volume_id *id, struct err *err)
{
	struct catalogue_volume volume;
	bool found;
	bool ok;

	if (!catalogue_volume(replay->catalogue, id->sequence, &found, &volume, err))
		return false;
	if (!found && !catalogue_add_volume(replay->catalogue, id, err))
		return false;
	if (found && memcmp(volume.id.uuid, id->uuid, ARCHIVE_UUID_BYTES) != 0)
		return err_set(err, ERR_CORRUPT, "volume %" PRId64 " is not the one catalogued; %s",
			id->sequence, advice);
	if (!volume_open_peek(replay->archive, id, &replay->volume, err))
		return false;
	ok = replay_volume(replay, found ? volume.applied_frame : 0, err);
	volume_close(&replay->volume);
	return ok;
}

/* Only the newest volume is open: a crash may have come before another was entered as full. */
static bool close_older_volumes(
	const struct replay *replay, const struct volume_list *present, struct err *err)
{
	struct db *catalogue = replay->catalogue;
	struct catalogue_volume volume;
	bool found;

	for (size_t i = 0; i < present->count; i++) {
		int64_t sequence = present->items[i].sequence;
		bool sealed = directories_of(&replay->directories, sequence) != NULL;

		if (!catalogue_volume(catalogue, sequence, &found, &volume, err))
			return false;
		if (found && volume.state == VOLUME_OPEN && (sealed || i + 1 < present->count) &&
			!catalogue_set_volume_state(
				catalogue, sequence, sealed ? VOLUME_SEALED : VOLUME_FULL, err))
			return false;
	}
	return true;
}

/* Start with the last journal checkpoint, if it was not applied yet. */
static bool apply_checkpoint(
	const struct replay *replay, const struct volume_list *present, struct err *err)
{
	CLEANUP(volume_close) struct volume volume = {0};
	struct journal_checkpoint checkpoint;

	if (!find_checkpoint(
		    replay->archive, replay->catalogue, present, replay->zstd, &checkpoint, err))
		return false;
	return !checkpoint.found ||
	       (volume_open_peek(
			replay->archive, &present->items[checkpoint.volume], &volume, err) &&
		       journal_checkpoint_apply(&volume, &checkpoint, present, &replay->directories,
			       replay->catalogue, replay->zstd, err));
}

/* Volumes before the one with the last applied payload have nothing new. */
static bool replay_from_head(struct replay *replay, const struct volume_list *present,
	const struct catalogue_volumes *known, struct err *err)
{
	struct catalogue_state state;
	int64_t head = 0;

	if (!catalogue_state(replay->catalogue, &state, err))
		return false;
	for (size_t i = 0; i < known->count; i++)
		if (known->items[i].applied_frame > 0)
			head = known->items[i].id.sequence;
	for (size_t i = 0; i < present->count; i++) {
		const struct volume_id *id = &present->items[i];
		bool before = id->sequence < head;

		if ((before && catalogue_names(known, id)) || litter_includes(&state, known, id))
			continue;
		if (before || !replay_one(replay, id, err))
			return before ? err_set(err, ERR_CORRUPT,
						"volume %" PRId64 " is not the one catalogued; %s",
						id->sequence, advice)
				      : false;
	}
	return true;
}

/*
 * Every step commits on its own and leaves an earlier state of the archive, from which the next
 * replay goes on after a crash. Their order matters:
 *
 * 1. Sealed volumes first: the catalogue must not look for the files that they replaced.
 * 2. The last journal checkpoint: it drops volumes that prune removed and says which must exist.
 * 3. Only now is a volume that is missing an error.
 * 4. The payloads after the checkpoint, one transaction for each commit (end_commit()).
 * 5. States of volumes, which no payload has.
 */
bool replay(
	const struct archive_ref *archive, struct db *catalogue, struct zstd *zstd, struct err *err)
{
	CLEANUP(volume_list_free) struct volume_list present = {0};
	CLEANUP(catalogue_volumes_free) struct catalogue_volumes known = {0};
	struct replay replay = {
		.archive = archive,
		.catalogue = catalogue,
		.zstd = zstd,
		.payload = BUF_INIT(FRAME_RAW_BYTES_MAX),
	};
	bool ok = volume_list(archive->path, &present, err) &&
		  directories_read(archive, &present, zstd, &replay.directories, err) &&
		  replace_all(archive, catalogue, &present, &replay.directories, err) &&
		  apply_checkpoint(&replay, &present, err) &&
		  catalogue_volumes(catalogue, &known, err) &&
		  all_present(archive->path, &present, &known, err) &&
		  replay_from_head(&replay, &present, &known, err) &&
		  close_older_volumes(&replay, &present, err);

	buf_free(&replay.payload);
	directories_free(&replay.directories);
	return ok;
}
