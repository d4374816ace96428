/*
 * Volumes: the files that hold an archive's bytes, volumes/<sequence>-<uuid>.vol. The one with the
 * highest sequence is open for writing; the others never change again.
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
 *	       roll          repack, rekey
 *	OPEN ------> FULL ----------------> SEALED --+
 *	              |  \                  /  ^     | rekey
 *	              |   `--> DOOMED <-----'   +-----+
 *	              |  forget  |  forget   |
 *	              v          v           v
 *	           prune, forget: emptied, then row and file are removed
 *
 * OPEN    the newest volume; catalogue_add_volume() enters it: creation, write/packer_roll, replay.
 * FULL    packer_roll, or replay after a crash between the next volume's creation and its entry.
 * SEALED  rewritten under the same sequence and immutable: catalogue/replace; replay likewise.
 * DOOMED  marked for removal, because erased messages are in it: forget. The next prune or forget
 *         copies the live items out (compact/reclaim) and removes the row and the file.
 *
 * A journal checkpoint records only whether a volume is DOOMED; applying one derives the other
 * states from the volumes themselves (catalogue/journal_checkpoint).
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

/* Create an empty one, durably; in an encrypted archive under its keys and with a copy of its
 * keyring. */
bool volume_create(const struct archive_ref *archive,
	const uint8_t archive_uuid[ARCHIVE_UUID_BYTES], int64_t sequence, int64_t owner_epoch,
	struct volume_id *ret_id, struct err *err);

/* One that is missing or another one under its name is ERR_CORRUPT. */
bool volume_open(const struct archive_ref *archive, const struct volume_id *id, enum db_mode mode,
	struct volume *ret_volume, struct err *err);
/* To read one that nobody writes meanwhile; nothing on disk changes. */
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

/* --- sealed ones (seal.h) --- */

/* Begin one that takes the place of another: open for writing, under a name that means nothing. */
bool volume_create_sealed(const struct archive_ref *archive, struct volume *instead,
	struct volume *ret_volume, struct err *err);
/* All its frames are there: write its root, all of it into the file. */
bool volume_finish_sealed(struct volume *volume, struct err *err);
/* Read-only, durably, under its name. Closes it. */
bool volume_publish_sealed(const char *archive_path, struct volume *volume, struct err *err);

/* Of a sealed one: whose place it took. */
bool volume_replaces(struct volume *volume, uint8_t ret_uuid[ARCHIVE_UUID_BYTES], struct err *err);

/* SHA-256 over the ids and digests of its frames; and is that what a sealed one says? */
bool volume_root(struct volume *volume, uint8_t ret_root[SHA256_BYTES], struct err *err);
bool volume_check_root(struct volume *volume, struct err *err);

/* --- frames --- */

bool volume_put_frame(
	struct volume *volume, int64_t frame_id, const struct frame *frame, struct err *err);

enum frame_sort { FRAMES_DATA, FRAMES_JOURNAL /* and checkpoints */, FRAMES_DIRECTORY };

/* Read, check and unpack a frame. ERR_CORRUPT when it is missing, damaged or of another sort. */
bool volume_get_frame(struct volume *volume, int64_t frame_id, enum frame_sort sort,
	struct zstd *zstd, struct buf *ret_raw, struct err *err);

/* ERR_CORRUPT: it is missing. */
bool volume_frame_kind(struct volume *volume, int64_t frame_id, enum frame_kind *ret_kind,
	int *ret_codec, struct err *err);

/* Is this frame there, and as it was written? Nothing is unpacked. ERR_CORRUPT. */
bool volume_check_frame(struct volume *volume, int64_t frame_id, struct err *err);

/* The same frame, from one volume into another under the other's key; out is for its bytes.
 * *ret_len: as stored. */
bool volume_reencrypt_frame(struct volume *from, struct volume *to, int64_t frame_id,
	struct buf *out, size_t *ret_len, struct err *err);

/* Is that what became of it? */
bool volume_same_frame(
	struct volume *from, struct volume *to, int64_t frame_id, bool *ret_same, struct err *err);

/* The frame that follows `after`; *ret_id 0: none. */
bool volume_next_frame(struct volume *volume, int64_t after, int64_t *ret_id, struct err *err);

bool volume_count_frames(struct volume *volume, uint64_t *ret_count, struct err *err);

/* Remove frames first..last that no journal frame names. */
bool volume_remove_frames(struct volume *volume, int64_t first, int64_t last, struct err *err);

/* The highest frame id ever given out in it, 0: none. */
bool volume_last_frame(struct volume *volume, int64_t *ret_id, struct err *err);

/* The directory frame that follows `after`; *ret_id 0: none. */
bool volume_next_directory(struct volume *volume, int64_t after, int64_t *ret_id, struct err *err);

/* The last frame of journal or checkpoint; *ret_id 0: none. */
bool volume_last_journal(struct volume *volume, int64_t *ret_id, struct err *err);

/* The journal or checkpoint frame that follows `after`; *ret_id 0: none. */
bool volume_next_journal(struct volume *volume, int64_t after, int64_t *ret_id, struct err *err);

#endif
