#include "archive/compact/rewrite_repack.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "archive/catalogue/replay.h"
#include "archive/seal.h"
#include "base/alloc.h"
#include "base/fs.h"

enum size_class { CLASS_SMALL, CLASS_MIDDLE, CLASS_BIG };

struct repack {
	const struct rewrite_plan *plan;
	const struct rewrite_watch *watch;
	struct volume from;
	struct volume made;
	struct source source;
	struct zstd *zstd;
	int64_t next_frame;
	uint64_t transaction_bytes;
	struct buf raw; /* of the frame being made */
	struct buf packed;
	struct directory directory; /* in the order of the plan until complete */
};

void rewrite_plan_free(struct rewrite_plan *plan)
{
	free(plan->items);
	*plan = (struct rewrite_plan){0};
}

bool rewrite_go_on(const struct rewrite_watch *watch, struct err *err)
{
	return !watch->cancel || !cancel_is(watch->cancel) ||
	       err_set(err, ERR_CANCELLED, "stopped");
}

void rewrite_discard(struct volume *made)
{
	CLEANUP(freep) char *path = xstrdup(db_path(made->db));
	struct err unimportant =
		ERR_INIT; /* a file that remains is recognised by its name and removed later */

	volume_close(made);
	(void)db_remove_wal(path, &unimportant);
	(void)fs_remove(path, &unimportant);
}

/* --- frames --- */

/* Checkpoint from time to time, so that the -wal stays small. */
static bool bound_transaction(struct repack *repack, size_t more, struct err *err)
{
	struct db *db = repack->made.db;

	if (repack->transaction_bytes > 0 &&
		repack->transaction_bytes + more > ARCHIVE_TRANSACTION_BYTES) {
		if (!db_commit(db, err) || !db_wal_checkpoint(db, true, err))
			return false;
		repack->transaction_bytes = 0;
	}
	return db_in_transaction(db) || db_begin(db, err);
}

static void pack(struct repack *repack, enum frame_kind kind, enum frame_effort effort,
	struct frame *ret_frame)
{
	frame_pack(repack->zstd, effort, volume_cipher(&repack->made), repack->next_frame, kind,
		&repack->raw, &repack->packed, ret_frame);
}

/* A high level is wasted on incompressible data. */
static void compress_block(struct repack *repack, enum frame_kind kind, struct frame *ret_frame)
{
	if (kind == FRAME_PART) {
		pack(repack, kind, EFFORT_FLOW, ret_frame);
		if ((ret_frame->codec & ~CODEC_ENCRYPTED) == CODEC_STORED)
			return;
	}
	pack(repack, kind, EFFORT_SEAL, ret_frame);
}

/* The content of raw becomes the next frame. */
static bool put_frame(struct repack *repack, enum frame_kind kind, struct err *err)
{
	struct frame frame;

	if (!rewrite_go_on(repack->watch, err))
		return false;
	compress_block(repack, kind, &frame);
	if (!bound_transaction(repack, frame.len, err) ||
		!volume_put_frame(&repack->made, repack->next_frame, &frame, err))
		return false;
	repack->transaction_bytes += frame.len;
	repack->next_frame++;
	buf_reset(&repack->raw);
	if (repack->watch->wrote)
		repack->watch->wrote(repack->watch->context, frame.len);
	return true;
}

/* --- items --- */

static void note(struct repack *repack, const struct source_item *item, uint64_t offset)
{
	struct directory *directory = &repack->directory;

	ARRAY_GROW(directory->items, directory->count, directory->cap);
	directory->items[directory->count++] = (struct directory_entry){
		.item = item->id, .frame = repack->next_frame, .offset = offset};
}

static bool put_among(struct repack *repack, const struct source_item *item, struct err *err)
{
	struct source_item left = *item;
	const uint8_t *data;
	size_t len;
	bool fits;

	if (repack->raw.len + item->size > SEAL_PACK_BYTES && !put_frame(repack, FRAME_PACK, err))
		return false;
	note(repack, item, repack->raw.len);
	if (item->size == 0)
		return true;
	if (!source_take(&repack->source, &left, left.size, &data, &len, err))
		return false;
	if (left.size > 0)
		return err_set(
			err, ERR_CORRUPT, "item %" PRId64 " passes its frame's end", item->id);
	fits = buf_add(&repack->raw, data, len);
	assert(fits);
	return true;
}

static bool put_alone(struct repack *repack, const struct source_item *item, struct err *err)
{
	struct source_item left = *item;

	note(repack, item, 0);
	while (left.size > 0) {
		const uint8_t *data;
		size_t len;
		bool fits;

		if (!source_take(&repack->source, &left, ARCHIVE_PIECE_BYTES - repack->raw.len,
			    &data, &len, err))
			return false;
		fits = buf_add(&repack->raw, data, len);
		assert(fits);
		if ((left.size == 0 || repack->raw.len == ARCHIVE_PIECE_BYTES) &&
			!put_frame(repack, FRAME_PART, err))
			return false;
	}
	return true;
}

/* A compressible item shrinks more beside similar ones. Others, and large ones, stay in frames of
 * their own. */
static bool size_class(struct repack *repack, const struct source_item *item,
	enum size_class *ret_class, struct err *err)
{
	enum frame_kind kind;
	int codec;

	*ret_class = item->size < ARCHIVE_PART_BYTES ? CLASS_SMALL : CLASS_BIG;
	if (*ret_class == CLASS_SMALL || item->size >= SEAL_MIDDLE_BYTES_MAX)
		return true;
	if (!volume_frame_kind(&repack->from, item->frame, &kind, &codec, err))
		return false;
	if ((codec & ~CODEC_ENCRYPTED) != CODEC_STORED)
		*ret_class = CLASS_MIDDLE;
	return true;
}

static bool put_class(struct repack *repack, enum size_class class, struct err *err)
{
	for (size_t i = 0; i < repack->plan->count; i++) {
		const struct source_item *item = &repack->plan->items[i];
		enum size_class own;

		if (!size_class(repack, item, &own, err))
			return false;
		if (own == class &&
			!(class == CLASS_BIG ? put_alone : put_among)(repack, item, err))
			return false;
	}
	return repack->raw.len == 0 || put_frame(repack, FRAME_PACK, err);
}

/* --- journal and directory --- */

/* A journal before the last checkpoint is no longer read, so it is left out. Frames after the last
 * applied payload were never committed. */
static bool put_journal(struct repack *repack, struct err *err)
{
	int64_t applied = repack->plan->volume.applied_frame;
	int64_t frame = 0;

	if (applied == 0)
		return true;
	while (volume_next_journal(&repack->from, frame, &frame, err)) {
		enum frame_kind kind;
		int codec;

		if (frame == 0 || frame > applied)
			return true;
		if (!volume_frame_kind(&repack->from, frame, &kind, &codec, err) ||
			!volume_get_frame(&repack->from, frame, FRAMES_JOURNAL, repack->zstd,
				&repack->raw, err) ||
			!put_frame(repack, kind, err))
			return false;
	}
	return false;
}

static bool put_directory(struct repack *repack, struct err *err)
{
	struct directory *directory = &repack->directory;
	size_t at = 0;

	directory_sort(directory);
	while (at < directory->count) {
		directory_encode(directory, at, &repack->raw, &at);
		if (!put_frame(repack, FRAME_DIRECTORY, err))
			return false;
	}
	return true;
}

/* --- comparing with the original --- */

static bool same_item(struct source *made, struct source *from, const struct directory_entry *place,
	const struct source_item *item, struct err *err)
{
	struct source_item theirs = *item;
	struct source_item ours = {
		.frame = place->frame, .offset = place->offset, .size = item->size};

	while (theirs.size > 0) {
		const uint8_t *wanted, *data;
		size_t len, part;

		if (!source_take(from, &theirs, theirs.size, &wanted, &len, err))
			return false;
		for (; len > 0; wanted += part, len -= part) {
			if (!source_take(made, &ours, len, &data, &part, err))
				return false;
			if (memcmp(data, wanted, part) != 0)
				return err_set(err, ERR_LOCAL, "item %" PRId64 " came out another",
					item->id);
		}
	}
	return true;
}

static bool compare_items(struct repack *repack, struct err *err)
{
	struct source made;
	bool same = true;

	source_init(&made, &repack->made, repack->zstd);
	for (size_t i = 0; same && i < repack->plan->count; i++) {
		const struct source_item *item = &repack->plan->items[i];

		same = same_item(&made, &repack->source,
			directory_find(&repack->directory, item->id), item, err);
		same = same && rewrite_go_on(repack->watch, err);
	}
	source_free(&made);
	return same;
}

/* --- all of it --- */

/*
 * Compares after volume_finish_sealed() has made the file durable, so that what was compared is
 * what replaces the original. Frame ids continue after the original's last one: a frame that a
 * reader cached by sequence and id (read/items.c) is never taken for one of the new file.
 */
static bool write_and_compare(struct repack *repack, struct err *err)
{
	if (!volume_last_frame(&repack->from, &repack->next_frame, err))
		return false;
	if (repack->next_frame >= INT64_MAX / 2) /* only in a damaged file: counting on overflows */
		return err_set(err, ERR_CORRUPT, "%s: its frame ids are used up",
			db_path(repack->from.db));
	repack->next_frame++;
	return put_class(repack, CLASS_SMALL, err) && put_class(repack, CLASS_MIDDLE, err) &&
	       put_class(repack, CLASS_BIG, err) && put_journal(repack, err) &&
	       put_directory(repack, err) &&
	       (!db_in_transaction(repack->made.db) || db_commit(repack->made.db, err)) &&
	       volume_finish_sealed(&repack->made, err) && compare_items(repack, err);
}

static bool repack_opened(struct repack *repack, const struct archive_ref *archive, struct err *err)
{
	if (!volume_open_peek(archive, &repack->plan->volume.id, &repack->from, err) ||
		!volume_create_sealed(archive, &repack->from, &repack->made, err))
		return false;
	source_init(&repack->source, &repack->from, repack->zstd);
	if (write_and_compare(repack, err))
		return true;
	rewrite_discard(&repack->made);
	return false;
}

bool rewrite_repack(const struct archive_ref *archive, const struct rewrite_plan *plan,
	const struct rewrite_watch *watch, struct volume *ret_made, struct directory *ret_directory,
	struct err *err)
{
	struct repack repack = {
		.plan = plan,
		.watch = watch,
		.zstd = zstd_new(),
		.raw = BUF_INIT(FRAME_RAW_BYTES_MAX),
		.packed = BUF_INIT(FRAME_ENCRYPTED_BYTES_MAX),
		.directory.sequence = plan->volume.id.sequence,
	};
	bool made = repack_opened(&repack, archive, err);

	memcpy(repack.directory.replaces, plan->volume.id.uuid, ARCHIVE_UUID_BYTES);
	source_free(&repack.source);
	volume_close(&repack.from);
	zstd_freep(&repack.zstd);
	buf_free(&repack.raw);
	buf_free(&repack.packed);
	if (made) {
		*ret_made = repack.made;
		*ret_directory = repack.directory;
	} else {
		directory_free(&repack.directory);
	}
	return made;
}
