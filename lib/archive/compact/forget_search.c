#include "archive/compact/forget_search.h"

#include <stdlib.h>
#include <string.h>

#include "archive/catalogue/replay.h"
#include "archive/format/journal.h"
#include "archive/volume/directory.h"
#include "base/alloc.h"

void forget_search_add(struct forget_search *search, const uint8_t digest[SHA256_BYTES])
{
	ARRAY_GROW(search->digests, search->count, search->cap);
	memcpy(search->digests[search->count++], digest, SHA256_BYTES);
}

void forget_search_add_message(struct forget_search *search, int64_t id)
{
	ARRAY_GROW(search->messages, search->messages_count, search->messages_cap);
	search->messages[search->messages_count++] = id;
}

void forget_search_add_volume(struct forget_search *search, int64_t sequence)
{
	for (size_t i = 0; i < search->volumes_count; i++)
		if (search->volumes[i] == sequence)
			return;
	ARRAY_GROW(search->volumes, search->volumes_count, search->volumes_cap);
	search->volumes[search->volumes_count++] = sequence;
}

void forget_search_free(struct forget_search *search)
{
	free(search->digests);
	free(search->volumes);
	free(search->messages);
	*search = (struct forget_search){0};
}

static int by_number(const void *a, const void *b)
{
	const int64_t *left = a;
	const int64_t *right = b;

	return (*left > *right) - (*left < *right);
}

static int by_bytes(const void *a, const void *b)
{
	return memcmp(a, b, SHA256_BYTES);
}

static bool is_sought(const struct forget_search *search, const uint8_t *digest)
{
	return search->count > 0 &&
	       bsearch(digest, search->digests, search->count, SHA256_BYTES, by_bytes) != NULL;
}

/* The catalogue's ids may be very many; the ids found here are few. */
static bool has_id(const struct forget_search *search, int64_t message)
{
	if (search->sorted_count > 0 && bsearch(&message, search->messages, search->sorted_count,
						sizeof(message), by_number))
		return true;
	for (size_t i = search->sorted_count; i < search->messages_count; i++)
		if (search->messages[i] == message)
			return true;
	return false;
}

static bool names_message(struct forget_search *search, const struct record_message *message)
{
	if (!is_sought(search, message->sha256))
		return false;
	if (!has_id(search, message->id))
		forget_search_add_message(search, message->id);
	return true;
}

/* A message's record precedes those of its placements, so its id is known when they come. */
static bool names(struct forget_search *search, const struct record *record)
{
	switch ((int)record->kind) {
	case RECORD_MESSAGE:
		return names_message(search, &record->message);
	case RECORD_ITEM:
		return record->item.has_sha256 && is_sought(search, record->item.sha256);
	case RECORD_ITEM_ROW:
		return record->item_row.item.has_sha256 &&
		       is_sought(search, record->item_row.item.sha256);
	case RECORD_PLACEMENT:
		return has_id(search, record->placement.message);
	case RECORD_PLACEMENT_ROW:
		return has_id(search, record->placement_row.placement.message);
	default:
		return false;
	}
}

static bool search_payload(
	struct forget_search *search, const struct buf *payload, bool *found, struct err *err)
{
	struct journal_header header;
	struct reader records;
	struct record record;
	bool unknown;

	if (!journal_open(payload, &header, &records, err))
		return false;
	while (record_decode(&records, &record, &unknown))
		*found = names(search, &record) || *found;
	return !records.bad || err_set(err, ERR_CORRUPT, "journal: a damaged record");
}

/* For a sealed volume without a journal. */
static bool has_unknown(struct volume *volume, struct db *catalogue, struct zstd *zstd,
	bool *ret_has, struct err *err)
{
	CLEANUP(directory_free) struct directory directory = {0};
	int64_t known;

	if (!directory_read(volume, zstd, &directory, err) ||
		!catalogue_count_items(catalogue, volume->id.sequence, &known, err))
		return false;
	*ret_has = directory.count > (size_t)known;
	return true;
}

/* *ret_any: it has a journal or checkpoint frame. */
static bool search_journal(struct forget_search *search, struct volume *volume, struct zstd *zstd,
	bool *ret_any, bool *ret_found, struct err *err)
{
	CLEANUP(buf_free) struct buf payload = BUF_INIT(FRAME_RAW_BYTES_MAX);
	int64_t frame = 0;

	*ret_any = false;
	*ret_found = false;
	while (volume_next_journal(volume, frame, &frame, err)) {
		if (frame == 0)
			return true;
		if (!volume_get_frame(volume, frame, FRAMES_JOURNAL, zstd, &payload, err) ||
			!search_payload(search, &payload, ret_found, err))
			return false;
		*ret_any = true;
	}
	return false;
}

static bool search_volume(struct forget_search *search, struct packer *packer,
	struct volume *volume, struct zstd *zstd, struct err *err)
{
	bool any, found;

	if (!search_journal(search, volume, zstd, &any, &found, err) ||
		(!any && volume->sealed &&
			!has_unknown(volume, packer->catalogue, zstd, &found, err)))
		return false;
	if (found)
		forget_search_add_volume(search, volume->id.sequence);
	return true;
}

static bool search_one(struct forget_search *search, struct packer *packer,
	const struct volume_id *id, struct zstd *zstd, struct err *err)
{
	CLEANUP(freep) char *path = layout_volume_path(packer->archive.path, id);
	CLEANUP(volume_close) struct volume other = {0};
	bool newest = id->sequence == packer->volume.id.sequence;

	if (!newest && !volume_open_peek(&packer->archive, id, &other, err))
		return false;
	return search_volume(search, packer, newest ? &packer->volume : &other, zstd, err) ||
	       err_wrap(err, "%s", path);
}

bool forget_search_run(
	struct forget_search *search, struct packer *packer, struct zstd *zstd, struct err *err)
{
	CLEANUP(catalogue_volumes_free) struct catalogue_volumes known = {0};

	if (search->count > 0)
		qsort(search->digests, search->count, SHA256_BYTES, by_bytes);
	search->sorted_count = search->messages_count;
	if (search->sorted_count > 0)
		qsort(search->messages, search->sorted_count, sizeof(*search->messages), by_number);
	if (!catalogue_volumes(packer->catalogue, &known, err))
		return false;
	for (size_t i = 0; i < known.count; i++)
		if (!search_one(search, packer, &known.items[i].id, zstd, err))
			return false;
	if (search->volumes_count > 0)
		qsort(search->volumes, search->volumes_count, sizeof(*search->volumes), by_number);
	return true;
}
