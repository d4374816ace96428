/* Items: finding and reading their bytes. */
#include <inttypes.h>
#include <string.h>

#include "archive/read/reader.h"
#include "base/alloc.h"

/* --- volumes --- */

static bool find_volume(struct archive *archive, int64_t sequence,
	struct catalogue_volume *ret_known, struct err *err)
{
	bool found;

	if (!catalogue_volume(archive->catalogue, sequence, &found, ret_known, err))
		return false;
	return found || err_set(err, ERR_CORRUPT, "%s: volume %" PRId64 " is not catalogued",
				archive->ref.path, sequence);
}

static bool open_volume(struct archive *archive, const struct catalogue_volume *known,
	struct volume *ret_volume, struct err *err)
{
	CLEANUP(freep) char *path = layout_volume_path(archive->ref.path, &known->id);
	enum db_mode mode = DB_IMMUTABLE;

	/* only the newest volume changes; the others are complete without a -wal */
	if (known->state == VOLUME_OPEN)
		mode = archive_reading_mode(archive->ref.path, path, archive->may_peek);
	return volume_open(&archive->ref, &known->id, mode, ret_volume, err);
}

static bool is_open(const struct volume *volume, const struct volume_id *id)
{
	return volume->db && memcmp(volume->id.uuid, id->uuid, ARCHIVE_UUID_BYTES) == 0;
}

bool archive_use_volume(
	struct archive *archive, int64_t sequence, struct volume **ret_volume, struct err *err)
{
	struct catalogue_volume known;
	struct volume used = {0};
	size_t at = 0;

	if (!find_volume(archive, sequence, &known, err))
		return false;
	while (at < ARCHIVE_OPEN_VOLUMES - 1 && archive->volumes[at].db &&
		!is_open(&archive->volumes[at], &known.id))
		at++;
	if (is_open(&archive->volumes[at], &known.id)) {
		used = archive->volumes[at];
	} else {
		if (!open_volume(archive, &known, &used, err))
			return false;
		volume_close(&archive->volumes[at]);
	}
	memmove(archive->volumes + 1, archive->volumes, at * sizeof(used));
	archive->volumes[0] = used;
	*ret_volume = &archive->volumes[0];
	return true;
}

/* --- frames --- */

static struct cached_frame *find_cached(struct archive *archive, int64_t volume, int64_t frame)
{
	for (size_t i = 0; i < ARCHIVE_CACHED_FRAMES; i++)
		if (archive->frames[i].frame == frame && archive->frames[i].volume == volume)
			return &archive->frames[i];
	return NULL;
}

static struct cached_frame *least_used(struct archive *archive)
{
	struct cached_frame *least = &archive->frames[0];

	for (size_t i = 1; i < ARCHIVE_CACHED_FRAMES; i++)
		if (archive->frames[i].used < least->used)
			least = &archive->frames[i];
	return least;
}

static void drop(struct cached_frame *frame)
{
	frame->frame = 0;
	frame->used = 0;
	buf_free(&frame->raw);
}

/* A slot for one more frame; the least recently used are dropped until it fits. */
static struct cached_frame *make_room(struct archive *archive)
{
	struct cached_frame *free_one = least_used(archive);
	size_t bytes = 0;

	drop(free_one);
	for (size_t i = 0; i < ARCHIVE_CACHED_FRAMES; i++)
		bytes += archive->frames[i].raw.cap;
	while (bytes > ARCHIVE_CACHED_BYTES) {
		struct cached_frame *oldest = NULL;

		for (size_t i = 0; i < ARCHIVE_CACHED_FRAMES; i++)
			if (archive->frames[i].raw.cap > 0 &&
				(!oldest || archive->frames[i].used < oldest->used))
				oldest = &archive->frames[i];
		bytes -= oldest->raw.cap;
		drop(oldest);
	}
	return free_one;
}

static bool read_frame(struct archive *archive, int64_t sequence, int64_t frame,
	const struct buf **ret_raw, struct err *err)
{
	struct cached_frame *cached = find_cached(archive, sequence, frame);
	struct volume *volume;

	if (!cached) {
		cached = make_room(archive);
		if (!archive_use_volume(archive, sequence, &volume, err) ||
			!volume_get_frame(
				volume, frame, FRAMES_DATA, archive->zstd, &cached->raw, err))
			return false;
		/* only now: a frame that could not be read leaves the slot empty */
		cached->frame = frame;
		cached->volume = sequence;
	}
	cached->used = ++archive->uses;
	*ret_raw = &cached->raw;
	return true;
}

/* --- items --- */

bool item_find(struct archive *archive, int64_t item, struct item_row *ret_item, struct err *err)
{
	struct db *db = archive->catalogue;
	bool row;

	db_bind_int(db, CATALOGUE_ITEM_GET, "id", item);
	if (!db_step(db, CATALOGUE_ITEM_GET, &row, err))
		return false;
	if (!row)
		return err_set(err, ERR_CORRUPT, "%s: item %" PRId64 " is not catalogued",
			archive->ref.path, item);
	*ret_item = rows_read_item(db, CATALOGUE_ITEM_GET);
	db_reset(db, CATALOGUE_ITEM_GET);
	return true;
}

bool item_read(struct archive *archive, const struct item_row *item, struct byte_sink sink,
	struct err *err)
{
	uint64_t offset = item->offset;
	uint64_t left = item->size;

	for (int64_t frame = item->frame; left > 0; frame++) {
		const struct buf *raw;
		uint64_t len;

		if (!read_frame(archive, item->volume, frame, &raw, err))
			return false;
		if (offset >= raw->len)
			return err_set(err, ERR_CORRUPT, "it extends past the end of its frame");
		len = raw->len - offset < left ? raw->len - offset : left;
		if (!sink.each(sink.context, raw->data + offset, len, err))
			return false;
		left -= len;
		offset = 0;
	}
	return true;
}

/* --- leaves --- */

static bool collect(void *context, const uint8_t *data, size_t len, struct err *err)
{
	return buf_add(context, data, len) ||
	       err_set(err, ERR_CORRUPT, "it is longer than recorded");
}

static bool fill_leaf(struct archive *archive, struct cached_leaf *leaf,
	const struct item_row *item, struct err *err)
{
	if (item_read(archive, item, (struct byte_sink){collect, &leaf->bytes}, err)) {
		leaf_cache_keep(archive->leaf_cache, leaf);
		return true;
	}
	buf_free(&leaf->bytes);
	return false;
}

bool leaf_read(struct archive *archive, const struct item_row *item, struct byte_sink sink,
	struct err *err)
{
	struct cached_leaf *kept = leaf_cache_find(archive->leaf_cache, item->id, item->size);
	bool done;

	if (!kept)
		return item_read(archive, item, sink, err);
	if (kept->bytes.len == 0 && !fill_leaf(archive, kept, item, err))
		return false;
	done = sink.each(sink.context, kept->bytes.data, kept->bytes.len, err);
	leaf_cache_done(archive->leaf_cache, kept);
	return done;
}
