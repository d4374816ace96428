#include "archive/compact/rewrite_rekey.h"

#include <string.h>

#include "archive/catalogue/replay.h"

struct volume_rekey {
	const struct rewrite_watch *watch;
	struct volume from;
	struct volume made;
	uint64_t transaction_bytes;
	struct buf encrypted;
};

/* Checkpoint from time to time, so that the -wal stays small. */
static bool commit_when_large(struct volume_rekey *rekeying, size_t len, struct err *err)
{
	struct db *db = rekeying->made.db;

	rekeying->transaction_bytes += len;
	if (rekeying->transaction_bytes < ARCHIVE_TRANSACTION_BYTES)
		return true;
	rekeying->transaction_bytes = 0;
	return db_commit(db, err) && db_wal_checkpoint(db, true, err) && db_begin(db, err);
}

static bool copy_frames(struct volume_rekey *rekeying, struct err *err)
{
	const struct rewrite_watch *watch = rekeying->watch;
	int64_t frame = 0;
	size_t len;

	if (!db_begin(rekeying->made.db, err))
		return false;
	while (volume_next_frame(&rekeying->from, frame, &frame, err)) {
		if (frame == 0)
			return db_commit(rekeying->made.db, err);
		if (!rewrite_go_on(watch, err) ||
			!volume_reencrypt_frame(&rekeying->from, &rekeying->made, frame,
				&rekeying->encrypted, &len, err) ||
			!commit_when_large(rekeying, len, err))
			return false;
		if (watch->wrote)
			watch->wrote(watch->context, len);
	}
	return false;
}

/* Every decrypted frame of one is the same in the other. */
static bool compare_frames(struct volume_rekey *rekeying, struct err *err)
{
	uint64_t wanted, there;
	int64_t frame = 0;
	bool same;

	if (!volume_count_frames(&rekeying->from, &wanted, err) ||
		!volume_count_frames(&rekeying->made, &there, err))
		return false;
	if (wanted != there)
		return err_set(err, ERR_LOCAL, "frames went missing");
	while (volume_next_frame(&rekeying->made, frame, &frame, err)) {
		if (frame == 0)
			return true;
		if (!rewrite_go_on(rekeying->watch, err) ||
			!volume_same_frame(&rekeying->from, &rekeying->made, frame, &same, err))
			return false;
		if (!same)
			return err_set(err, ERR_LOCAL, "a frame came out another");
	}
	return false;
}

/* Compares after volume_finish_sealed() has made the file durable, so that what was compared is
 * what replaces the original. */
static bool rekey_opened(struct volume_rekey *rekeying, const struct archive_ref *archive,
	const struct rewrite_plan *plan, struct directory *ret_directory, struct err *err)
{
	CLEANUP(zstd_freep) struct zstd *zstd = zstd_new();

	if (!volume_open_peek(archive, &plan->volume.id, &rekeying->from, err) ||
		!volume_create_sealed(archive, &rekeying->from, &rekeying->made, err))
		return false;
	if (copy_frames(rekeying, err) && volume_finish_sealed(&rekeying->made, err) &&
		compare_frames(rekeying, err) &&
		directory_read(&rekeying->made, zstd, ret_directory, err))
		return true;
	rewrite_discard(&rekeying->made);
	return false;
}

bool rewrite_rekey(const struct archive_ref *archive, const struct rewrite_plan *plan,
	const struct rewrite_watch *watch, struct volume *ret_made, struct directory *ret_directory,
	struct err *err)
{
	struct volume_rekey rekeying = {
		.watch = watch, .encrypted = BUF_INIT(FRAME_ENCRYPTED_BYTES_MAX)};
	bool made = rekey_opened(&rekeying, archive, plan, ret_directory, err);

	volume_close(&rekeying.from);
	buf_free(&rekeying.encrypted);
	if (made)
		*ret_made = rekeying.made;
	return made;
}
