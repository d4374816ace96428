/* The frames of a volume. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "archive/volume/volume.h"
#include "archive/volume/volume_sql.h"

bool volume_put_frame(
	struct volume *volume, int64_t frame_id, const struct frame *frame, struct err *err)
{
	struct db *db = volume->db;

	db_bind_int(db, VOLUME_FRAME_PUT, "id", frame_id);
	db_bind_int(db, VOLUME_FRAME_PUT, "kind", frame->kind);
	db_bind_int(db, VOLUME_FRAME_PUT, "codec", frame->codec);
	db_bind_int(db, VOLUME_FRAME_PUT, "rawlen", (int64_t)frame->raw_len);
	db_bind_blob(db, VOLUME_FRAME_PUT, "sha256", frame->sha256, SHA256_BYTES);
	db_bind_blob(db, VOLUME_FRAME_PUT, "data", frame->data, frame->len);
	return db_run(db, VOLUME_FRAME_PUT, err);
}

static enum frame_sort sort_of(enum frame_kind kind)
{
	switch (kind) {
	case FRAME_JOURNAL:
	case FRAME_CHECKPOINT:
		return FRAMES_JOURNAL;
	case FRAME_DIRECTORY:
		return FRAMES_DIRECTORY;
	case FRAME_PACK:
	case FRAME_PART:
		break;
	}
	return FRAMES_DATA;
}

/* The current row of frame_get; its data is valid until the statement is reset. */
static bool read_row(struct db *db, struct frame *ret_frame, struct err *err)
{
	int64_t raw_len = db_int(db, VOLUME_FRAME_GET, 2);
	size_t sha256_len;
	const void *sha256 = db_blob(db, VOLUME_FRAME_GET, 3, &sha256_len);

	if (sha256_len != SHA256_BYTES)
		return err_set(err, ERR_CORRUPT, "has no SHA-256");
	*ret_frame = (struct frame){
		.kind = (enum frame_kind)db_int(db, VOLUME_FRAME_GET, 0),
		.codec = (int)db_int(db, VOLUME_FRAME_GET, 1),
		.raw_len = raw_len < 0 ? SIZE_MAX : (size_t)raw_len,
	};
	memcpy(ret_frame->sha256, sha256, SHA256_BYTES);
	ret_frame->data = db_blob(db, VOLUME_FRAME_GET, 4, &ret_frame->len);
	return true;
}

static bool unpack_row(struct volume *volume, int64_t frame_id, enum frame_sort sort,
	struct zstd *zstd, struct buf *ret_raw, struct err *err)
{
	struct frame frame;

	if (!read_row(volume->db, &frame, err))
		return false;
	if (sort_of(frame.kind) != sort)
		return err_set(err, ERR_CORRUPT, "is of the wrong kind");
	return frame_unpack(zstd, volume_cipher(volume), frame_id, &frame, ret_raw, err);
}

/* On success a row is current: the caller resets the statement. */
static bool step_to(struct db *db, int64_t frame_id, struct err *err)
{
	bool row;

	db_bind_int(db, VOLUME_FRAME_GET, "id", frame_id);
	if (!db_step(db, VOLUME_FRAME_GET, &row, err))
		return false;
	return row ||
	       err_set(err, ERR_CORRUPT, "%s: frame %" PRId64 " is missing", db_path(db), frame_id);
}

bool volume_reencrypt_frame(struct volume *from, struct volume *to, int64_t frame_id,
	struct buf *out, size_t *ret_len, struct err *err)
{
	struct frame frame, sealed;
	bool ok;

	if (!step_to(from->db, frame_id, err))
		return false;
	ok = read_row(from->db, &frame, err) &&
	     frame_reencrypt(
		     volume_cipher(from), volume_cipher(to), frame_id, &frame, out, &sealed, err);
	db_reset(from->db, VOLUME_FRAME_GET);
	if (!ok)
		return err_wrap(err, "%s: frame %" PRId64, db_path(from->db), frame_id);
	*ret_len = sealed.len;
	return volume_put_frame(to, frame_id, &sealed, err);
}

bool volume_same_frame(
	struct volume *from, struct volume *to, int64_t frame_id, bool *ret_same, struct err *err)
{
	struct frame frame, sealed;
	bool ok;

	if (!step_to(from->db, frame_id, err))
		return false;
	ok = step_to(to->db, frame_id, err) && read_row(from->db, &frame, err) &&
	     read_row(to->db, &sealed, err) &&
	     frame_same(volume_cipher(from), &frame, volume_cipher(to), &sealed, frame_id, ret_same,
		     err);
	db_reset(from->db, VOLUME_FRAME_GET);
	db_reset(to->db, VOLUME_FRAME_GET);
	return ok || err_wrap(err, "%s: frame %" PRId64, db_path(from->db), frame_id);
}

bool volume_get_frame(struct volume *volume, int64_t frame_id, enum frame_sort sort,
	struct zstd *zstd, struct buf *ret_raw, struct err *err)
{
	struct db *db = volume->db;
	bool ok;

	if (!step_to(db, frame_id, err))
		return false;
	ok = unpack_row(volume, frame_id, sort, zstd, ret_raw, err);
	db_reset(db, VOLUME_FRAME_GET);
	return ok || err_wrap(err, "%s: frame %" PRId64, db_path(db), frame_id);
}

bool volume_frame_kind(struct volume *volume, int64_t frame_id, enum frame_kind *ret_kind,
	int *ret_codec, struct err *err)
{
	struct db *db = volume->db;
	bool row;

	db_bind_int(db, VOLUME_FRAME_KIND, "id", frame_id);
	if (!db_step(db, VOLUME_FRAME_KIND, &row, err))
		return false;
	if (!row)
		return err_set(err, ERR_CORRUPT, "frame %" PRId64 " is missing", frame_id);
	*ret_kind = (enum frame_kind)db_int(db, VOLUME_FRAME_KIND, 0);
	*ret_codec = (int)db_int(db, VOLUME_FRAME_KIND, 1);
	db_reset(db, VOLUME_FRAME_KIND);
	return true;
}

bool volume_check_frame(struct volume *volume, int64_t frame_id, struct err *err)
{
	struct db *db = volume->db;
	uint8_t digest[SHA256_BYTES];
	size_t len, sha256_len;
	const void *data, *sha256;
	bool row, same;

	db_bind_int(db, VOLUME_FRAME_GET, "id", frame_id);
	if (!db_step(db, VOLUME_FRAME_GET, &row, err))
		return err_wrap(err, "frame %" PRId64, frame_id);
	if (!row)
		return err_set(err, ERR_CORRUPT, "frame %" PRId64 " is missing", frame_id);
	sha256 = db_blob(db, VOLUME_FRAME_GET, 3, &sha256_len);
	data = db_blob(db, VOLUME_FRAME_GET, 4, &len);
	sha256_of(data, len, digest);
	same = sha256_len == SHA256_BYTES && memcmp(digest, sha256, SHA256_BYTES) == 0;
	db_reset(db, VOLUME_FRAME_GET);
	return same || err_set(err, ERR_CORRUPT, "frame %" PRId64 " is damaged", frame_id);
}

bool volume_count_frames(struct volume *volume, uint64_t *ret_count, struct err *err)
{
	bool row;

	if (!db_step(volume->db, VOLUME_FRAME_COUNT, &row, err))
		return false;
	assert(row);
	*ret_count = (uint64_t)db_int(volume->db, VOLUME_FRAME_COUNT, 0);
	db_reset(volume->db, VOLUME_FRAME_COUNT);
	return true;
}

bool volume_remove_frames(struct volume *volume, int64_t first, int64_t last, struct err *err)
{
	/* a writer removes only what it or an interrupted one added to the open volume */
	assert(!volume->sealed);
	db_bind_int(volume->db, VOLUME_FRAME_REMOVE, "first", first);
	db_bind_int(volume->db, VOLUME_FRAME_REMOVE, "last", last);
	return db_run(volume->db, VOLUME_FRAME_REMOVE, err);
}

bool volume_last_frame(struct volume *volume, int64_t *ret_id, struct err *err)
{
	bool row;

	if (!db_step(volume->db, VOLUME_FRAME_LAST_ID, &row, err))
		return false;
	assert(row);
	*ret_id = db_int(volume->db, VOLUME_FRAME_LAST_ID, 0);
	db_reset(volume->db, VOLUME_FRAME_LAST_ID);
	return true;
}

static bool next_frame(
	struct volume *volume, size_t query, int64_t after, int64_t *ret_id, struct err *err)
{
	bool row;

	db_bind_int(volume->db, query, "after", after);
	if (!db_step(volume->db, query, &row, err))
		return false;
	*ret_id = row ? db_int(volume->db, query, 0) : 0;
	if (row)
		db_reset(volume->db, query);
	return true;
}

bool volume_next_frame(struct volume *volume, int64_t after, int64_t *ret_id, struct err *err)
{
	return next_frame(volume, VOLUME_FRAME_NEXT, after, ret_id, err);
}

bool volume_next_journal(struct volume *volume, int64_t after, int64_t *ret_id, struct err *err)
{
	return next_frame(volume, VOLUME_JOURNAL_NEXT, after, ret_id, err);
}

bool volume_last_journal(struct volume *volume, int64_t *ret_id, struct err *err)
{
	bool row;

	if (!db_step(volume->db, VOLUME_JOURNAL_LAST, &row, err))
		return false;
	assert(row);
	*ret_id = db_int(volume->db, VOLUME_JOURNAL_LAST, 0);
	db_reset(volume->db, VOLUME_JOURNAL_LAST);
	return true;
}

bool volume_next_directory(struct volume *volume, int64_t after, int64_t *ret_id, struct err *err)
{
	return next_frame(volume, VOLUME_DIRECTORY_NEXT, after, ret_id, err);
}
