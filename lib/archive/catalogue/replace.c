#include "archive/catalogue/replace.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

bool replace_find_payload(struct volume *volume, const uint8_t wanted[SHA256_BYTES],
	int64_t *ret_frame, bool *ret_found, struct err *err)
{
	CLEANUP(zstd_freep) struct zstd *zstd = zstd_new();
	CLEANUP(buf_free) struct buf payload = BUF_INIT(FRAME_RAW_BYTES_MAX);
	int64_t frame = 0;

	while (volume_next_journal(volume, frame, &frame, err)) {
		uint8_t sha256[SHA256_BYTES];

		*ret_found = frame != 0;
		if (frame == 0)
			return true;
		if (!volume_get_frame(volume, frame, FRAMES_JOURNAL, zstd, &payload, err))
			return false;
		sha256_of(payload.data, payload.len, sha256);
		*ret_frame = frame;
		if (memcmp(sha256, wanted, SHA256_BYTES) == 0)
			return true;
	}
	return false;
}

/* The frame of the catalogue's last payload if it is in this volume: the frames after it are still
 * to be applied. Otherwise the catalogue has all of the volume's payloads. */
static bool applied_journal(const struct archive_ref *archive, struct db *catalogue,
	const struct volume_id *id, int64_t *ret_frame, struct err *err)
{
	CLEANUP(volume_close) struct volume volume = {0};
	struct catalogue_state state;
	bool found;

	return catalogue_state(catalogue, &state, err) &&
	       volume_open_peek(archive, id, &volume, err) &&
	       replace_find_payload(&volume, state.head, ret_frame, &found, err) &&
	       (found || volume_last_journal(&volume, ret_frame, err));
}

static bool put_volume(
	struct db *catalogue, const struct volume_id *sealed, int64_t journal, struct err *err)
{
	enum { PUT = CATALOGUE_VOLUME_REPLACE };

	db_bind_int(catalogue, PUT, "sequence", sealed->sequence);
	db_bind_blob(catalogue, PUT, "uuid", sealed->uuid, ARCHIVE_UUID_BYTES);
	db_bind_int(catalogue, PUT, "journal", journal);
	return db_run(catalogue, PUT, err);
}

static bool put_items(struct db *catalogue, const struct directory *directory, int64_t *ret_count,
	struct err *err)
{
	enum { PUT = CATALOGUE_ITEM_PLACE };

	*ret_count = 0;
	for (size_t i = 0; i < directory->count; i++) {
		const struct directory_entry *entry = &directory->items[i];

		const struct item_row place = {.id = entry->item,
			.volume = directory->sequence,
			.frame = entry->frame,
			.offset = entry->offset};

		rows_bind_item_place(catalogue, PUT, &place);
		if (!db_run(catalogue, PUT, err))
			return false;
		*ret_count += db_changes(catalogue);
	}
	return true;
}

static bool replace_rows(struct db *catalogue, const struct volume_id *sealed,
	const struct directory *directory, int64_t journal, struct err *err)
{
	int64_t placed, known;

	/* else items could name frames of the other file, whose numbers mean something else */
	assert(db_in_transaction(catalogue));
	if (!put_volume(catalogue, sealed, journal, err) ||
		!put_items(catalogue, directory, &placed, err) ||
		!catalogue_count_items(catalogue, sealed->sequence, &known, err))
		return false;
	return placed == known ||
	       err_set(err, ERR_CORRUPT,
		       "volume %" PRId64 ": has %" PRId64 " items of %" PRId64 " after repacking",
		       sealed->sequence, placed, known);
}

/*
 * The sealed file is durable under its name, and counts, before the catalogue names its frames
 * (volume_publish_sealed()). The uuid, the items' locations and the applied frame then change in
 * one transaction. A crash between rename and commit leaves the old uuid in the catalogue:
 * replace_is_due() notices, and replay repeats this. A crash after the commit leaves the replaced
 * file, which is litter.
 */
bool replace_volume(const struct archive_ref *archive, struct db *catalogue,
	const struct volume_id *sealed, const struct directory *directory, struct err *err)
{
	struct catalogue_volume known;
	int64_t journal;
	bool found;

	assert(!db_in_transaction(catalogue));
	if (!catalogue_volume(catalogue, sealed->sequence, &found, &known, err) ||
		!applied_journal(archive, catalogue, sealed, &journal, err))
		return false;
	if (!found || memcmp(known.id.uuid, directory->replaces, ARCHIVE_UUID_BYTES) != 0)
		return err_set(err, ERR_CORRUPT,
			"volume %" PRId64 " is not the one catalogued; run `mailstow rebuild`",
			sealed->sequence);
	if (!db_begin(catalogue, err))
		return false;
	if (replace_rows(catalogue, sealed, directory, journal, err) && db_commit(catalogue, err))
		return true;
	db_rollback(catalogue);
	return false;
}

static bool is_due(const struct volume_id *id, const struct catalogue_volumes *known)
{
	for (size_t i = 0; i < known->count; i++)
		if (known->items[i].id.sequence == id->sequence)
			return memcmp(known->items[i].id.uuid, id->uuid, ARCHIVE_UUID_BYTES) != 0;
	return false;
}

bool replace_is_due(const struct volume_list *present, const struct catalogue_volumes *known)
{
	for (size_t i = 0; i < present->count; i++)
		if (is_due(&present->items[i], known))
			return true;
	return false;
}

bool replace_all(const struct archive_ref *archive, struct db *catalogue,
	const struct volume_list *present, const struct directories *directories, struct err *err)
{
	CLEANUP(catalogue_volumes_free) struct catalogue_volumes known = {0};

	if (!catalogue_volumes(catalogue, &known, err))
		return false;
	for (size_t i = 0; i < present->count; i++) {
		const struct volume_id *id = &present->items[i];
		const struct directory *directory = directories_of(directories, id->sequence);

		if (directory && is_due(id, &known) &&
			!replace_volume(archive, catalogue, id, directory, err))
			return false;
	}
	return true;
}
