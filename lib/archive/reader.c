#include "archive/reader.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive/replay.h"
#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"

static bool exists_with(const char *path, const char *suffix)
{
	CLEANUP(freep) char *name = str_printf("%s%s", path, suffix);

	return fs_exists(name);
}

/*
 * Without a -wal nothing is to be seen but the file itself. With one, the -shm is shared with
 * whoever writes; where it cannot be made, nobody writes.
 */
static enum db_mode reading_mode(const char *archive_path, const char *db_path, bool may_peek)
{
	if (may_peek)
		return replay_peek_mode(db_path);
	if (!exists_with(db_path, "-wal"))
		return DB_IMMUTABLE;
	if (!exists_with(db_path, "-shm") && access(archive_path, W_OK) != 0)
		return DB_PEEK;
	return DB_READ;
}

static void close_all(struct archive *archive)
{
	for (size_t i = 0; i < ARCHIVE_OPEN_VOLUMES; i++)
		volume_close(&archive->volumes[i]);
	db_freep(&archive->catalogue);
}

static bool open_catalogue(struct archive *archive, struct err *err)
{
	CLEANUP(freep) char *path = catalogue_path(archive->path);

	close_all(archive);
	if (!fs_exists(path))
		return err_set(err, ERR_CORRUPT, "%s: is missing; run `mailstow rebuild`", path);
	archive->mode = reading_mode(archive->path, path, archive->may_peek);
	if (!catalogue_open(archive->path, archive->mode, &archive->catalogue, err))
		return false;
	archive->reopen = false;
	atomic_store(&archive->peeks, archive->may_peek);
	return true;
}

bool archive_open_view(
	const char *path, bool may_peek, struct archive **ret_archive, struct err *err)
{
	CLEANUP(archive_freep) struct archive *archive = NULL;

	if (!archive_exists(path))
		return err_set(err, ERR_NOT_FOUND, "%s: there is no archive", path);
	archive = xcalloc(1, sizeof(*archive));
	archive->path = xstrdup(path);
	archive->may_peek = may_peek;
	archive->zstd = zstd_new();
	buf_init(&archive->raw, FRAME_RAW_BYTES_MAX);
	if (!open_catalogue(archive, err))
		return false;
	*ret_archive = TAKE(archive);
	return true;
}

bool archive_open(const char *path, struct archive **ret_archive, struct err *err)
{
	return archive_open_view(path, false, ret_archive, err);
}

void archive_freep(struct archive **archive)
{
	struct archive *old = *archive;

	if (!old)
		return;
	close_all(old);
	zstd_freep(&old->zstd);
	buf_free(&old->raw);
	free(old->path);
	free(old);
	*archive = NULL;
}

bool archive_stop_peeking(struct archive *archive, struct err *err)
{
	archive->may_peek = false;
	archive->reopen = true;
	return archive->depth > 0 || open_catalogue(archive, err);
}

/* A catalogue without a -wal may have been given one since. */
static bool must_reopen(const struct archive *archive)
{
	return archive->reopen || (archive->mode == DB_IMMUTABLE && !archive->may_peek &&
					  exists_with(db_path(archive->catalogue), "-wal"));
}

bool archive_enter(struct archive *archive, struct err *err)
{
	if (archive->depth == 0) {
		if (must_reopen(archive) && !open_catalogue(archive, err))
			return false;
		if (!db_begin_read(archive->catalogue, err))
			return false;
	}
	archive->depth++;
	return true;
}

void archive_leave(struct archive *archive)
{
	assert(archive->depth > 0);
	if (--archive->depth == 0)
		db_end_read(archive->catalogue);
}

/* --- bytes --- */

static bool open_volume(
	struct archive *archive, int64_t sequence, struct volume *ret_volume, struct err *err)
{
	struct catalogue_volume known;
	CLEANUP(freep) char *path = NULL;
	enum db_mode mode = DB_IMMUTABLE;
	bool found;

	if (!catalogue_volume(archive->catalogue, sequence, &found, &known, err))
		return false;
	if (!found)
		return err_set(err, ERR_CORRUPT, "%s: volume %" PRId64 " is not catalogued",
			archive->path, sequence);
	path = volume_path(archive->path, &known.id);
	if (known.state == VOLUME_OPEN)
		mode = reading_mode(archive->path, path, archive->may_peek);
	return volume_open(archive->path, &known.id, mode, ret_volume, err);
}

static bool use_volume(
	struct archive *archive, int64_t sequence, struct volume **ret_volume, struct err *err)
{
	struct volume used = {0};
	size_t at = 0;

	while (at < ARCHIVE_OPEN_VOLUMES - 1 && archive->volumes[at].db &&
		archive->volumes[at].id.sequence != sequence)
		at++;
	if (archive->volumes[at].db && archive->volumes[at].id.sequence == sequence) {
		used = archive->volumes[at];
	} else {
		if (!open_volume(archive, sequence, &used, err))
			return false;
		volume_close(&archive->volumes[at]);
	}
	memmove(archive->volumes + 1, archive->volumes, at * sizeof(used));
	archive->volumes[0] = used;
	*ret_volume = &archive->volumes[0];
	return true;
}

struct place {
	int64_t volume;
	int64_t frame;
	uint64_t offset;
	uint64_t size;
};

static bool read_frame(
	struct archive *archive, int64_t volume_sequence, int64_t frame_id, struct err *err)
{
	struct volume *volume;

	if (archive->raw_frame == frame_id && archive->raw_volume == volume_sequence)
		return true;
	archive->raw_frame = 0;
	if (!use_volume(archive, volume_sequence, &volume, err) ||
		!volume_get_frame(volume, frame_id, false, archive->zstd, &archive->raw, err))
		return false;
	archive->raw_frame = frame_id;
	archive->raw_volume = volume_sequence;
	return true;
}

static bool find_item(
	struct archive *archive, int64_t item, struct place *ret_place, struct err *err)
{
	struct db *db = archive->catalogue;
	bool row;

	db_bind_int(db, CATALOGUE_ITEM_GET, "id", item);
	if (!db_step(db, CATALOGUE_ITEM_GET, &row, err))
		return false;
	if (!row)
		return err_set(err, ERR_CORRUPT, "%s: item %" PRId64 " is not catalogued",
			archive->path, item);
	*ret_place = (struct place){
		.volume = db_int(db, CATALOGUE_ITEM_GET, 1),
		.frame = db_int(db, CATALOGUE_ITEM_GET, 2),
		.offset = (uint64_t)db_int(db, CATALOGUE_ITEM_GET, 3),
		.size = (uint64_t)db_int(db, CATALOGUE_ITEM_GET, 4),
	};
	db_reset(db, CATALOGUE_ITEM_GET);
	return true;
}

static bool find_message(struct archive *archive, int64_t id, struct place *ret_place,
	uint8_t ret_sha256[SHA256_BYTES], struct err *err)
{
	struct db *db = archive->catalogue;
	const void *sha256;
	int64_t item;
	int64_t size;
	size_t len;
	bool row;

	db_bind_int(db, CATALOGUE_MESSAGE_GET, "id", id);
	if (!db_step(db, CATALOGUE_MESSAGE_GET, &row, err))
		return false;
	if (!row)
		return err_set(err, ERR_NOT_FOUND, "no message %" PRId64, id);
	item = db_int(db, CATALOGUE_MESSAGE_GET, 0);
	size = db_int(db, CATALOGUE_MESSAGE_GET, 1);
	sha256 = db_blob(db, CATALOGUE_MESSAGE_GET, 2, &len);
	memset(ret_sha256, 0, SHA256_BYTES);
	memcpy(ret_sha256, sha256, len < SHA256_BYTES ? len : SHA256_BYTES);
	db_reset(db, CATALOGUE_MESSAGE_GET);
	if (!find_item(archive, item, ret_place, err))
		return false;
	if (ret_place->size != (uint64_t)size)
		return err_set(err, ERR_CORRUPT, "its item has another size");
	return true;
}

struct sink {
	bool (*each)(void *context, const uint8_t *data, size_t len, struct err *err);
	void *context;
};

static bool check_digest(struct sha256 *digest, const uint8_t wanted[SHA256_BYTES], struct err *err)
{
	uint8_t got[SHA256_BYTES];

	sha256_finish(digest, got);
	return memcmp(got, wanted, SHA256_BYTES) == 0 ||
	       err_set(err, ERR_CORRUPT, "its SHA-256 differs");
}

/* All in one frame: checked before anything is given. */
static bool read_small(struct archive *archive, const struct place *place,
	const uint8_t sha256[SHA256_BYTES], struct sha256 *digest, struct sink sink,
	struct err *err)
{
	const uint8_t *data = (const uint8_t *)"";

	if (place->size > 0) {
		if (!read_frame(archive, place->volume, place->frame, err))
			return false;
		if (place->offset > archive->raw.len ||
			place->size > archive->raw.len - place->offset)
			return err_set(err, ERR_CORRUPT, "it passes the end of its frame");
		data = archive->raw.data + place->offset;
	}
	sha256_add(digest, data, place->size);
	return check_digest(digest, sha256, err) && sink.each(sink.context, data, place->size, err);
}

static bool read_big(struct archive *archive, const struct place *place,
	const uint8_t sha256[SHA256_BYTES], struct sha256 *digest, struct sink sink,
	struct err *err)
{
	uint64_t left = place->size;

	for (int64_t frame = place->frame; left > 0; frame++) {
		size_t wanted = left < ARCHIVE_PIECE_BYTES ? left : ARCHIVE_PIECE_BYTES;

		if (!read_frame(archive, place->volume, frame, err))
			return false;
		if (archive->raw.len != wanted)
			return err_set(err, ERR_CORRUPT, "a piece has another length");
		sha256_add(digest, archive->raw.data, wanted);
		if (!sink.each(sink.context, archive->raw.data, wanted, err))
			return false;
		left -= wanted;
	}
	return check_digest(digest, sha256, err);
}

bool archive_read_message(struct archive *archive, int64_t message_id,
	bool (*each)(void *context, const uint8_t *data, size_t len, struct err *err),
	void *context, struct err *err)
{
	CLEANUP(sha256_freep) struct sha256 *digest = sha256_new();
	struct sink sink = {each, context};
	uint8_t sha256[SHA256_BYTES];
	struct place place = {0};
	bool ok;

	if (!archive_enter(archive, err))
		return false;
	ok = find_message(archive, message_id, &place, sha256, err);
	if (ok)
		ok = (place.size <= ARCHIVE_PIECE_BYTES ? read_small : read_big)(
			archive, &place, sha256, digest, sink, err);
	archive_leave(archive);
	return ok || (err->kind == ERR_CORRUPT && err_wrap(err, "message %" PRId64, message_id));
}
