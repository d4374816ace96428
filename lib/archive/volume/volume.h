/*
 * Volumes: the files that hold an archive's bytes, volumes/<sequence>-<uuid>.vol. The one with the
 * highest sequence is open for writing; the others never change again.
 */
#ifndef MAILSTOW_ARCHIVE_VOLUME_VOLUME_H
#define MAILSTOW_ARCHIVE_VOLUME_VOLUME_H

#include "archive/archive.h"
#include "archive/format/frame.h"
#include "archive/format/layout.h"
#include "db/db.h"

/* The numbers are the format's. Doomed: full, and the next prune empties it. */
enum volume_state { VOLUME_OPEN = 1, VOLUME_FULL = 2, VOLUME_SEALED = 3, VOLUME_DOOMED = 4 };

struct volume {
	struct db *db;
	struct volume_id id;
	struct frame_cipher cipher; /* its gcm is NULL: plain */
	bool sealed;
	bool outdated; /* of the master key of before, or plain still (vault.h): nothing is added */
};

/* Random, of version 4 (RFC 9562). */
void volume_new_uuid(uint8_t out[ARCHIVE_UUID_BYTES]);

/* Of the owner's who makes an archive; each who adopts one (adopt.h) has the next. */
enum { VOLUME_OWNER_EPOCH_FIRST = 1 };

/* Make an empty one, durably; encrypted if the archive is (vault.h), with a copy of its keyring. */
bool volume_create(const char *archive_path, const uint8_t archive_uuid[ARCHIVE_UUID_BYTES],
	int64_t sequence, int64_t epoch, struct volume_id *ret_id, struct err *err);

/* One that is missing or another one under its name is ERR_CORRUPT. */
bool volume_open(const char *archive_path, const struct volume_id *id, enum db_mode mode,
	struct volume *ret_volume, struct err *err);
/* To read one that nobody writes meanwhile; nothing on disk changes. */
bool volume_open_peek(const char *archive_path, const struct volume_id *id,
	struct volume *ret_volume, struct err *err);
void volume_close(struct volume *volume); /* also for CLEANUP(), and when it is {0} */

/* What its frames are sealed with. NULL: plain. Lives as long as the volume is open. */
const struct frame_cipher *volume_cipher(const struct volume *volume);

/* The copy of the keyring in a volume's header; empty: there is none. */
bool volume_keyring(const char *archive_path, const struct volume_id *id, struct buf *ret_bytes,
	struct err *err);

/* Which master key, as its header says; 0: plain. It need not be unlocked. */
bool volume_peek_key_epoch(
	const char *archive_path, const struct volume_id *id, uint32_t *ret_epoch, struct err *err);

/* The archive's uuid, as the volume's header says. */
bool volume_archive_uuid(
	struct volume *volume, uint8_t ret_uuid[ARCHIVE_UUID_BYTES], struct err *err);
/* The epoch of the owner who began it. */
bool volume_owner_epoch(struct volume *volume, int64_t *ret_epoch, struct err *err);

/* The archive's uuid of a volume that need not be unlocked, nor have its name: the file at path. */
bool volume_peek_archive(const char *path, const struct volume_id *id,
	uint8_t ret_uuid[ARCHIVE_UUID_BYTES], struct err *err);

/*
 * What stands in the folder, by sequence. Of two with one sequence the sealed one counts, if it
 * says that it takes the other's place; else they are ERR_CORRUPT.
 */
struct volume_list {
	struct volume_id *items;
	size_t count;
	size_t cap;
};
bool volume_list(const char *archive_path, struct volume_list *ret_list, struct err *err);
/* Those that do not count any more. */
bool volume_list_replaced(const char *archive_path, struct volume_list *ret_list, struct err *err);
/* All whose names go on so, "" for volumes; by sequence. */
bool volume_list_ending(const char *archive_path, const char *ending, struct volume_list *ret_list,
	struct err *err);
/* Those of newer take the places of what has their sequences. */
void volume_list_supersede(struct volume_list *list, const struct volume_list *newer);
bool volume_list_has(const struct volume_list *list, const struct volume_id *id);
bool volume_list_has_sequence(const struct volume_list *list, int64_t sequence);
/* Remove the volumes of `there` that `kept` lacks, with their -wal files. */
bool volume_list_remove_others(const char *archive_path, const struct volume_list *there,
	const struct volume_list *kept, struct err *err);
void volume_list_free(struct volume_list *list); /* also for CLEANUP() */

/* The size of a volume's file without its -wal; 0: it is not there. */
uint64_t volume_file_bytes(const char *archive_path, const struct volume_id *id);

/* --- sealed ones (seal.h) --- */

/* Begin one that takes the place of another: open for writing, under a name that means nothing. */
bool volume_create_sealed(const char *archive_path, struct volume *instead,
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

/* Is it sealed, and whose place did it take? It need not be unlocked. */
bool volume_peek_seal(const char *archive_path, const struct volume_id *id, bool *ret_sealed,
	uint8_t ret_replaces[ARCHIVE_UUID_BYTES], struct err *err);

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
