/*
 * Volumes: the files that hold an archive's bytes, volumes/<sequence>-<uuid>.vol. The volume with
 * the highest sequence is open for writing; the others never change.
 */
#ifndef MAILSTOW_ARCHIVE_VOLUME_VOLUME_H
#define MAILSTOW_ARCHIVE_VOLUME_VOLUME_H

#include "archive/archive.h"
#include "archive/format/frame.h"
#include "archive/format/layout.h"
#include "archive/unlock.h"
#include "archive/volume/volume_header.h"
#include "archive/volume/volume_list.h"
#include "db/db.h"

/*
 * The numbers are the format's.
 *
 *	       roll         repack, rekey
 *	OPEN ------> FULL ----------------> SEALED ---+
 *	              |                    |  ^  ^    | rekey
 *	       forget |             forget |  |  +----+
 *	              v                    |  |
 *	            DOOMED <---------------+  |
 *	              |         rekey         |
 *	              +-----------------------+
 *
 *	FULL, SEALED, DOOMED ----> no row, then no file    (compact/reclaim)
 *
 * OPEN    the newest volume; catalogue_add_volume() enters it: creation, packer_roll, replay.
 * FULL    set by packer_roll with the entry of the next one. A crash before that entry leaves it
 *         to replay (close_older_volumes()).
 * SEALED  rewritten under the same sequence and immutable. The query volume_replace sets it,
 *         whatever the state was: seal, rekey, or replay after a crash of theirs. A rebuild
 *         sets it in close_older_volumes().
 * DOOMED  marked for removal, because erased messages are in it: forget. The next prune, forget
 *         or rekey copies its live items out and removes it. A rekey that is already past that
 *         step rewrites the volume instead, with only its live items.
 *
 * Reclaim also removes sparse volumes (prune, forget, rekey) and merges small sealed ones (seal).
 *
 * A journal checkpoint records only whether a volume is DOOMED; applying one derives the other
 * states from the volumes themselves (state_of() in catalogue/journal_checkpoint).
 */
enum volume_state { VOLUME_OPEN = 1, VOLUME_FULL = 2, VOLUME_SEALED = 3, VOLUME_DOOMED = 4 };

struct volume {
	struct db *db;
	struct volume_id id;
	struct frame_cipher cipher; /* its gcm is NULL: plain */
	bool sealed;
	bool outdated; /* under the previous master key: nothing is added (keys/keys.h) */
};

/* Random, of version 4 (RFC 9562). */
void volume_new_uuid(uint8_t out[ARCHIVE_UUID_BYTES]);

/* The owner epoch of a new archive; adopting it (adopt.h) begins the next one. */
enum { VOLUME_OWNER_EPOCH_FIRST = 1 };

/* Create an empty volume, durably; in an encrypted archive under its keys and with a copy of its
 * keyring. */
bool volume_create(const struct archive_ref *archive,
	const uint8_t archive_uuid[ARCHIVE_UUID_BYTES], int64_t sequence, int64_t owner_epoch,
	struct volume_id *ret_id, struct err *err);

/* ERR_CORRUPT: it is missing, or another volume has its name. */
bool volume_open(const struct archive_ref *archive, const struct volume_id *id, enum db_mode mode,
	struct volume *ret_volume, struct err *err);
/* Open a volume to read while nobody writes to it; changes nothing on disk. */
bool volume_open_peek(const struct archive_ref *archive, const struct volume_id *id,
	struct volume *ret_volume, struct err *err);
void volume_close(struct volume *volume); /* also for CLEANUP(), and when it is {0} */

/* What its frames are encrypted with. NULL: plain. Lives as long as the volume is open. */
const struct frame_cipher *volume_cipher(const struct volume *volume);

/* The archive's uuid, as the volume's header says. */
bool volume_archive_uuid(
	struct volume *volume, uint8_t ret_uuid[ARCHIVE_UUID_BYTES], struct err *err);
/* The owner epoch it was created in. */
bool volume_owner_epoch(struct volume *volume, int64_t *ret_epoch, struct err *err);

/* --- sealed volumes (seal.h) --- */

/* Start a volume that will replace another: open for writing, under a temporary name. */
bool volume_create_sealed(const struct archive_ref *archive, struct volume *instead,
	struct volume *ret_volume, struct err *err);
/* All frames are written: write the root, and checkpoint the -wal. */
bool volume_finish_sealed(struct volume *volume, struct err *err);
/* Close it, make it read-only, and rename it durably: from then on it counts. */
bool volume_publish_sealed(const char *archive_path, struct volume *volume, struct err *err);

/* The uuid of the volume that a sealed one replaced. */
bool volume_replaces(struct volume *volume, uint8_t ret_uuid[ARCHIVE_UUID_BYTES], struct err *err);

/* SHA-256 over the ids and digests of its frames. check: does a sealed volume's header agree? */
bool volume_root(struct volume *volume, uint8_t ret_root[SHA256_BYTES], struct err *err);
bool volume_check_root(struct volume *volume, struct err *err);

/* --- frames --- */

bool volume_put_frame(
	struct volume *volume, int64_t frame_id, const struct frame *frame, struct err *err);

enum frame_sort { FRAMES_DATA, FRAMES_JOURNAL /* and checkpoints */, FRAMES_DIRECTORY };

/* Read, check and decompress a frame. ERR_CORRUPT: missing, damaged, or of another sort. */
bool volume_get_frame(struct volume *volume, int64_t frame_id, enum frame_sort sort,
	struct zstd *zstd, struct buf *ret_raw, struct err *err);

/* ERR_CORRUPT: it is missing. */
bool volume_frame_kind(struct volume *volume, int64_t frame_id, enum frame_kind *ret_kind,
	int *ret_codec, struct err *err);

/* Check that a frame exists and has its digest, without decompressing. ERR_CORRUPT. */
bool volume_check_frame(struct volume *volume, int64_t frame_id, struct err *err);

/* Copy a frame into another volume, encrypted under that one's key. out is scratch; *ret_len: the
 * stored length. */
bool volume_reencrypt_frame(struct volume *from, struct volume *to, int64_t frame_id,
	struct buf *out, size_t *ret_len, struct err *err);

/* Is it the same frame in both volumes? */
bool volume_same_frame(
	struct volume *from, struct volume *to, int64_t frame_id, bool *ret_same, struct err *err);

/* The frame that follows `after`; *ret_id 0: none. */
bool volume_next_frame(struct volume *volume, int64_t after, int64_t *ret_id, struct err *err);

bool volume_count_frames(struct volume *volume, uint64_t *ret_count, struct err *err);

/* Remove frames first..last that no journal frame names. */
bool volume_remove_frames(struct volume *volume, int64_t first, int64_t last, struct err *err);

/* The highest frame id ever used in it, 0: none. */
bool volume_last_frame(struct volume *volume, int64_t *ret_id, struct err *err);

/* The directory frame that follows `after`; *ret_id 0: none. */
bool volume_next_directory(struct volume *volume, int64_t after, int64_t *ret_id, struct err *err);

/* The last journal or checkpoint frame; *ret_id 0: none. */
bool volume_last_journal(struct volume *volume, int64_t *ret_id, struct err *err);

/* The journal or checkpoint frame that follows `after`; *ret_id 0: none. */
bool volume_next_journal(struct volume *volume, int64_t after, int64_t *ret_id, struct err *err);

#endif
