/* A message's bytes: stored whole, or joined from a skeleton and its leaves. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "archive/read/reader.h"
#include "mime/base64_lines.h"

enum { SLICE_BYTES = 24 * 1024 /* of a leaf, to be written as base64 at a time */ };

/* The message being read. A small one is handed out only after its digest was checked. */
struct reading {
	struct archive *archive;
	struct byte_sink out;
	struct sha256 *digest;
	uint8_t sha256[SHA256_BYTES];
	int64_t item;
	uint64_t size;
	uint64_t left;
	struct base64_writer writer;
};

static bool find_message(struct reading *reading, int64_t id, struct err *err)
{
	struct db *db = reading->archive->catalogue;
	struct record_message message;
	bool row;

	db_bind_int(db, CATALOGUE_MESSAGE_GET, "id", id);
	if (!db_step(db, CATALOGUE_MESSAGE_GET, &row, err))
		return false;
	if (!row)
		return err_set(err, ERR_NOT_FOUND, "no message %" PRId64, id);
	(void)rows_read_message_numbers(db, CATALOGUE_MESSAGE_GET, 0, &message);
	db_reset(db, CATALOGUE_MESSAGE_GET);
	reading->item = message.item;
	reading->size = message.size;
	reading->left = message.size;
	memcpy(reading->sha256, message.sha256, SHA256_BYTES);
	return true;
}

static bool is_small(const struct reading *reading)
{
	return reading->size <= ARCHIVE_PIECE_BYTES;
}

static bool give(void *context, const uint8_t *data, size_t len, struct err *err)
{
	struct reading *reading = context;

	if (len > reading->left)
		return err_set(err, ERR_CORRUPT, "it is longer than recorded");
	reading->left -= len;
	sha256_add(reading->digest, data, len);
	if (!is_small(reading))
		return reading->out.each(reading->out.context, data, len, err);
	if (!buf_add(&reading->archive->whole, data, len))
		return err_set(err, ERR_CORRUPT, "it is longer than recorded");
	return true;
}

/* --- leaves --- */

static bool give_base64(void *context, const uint8_t *data, size_t len, struct err *err)
{
	struct reading *reading = context;
	struct buf *lines = &reading->archive->lines;

	while (len > 0) {
		size_t part = len < SLICE_BYTES ? len : SLICE_BYTES;
		uint8_t *to;

		buf_reset(lines);
		to = buf_reserve(lines, base64_writer_room(&reading->writer, part));
		assert(to);
		lines->len = base64_writer_add(&reading->writer, data, part, to);
		if (!give(reading, lines->data, lines->len, err))
			return false;
		data += part;
		len -= part;
	}
	return true;
}

static bool end_base64(struct reading *reading, bool crlf, struct err *err)
{
	struct buf *lines = &reading->archive->lines;
	uint8_t *to;

	buf_reset(lines);
	to = buf_reserve(lines, base64_writer_room(&reading->writer, 0));
	assert(to);
	lines->len = base64_writer_end(&reading->writer, crlf, to);
	return give(reading, lines->data, lines->len, err);
}

static bool next_leaf(struct reading *reading, struct item_row *ret_item, struct err *err)
{
	struct db *db = reading->archive->catalogue;
	bool row;

	if (!db_step(db, CATALOGUE_PART_LIST, &row, err))
		return false;
	if (!row)
		return err_set(err, ERR_CORRUPT, "a leaf of it is not catalogued");
	*ret_item = rows_read_item(db, CATALOGUE_PART_LIST);
	return true;
}

static bool give_leaf(struct reading *reading, const struct gap *gap, struct err *err)
{
	struct byte_sink sink = {gap->form == LEAF_BASE64 ? give_base64 : give, reading};
	struct item_row item;

	reading->writer = (struct base64_writer){.line_chars = gap->line_chars};
	return next_leaf(reading, &item, err) && leaf_read(reading->archive, &item, sink, err) &&
	       (gap->form != LEAF_BASE64 || end_base64(reading, gap->crlf, err));
}

/* --- skeletons --- */

static bool collect(void *context, const uint8_t *data, size_t len, struct err *err)
{
	struct buf *to = context;

	return buf_add(to, data, len) ||
	       err_set(err, ERR_CORRUPT, "it is longer than %d bytes", SKELETON_BYTES_MAX);
}

static bool give_pieces(struct reading *reading, struct skeleton *skeleton, struct err *err)
{
	struct skeleton_piece piece;

	while (skeleton_next(skeleton, &piece)) {
		if (!give(reading, piece.text, piece.text_len, err))
			return false;
		if (piece.has_gap && !give_leaf(reading, &piece.gap, err))
			return false;
	}
	return true;
}

static bool join(struct reading *reading, const struct item_row *item, struct err *err)
{
	struct archive *archive = reading->archive;
	struct byte_sink sink = {collect, &archive->skeleton};
	struct skeleton skeleton;
	bool done;

	buf_reset(&archive->skeleton);
	if (!item_read(archive, item, sink, err))
		return false;
	if (!skeleton_open(archive->skeleton.data, archive->skeleton.len, &skeleton))
		return err_set(err, ERR_CORRUPT, "its skeleton is damaged");
	db_bind_int(archive->catalogue, CATALOGUE_PART_LIST, "skeleton", reading->item);
	done = give_pieces(reading, &skeleton, err);
	db_reset(archive->catalogue, CATALOGUE_PART_LIST);
	return done;
}

/* --- all of it --- */

static bool check_digest(struct reading *reading, struct err *err)
{
	uint8_t got[SHA256_BYTES];

	sha256_finish(reading->digest, got);
	if (reading->left > 0)
		return err_set(err, ERR_CORRUPT, "it is shorter than recorded");
	return memcmp(got, reading->sha256, SHA256_BYTES) == 0 ||
	       err_set(err, ERR_CORRUPT, "its SHA-256 differs");
}

static bool read_message(struct reading *reading, struct err *err)
{
	struct archive *archive = reading->archive;
	struct byte_sink sink = {give, reading};
	struct item_row item;

	buf_reset(&archive->whole);
	if (!item_find(archive, reading->item, &item, err))
		return false;
	if (!(item.kind == ITEM_SKELETON ? join(reading, &item, err)
					 : item_read(archive, &item, sink, err)) ||
		!check_digest(reading, err))
		return false;
	if (!is_small(reading))
		return true;
	/* invariant 4: exactly the bytes whose digest was checked */
	assert(reading->left == 0 && archive->whole.len == reading->size);
	return reading->out.each(reading->out.context,
		archive->whole.len ? archive->whole.data : (const uint8_t *)"", archive->whole.len,
		err);
}

bool archive_read_message(struct archive *archive, int64_t message_id,
	bool (*each)(void *context, const uint8_t *data, size_t len, struct err *err),
	void *context, struct err *err)
{
	CLEANUP(sha256_freep) struct sha256 *digest = sha256_new();
	struct reading reading = {.archive = archive, .out = {each, context}, .digest = digest};
	bool ok;

	if (!archive_enter(archive, err))
		return false;
	ok = find_message(&reading, message_id, err) && read_message(&reading, err);
	archive_leave(archive);
	return ok || (err->kind == ERR_CORRUPT && err_wrap(err, "message %" PRId64, message_id));
}
