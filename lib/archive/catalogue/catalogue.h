/*
 * The catalogue: catalogue.db, an index of the volumes. It can be rebuilt from their journal frames
 * alone (rebuild.h).
 */
#ifndef MAILSTOW_ARCHIVE_CATALOGUE_CATALOGUE_H
#define MAILSTOW_ARCHIVE_CATALOGUE_CATALOGUE_H

#include "archive/archive.h"
#include "archive/catalogue/catalogue_sql.h"
#include "archive/catalogue/rows.h"
#include "archive/format/layout.h"
#include "archive/volume/volume.h"
#include "db/db.h"

/* Create an empty catalogue, durably, for the archive with this uuid whose first volume is `first`.
 * db_path is layout_catalogue_path() or a file to be renamed to it. */
bool catalogue_create(const struct archive_ref *archive, const char *db_path,
	const uint8_t archive_uuid[ARCHIVE_UUID_BYTES], const struct volume_id *first,
	struct db **ret_catalogue, struct err *err);
bool catalogue_open(const struct archive_ref *archive, enum db_mode mode, struct db **ret_catalogue,
	struct err *err);

/* For reading while nobody writes; nothing on disk changes. */
bool catalogue_open_peek(
	const struct archive_ref *archive, struct db **ret_catalogue, struct err *err);

/* Is it still under the previous master key, while a change of the key is under way? */
bool catalogue_is_outdated(const struct archive_ref *archive, bool *ret_outdated, struct err *err);

struct catalogue_state {
	uint8_t archive[ARCHIVE_UUID_BYTES];
	uint64_t applied_seq;       /* of the last journal payload in it, 0: none */
	uint8_t head[SHA256_BYTES]; /* its SHA-256; with none: journal_origin() */
	int64_t checkpoint; /* sequence of the volume with the last journal checkpoint, 0: none */
	int64_t pruned_ms;  /* time of the last prune, 0: never */
};
bool catalogue_state(struct db *catalogue, struct catalogue_state *ret_state, struct err *err);
bool catalogue_set_state(struct db *catalogue, uint64_t applied_seq,
	const uint8_t head[SHA256_BYTES], struct err *err);

bool catalogue_set_pruned(struct db *catalogue, int64_t unix_ms, struct err *err);

/* A journal checkpoint is the last payload applied: frame_id is its last frame, in the volume
 * `sequence`; state has its seq and head. Journal frames of other volumes count as not applied. */
bool catalogue_set_journal_checkpoint(struct db *catalogue, int64_t sequence, int64_t frame_id,
	const struct catalogue_state *state, struct err *err);

bool catalogue_volume(struct db *catalogue, int64_t sequence, bool *ret_found,
	struct catalogue_volume *ret_volume, struct err *err);
bool catalogue_add_volume(struct db *catalogue, const struct volume_id *id, struct err *err);
bool catalogue_set_volume_state(
	struct db *catalogue, int64_t sequence, enum volume_state state, struct err *err);
bool catalogue_set_applied(
	struct db *catalogue, int64_t sequence, int64_t frame_id, struct err *err);

struct catalogue_volumes {
	struct catalogue_volume *items; /* by sequence */
	size_t count;
	size_t cap;
};
bool catalogue_volumes(
	struct db *catalogue, struct catalogue_volumes *ret_volumes, struct err *err);
void catalogue_volumes_free(struct catalogue_volumes *volumes); /* also for CLEANUP() */

/* Is a volume with this uuid among them? */
bool catalogue_names(const struct catalogue_volumes *volumes, const struct volume_id *id);

/* The number of items stored in a volume. */
bool catalogue_count_items(
	struct db *catalogue, int64_t sequence, int64_t *ret_count, struct err *err);

/* The newest snapshot, all zeros before the first; *ret_bytes: sum of its messages' sizes. */
bool catalogue_last_snapshot(struct db *catalogue, struct archive_snapshot *ret_snapshot,
	uint64_t *ret_bytes, struct err *err);

/* The snapshot in the current row of `query`, one of CATALOGUE_SNAPSHOT_... */
struct archive_snapshot catalogue_read_snapshot(struct db *catalogue, size_t query);

/* The id of a message with these bytes, 0: none. */
bool catalogue_find_message(
	struct db *catalogue, const uint8_t sha256[SHA256_BYTES], int64_t *ret_id, struct err *err);

/* The id of a leaf with these bytes, 0: none. */
bool catalogue_find_leaf(struct db *catalogue, const uint8_t sha256[SHA256_BYTES], uint64_t size,
	int64_t *ret_id, struct err *err);

#endif
