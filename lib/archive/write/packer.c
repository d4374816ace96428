#include "archive/write/packer.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "archive/catalogue/litter.h"
#include "archive/catalogue/replay.h"
#include "archive/format/journal.h"
#include "base/alloc.h"
#include "base/clock.h"

/* --- opening --- */

/* After a replay, litter may remain from the writer that the crash stopped. */
static bool bring_up_to_date(struct packer *packer, struct err *err)
{
	CLEANUP(zstd_freep) struct zstd *zstd = zstd_new();
	bool needed;

	return replay_needed(&packer->archive, packer->catalogue, &needed, err) &&
	       (!needed || (replay(&packer->archive, packer->catalogue, zstd, err) &&
				   litter_remove(packer->archive.path, packer->catalogue, err)));
}

/* Of items, messages and frames. No archive gets there; a larger one in a damaged file could
 * overflow when the next id is counted from it. */
static const int64_t id_max = INT64_MAX / 2;

static bool open_newest_volume(struct packer *packer, struct err *err)
{
	CLEANUP(catalogue_volumes_free) struct catalogue_volumes volumes = {0};
	const struct catalogue_volume *newest;
	int64_t last_frame;

	if (!catalogue_volumes(packer->catalogue, &volumes, err))
		return false;
	if (volumes.count == 0)
		return err_set(err, ERR_CORRUPT, "%s: there is no volume", packer->archive.path);
	newest = &volumes.items[volumes.count - 1];
	if (!volume_open(&packer->archive, &newest->id, DB_WRITE, &packer->volume, err) ||
		!volume_last_frame(&packer->volume, &last_frame, err) ||
		!volume_owner_epoch(&packer->volume, &packer->owner_epoch, err))
		return false;
	if (packer->volume.sealed)
		return err_set(err, ERR_CORRUPT, "%s: the volume that followed it is missing",
			db_path(packer->volume.db));
	if (last_frame >= id_max)
		return err_set(err, ERR_CORRUPT, "%s: its frame ids are used up",
			db_path(packer->volume.db));
	packer->next_frame = last_frame + 1;
	packer->committed_frame = last_frame;
	if (last_frame > newest->applied_frame) {
		packer->litter_after = newest->applied_frame + 1;
		packer->committed_frame = newest->applied_frame;
	}
	return true;
}

static bool read_ids(struct packer *packer, struct err *err)
{
	uint64_t bytes;
	bool row;

	if (!db_step(packer->catalogue, CATALOGUE_IDS_LAST, &row, err))
		return false;
	assert(row);
	packer->next_item = db_int(packer->catalogue, CATALOGUE_IDS_LAST, 0);
	packer->next_message = db_int(packer->catalogue, CATALOGUE_IDS_LAST, 1);
	db_reset(packer->catalogue, CATALOGUE_IDS_LAST);
	if (packer->next_item >= id_max || packer->next_message >= id_max)
		return err_set(err, ERR_CORRUPT, "%s: its ids are used up; run `mailstow rebuild`",
			db_path(packer->catalogue));
	packer->next_item++;
	packer->next_message++;
	return catalogue_state(packer->catalogue, &packer->state, err) &&
	       catalogue_last_snapshot(packer->catalogue, &packer->last, &bytes, err);
}

static void make_blocks(struct packer *packer)
{
	for (size_t i = 0; i < PACKER_BLOCKS; i++) {
		buf_init(&packer->blocks[i].raw, FRAME_RAW_BYTES_MAX);
		buf_init(&packer->blocks[i].packed, FRAME_ENCRYPTED_BYTES_MAX);
	}
	packer->pack = &packer->blocks[0];
	packer->item = &packer->blocks[1];
	for (size_t i = 2; i < PACKER_BLOCKS; i++)
		packer->spare[packer->spare_count++] = &packer->blocks[i];
	buf_init(&packer->journal, FRAME_RAW_BYTES_MAX);
	buf_init(&packer->decoded, PACKER_SLICE_BYTES_MAX);
	buf_init(&packer->again, PACKER_SLICE_BYTES_MAX);
	incoming_init(&packer->incoming);
}

bool packer_open(struct packer *packer, const struct archive_ref *archive,
	uint64_t volume_bytes_max, const atomic_bool *view_peeks, struct err *err)
{
	*packer = (struct packer){
		.archive = {xstrdup(archive->path), archive->keys},
		.volume_bytes_max = volume_bytes_max,
		.view_peeks = view_peeks,
		.first_ticket = 1,
	};
	make_blocks(packer);
	/* nothing is ever added to a volume under the previous master key: start another one */
	if (catalogue_open(archive, DB_WRITE, &packer->catalogue, err) &&
		bring_up_to_date(packer, err) && open_newest_volume(packer, err) &&
		read_ids(packer, err) &&
		(!packer->volume.outdated || packer_roll_surely(packer, err)) &&
		compressor_start(&packer->compressor, err))
		return true;
	packer_close(packer);
	return false;
}

void packer_close(struct packer *packer)
{
	compressor_stopp(&packer->compressor);
	incoming_free(&packer->incoming);
	buf_free(&packer->decoded);
	buf_free(&packer->again);
	volume_close(&packer->volume);
	db_freep(&packer->catalogue);
	for (size_t i = 0; i < PACKER_BLOCKS; i++) {
		buf_free(&packer->blocks[i].raw);
		buf_free(&packer->blocks[i].packed);
	}
	buf_free(&packer->journal);
	free(packer->tickets);
	free((char *)packer->archive.path);
	*packer = (struct packer){0};
}

/* --- records --- */

static void begin_payload(struct packer *packer)
{
	struct journal_header header = {
		.seq = packer->state.applied_seq + 1,
		.generation = packer->apply.generation,
	};

	memcpy(header.previous, packer->state.head, SHA256_BYTES);
	journal_begin(&packer->journal, &header);
}

static bool begin_commit(struct packer *packer, struct err *err)
{
	if (packer->dirty)
		return true;
	if (!db_begin(packer->catalogue, err) ||
		!apply_begin(&packer->apply, packer->catalogue, packer->volume.id.sequence,
			packer->last.generation + 1, err))
		return false;
	begin_payload(packer);
	packer->dirty = true;
	return true;
}

bool packer_write_payload(
	struct packer *packer, enum frame_kind kind, int64_t *ret_frame_id, struct err *err)
{
	struct block *block;
	struct buf empty;

	/* an idle compressor leaves a block for packer_spare() */
	if (!packer_drain(packer, err))
		return false;
	assert(packer->journal.len <= FRAME_RAW_BYTES_MAX); /* begin_record() ends full payloads */
	/* the next payload names this hash as its predecessor */
	sha256_of(packer->journal.data, packer->journal.len, packer->state.head);
	packer->state.applied_seq++;
	block = packer_spare(packer);
	empty = block->raw;
	block->raw = packer->journal;
	packer->journal = empty;
	*ret_frame_id = packer->next_frame++;
	return packer_submit(packer, block, kind, *ret_frame_id, err) && packer_drain(packer, err);
}

static bool end_full_payload(struct packer *packer, struct err *err)
{
	int64_t frame_id;

	if (packer->journal.len < JOURNAL_BYTES_MAX)
		return true;
	if (!packer_write_payload(packer, FRAME_JOURNAL, &frame_id, err))
		return false;
	begin_payload(packer);
	return true;
}

static bool begin_record(struct packer *packer, struct err *err)
{
	return begin_commit(packer, err) && end_full_payload(packer, err);
}

static bool too_large(struct err *err)
{
	return err_set(err, ERR_LOCAL, "a change is larger than %d bytes", RECORD_BYTES_MAX);
}

/* Applies what the journal's bytes decode to, not the struct: replay decodes the same bytes, so a
 * record it would refuse never enters the journal. */
bool packer_record(struct packer *packer, const struct record *record, struct err *err)
{
	struct record decoded;
	struct reader reader;
	size_t start;
	bool unknown;
	bool ok;

	if (!begin_record(packer, err))
		return false;
	start = packer->journal.len;
	if (!record_encode(record, &packer->journal))
		return too_large(err);
	reader = (struct reader){.at = packer->journal.data + start,
		.end = packer->journal.data + packer->journal.len};
	ok = record_decode(&reader, &decoded, &unknown);
	if (!ok)
		return err_set(err, ERR_LOCAL, "cannot record a malformed change");
	return apply_record(&packer->apply, &decoded, err);
}

static bool resolve_ticket(struct packer *packer, struct record *record, struct err *err)
{
	int64_t ticket = record->placement.message;
	int64_t index = ticket - packer->first_ticket;

	if (index < 0 || index >= (int64_t)packer->tickets_count)
		return err_set(err, ERR_LOCAL, "ticket %" PRId64 " is of another commit", ticket);
	record->placement.message = packer->tickets[index];
	return true;
}

/* Only ranges with something present in them are worth recording. */
static bool record_gone(struct packer *packer, const struct record_gone *gone, struct err *err)
{
	struct record_gone walk = *gone;
	struct record left = {.kind = RECORD_GONE, .gone = *gone};
	CLEANUP(freep) struct range *ranges = xcalloc(gone->count + 1, sizeof(*ranges));
	struct range range;
	bool any;

	left.gone.count = 0;
	while (record_next_range(&walk, &range)) {
		if (!apply_range_any(
			    packer->catalogue, gone->folder, gone->uidvalidity, range, &any, err))
			return false;
		if (any)
			ranges[left.gone.count++] = range;
	}
	left.gone.ranges = ranges;
	return left.gone.count == 0 || packer_record(packer, &left, err);
}

/* Its message's id takes the ticket's place: the only record of a caller that is encoded again. */
static bool record_placement(struct packer *packer, struct record *record, struct err *err)
{
	bool change;

	if (!resolve_ticket(packer, record, err) ||
		!apply_is_change(packer->catalogue, record, &change, err))
		return false;
	if (!change)
		return true;
	if (!begin_record(packer, err))
		return false;
	if (!record_encode(record, &packer->journal))
		return too_large(err);
	return apply_record(&packer->apply, record, err);
}

/* The journal gets the caller's very bytes, which were decoded once. */
static bool record_encoded(struct packer *packer, const struct record *record,
	const uint8_t *encoded, size_t len, struct err *err)
{
	bool change;

	if (!apply_is_change(packer->catalogue, record, &change, err))
		return false;
	if (!change)
		return true;
	if (!begin_record(packer, err))
		return false;
	if (!buf_add(&packer->journal, encoded, len))
		return too_large(err);
	return apply_record(&packer->apply, record, err);
}

bool packer_change(struct packer *packer, const uint8_t *encoded, size_t len, struct err *err)
{
	struct reader reader = {.at = encoded, .end = encoded + len};
	struct record record;
	bool unknown;

	if (!record_decode(&reader, &record, &unknown))
		return err_set(err, ERR_LOCAL, "cannot record a malformed change");
	assert(reader.at == reader.end);
	switch ((int)record.kind) {
	case RECORD_PLACEMENT:
		return record_placement(packer, &record, err);
	case RECORD_GONE:
		return record_gone(packer, &record.gone, err);
	default:
		return record_encoded(packer, &record, encoded, len, err);
	}
}

/* --- commits --- */

static bool record_snapshot(struct packer *packer, bool complete, struct err *err)
{
	int64_t now_ms = clock_wall_ms();
	struct record record = {
		.kind = RECORD_SNAPSHOT,
		.snapshot =
			{
				.generation = packer->apply.generation,
				/* never earlier than its predecessor, whatever the clock does */
				.unix_ms = now_ms > packer->last.unix_ms ? now_ms
									 : packer->last.unix_ms,
				.complete = complete,
			},
	};

	return packer_record(packer, &record, err);
}

/*
 * The volume is made durable before the catalogue. Stopped before the first commit, neither has
 * this generation, and its frames are removed as an interrupted writer's. Stopped between the two,
 * replay finds the final payload in the volume and applies it; it does the same where a power cut
 * loses the catalogue's commit, which is not synced. The other order could leave a row whose bytes
 * are lost.
 */
static bool make_durable(struct packer *packer, int64_t frame_id, struct err *err)
{
	assert(compressor_count(packer->compressor) == 0 && packer->pack->raw.len == 0);
	assert(db_in_transaction(packer->catalogue));
	if (!db_commit(packer->volume.db, err))
		return false;
	assert(!db_in_transaction(packer->volume.db)); /* invariant 1: the bytes are durable */
	packer->committed_frame = frame_id;
	return catalogue_set_applied(
		       packer->catalogue, packer->volume.id.sequence, frame_id, err) &&
	       catalogue_set_state(
		       packer->catalogue, packer->state.applied_seq, packer->state.head, err) &&
	       db_commit(packer->catalogue, err);
}

static bool commit_now(struct packer *packer, bool complete, struct err *err)
{
	uint64_t bytes;
	int64_t frame_id;

	if (!begin_commit(packer, err) || !packer_flush_pack(packer, err) ||
		!record_snapshot(packer, complete, err))
		return false;
	journal_set_final(&packer->journal);
	if (!packer_write_payload(packer, FRAME_JOURNAL, &frame_id, err) ||
		!make_durable(packer, frame_id, err))
		return false;
	packer->dirty = false;
	packer->pending_bytes = 0;
	packer->first_ticket += (int64_t)packer->tickets_count;
	packer->tickets_count = 0;
	packer->figures.commits++;
	return catalogue_last_snapshot(packer->catalogue, &packer->last, &bytes, err) &&
	       packer_roll(packer, err) && packer_limit_wal(packer, err);
}

bool packer_may_commit(struct packer *packer, struct err *err)
{
	if (!packer->dirty || packer->pending_bytes + packer->journal.len < ARCHIVE_COMMIT_BYTES)
		return true;
	return commit_now(packer, false, err);
}

bool packer_commit(struct packer *packer, bool complete, int64_t *ret_generation, struct err *err)
{
	bool incomplete = complete && !packer->last.complete;

	if ((packer->dirty || incomplete) && !commit_now(packer, complete, err))
		return false;
	packer->job_bytes = 0;
	*ret_generation = packer->last.generation;
	return true;
}
