#include "archive/catalogue/catalogue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "archive/format/journal.h"
#include "archive/keys/vault.h"
#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"

enum {
	CACHE_KIB = 2 * 1024,
	CACHE_ANEW_KIB = 16 * 1024, /* of one that is made: it is written all over */
	BUSY_MS = 10 * 1000,
};

static const struct db_options catalogue_options = {
	.kind = &catalogue_kind,
	.secure_delete = true,
	.cache_kib = CACHE_KIB,
	.busy_timeout_ms = BUSY_MS,
};

struct birth {
	const uint8_t *archive_uuid;
	const struct volume_id *first;
};

static bool write_state(void *context, struct db *db, struct err *err)
{
	const struct birth *birth = context;
	uint8_t origin[SHA256_BYTES];

	journal_origin(birth->archive_uuid, ARCHIVE_UUID_BYTES, origin);
	db_bind_blob(db, CATALOGUE_STATE_MAKE, "archive", birth->archive_uuid, ARCHIVE_UUID_BYTES);
	db_bind_blob(db, CATALOGUE_STATE_MAKE, "head", origin, sizeof(origin));
	return db_run(db, CATALOGUE_STATE_MAKE, err) && catalogue_add_volume(db, birth->first, err);
}

static struct secret *derive(const struct secret *master)
{
	return master ? vault_derive(master, NULL, "catalogue") : NULL;
}

bool catalogue_create(const char *archive_path, const char *db_path,
	const uint8_t archive_uuid[ARCHIVE_UUID_BYTES], const struct volume_id *first,
	struct db **ret_catalogue, struct err *err)
{
	struct birth birth = {archive_uuid, first};
	struct db_options options = catalogue_options;
	CLEANUP(vault_view_free) struct vault_view view = {0};
	CLEANUP(secret_freep) struct secret *key = NULL;

	if (!vault_look(archive_path, &view, err))
		return false;
	key = derive(view.master);
	options.key = key ? key->data : NULL;
	options.mode = DB_CREATE;
	options.cache_kib = CACHE_ANEW_KIB;
	options.init = write_state;
	options.init_context = &birth;
	return db_open(db_path, &options, ret_catalogue, err);
}

/* While a change of the master key is under way the catalogue is of before until its end. */
static bool find_key(const char *archive_path, const char *path, struct secret **ret_key,
	bool *ret_outdated, struct err *err)
{
	CLEANUP(vault_view_free) struct vault_view view = {0};
	bool fits = true;

	if (!vault_look(archive_path, &view, err))
		return false;
	*ret_key = derive(view.master);
	if (view.keyring.change.under_way && !db_fits_key(path, (*ret_key)->data, &fits, err))
		return false;
	*ret_outdated = !fits;
	if (!fits) {
		secret_freep(ret_key);
		*ret_key = derive(view.previous);
	}
	return true;
}

bool catalogue_is_outdated(const char *archive_path, bool *ret_outdated, struct err *err)
{
	CLEANUP(freep) char *path = layout_catalogue_path(archive_path);
	CLEANUP(secret_freep) struct secret *key = NULL;

	return find_key(archive_path, path, &key, ret_outdated, err);
}

static bool same_key(const struct secret *a, const struct secret *b)
{
	return (!a && !b) || (a && b && crypto_equal(a->data, b->data, a->len));
}

/* It may take another's place between the two looks at it. */
bool catalogue_open(
	const char *archive_path, enum db_mode mode, struct db **ret_catalogue, struct err *err)
{
	struct db_options options = catalogue_options;
	CLEANUP(freep) char *path = layout_catalogue_path(archive_path);
	CLEANUP(secret_freep) struct secret *key = NULL;
	CLEANUP(secret_freep) struct secret *now = NULL;
	struct err ignored = ERR_INIT;
	bool unimportant;

	if (!find_key(archive_path, path, &key, &unimportant, err))
		return false;
	options.key = key ? key->data : NULL;
	options.mode = mode;
	if (db_open(path, &options, ret_catalogue, err))
		return true;
	if (err->kind != ERR_CORRUPT ||
		!find_key(archive_path, path, &now, &unimportant, &ignored) || same_key(key, now))
		return false;
	options.key = now ? now->data : NULL;
	return db_open(path, &options, ret_catalogue, err);
}

static bool copy_blob(
	struct db *db, size_t query, int column, void *out, size_t len, struct err *err)
{
	size_t got;
	const void *data = db_blob(db, query, column, &got);

	if (got != len)
		return err_set(
			err, ERR_CORRUPT, "%s: %zu bytes where %zu belong", db_path(db), got, len);
	memcpy(out, data, len);
	return true;
}

bool catalogue_state(struct db *catalogue, struct catalogue_state *ret_state, struct err *err)
{
	struct catalogue_state state = {0};
	bool row;
	bool ok;

	if (!db_step(catalogue, CATALOGUE_STATE_GET, &row, err))
		return false;
	if (!row)
		return err_set(err, ERR_CORRUPT, "%s: has no state", db_path(catalogue));
	state.applied_seq = (uint64_t)db_int(catalogue, CATALOGUE_STATE_GET, 1);
	state.checkpoint = db_int(catalogue, CATALOGUE_STATE_GET, 3);
	state.pruned_ms = db_int(catalogue, CATALOGUE_STATE_GET, 4);
	ok = copy_blob(catalogue, CATALOGUE_STATE_GET, 0, state.archive, ARCHIVE_UUID_BYTES, err) &&
	     copy_blob(catalogue, CATALOGUE_STATE_GET, 2, state.head, SHA256_BYTES, err);
	db_reset(catalogue, CATALOGUE_STATE_GET);
	if (ok)
		*ret_state = state;
	return ok;
}

bool catalogue_set_state(struct db *catalogue, uint64_t applied_seq,
	const uint8_t head[SHA256_BYTES], struct err *err)
{
	db_bind_int(catalogue, CATALOGUE_STATE_PUT, "seq", (int64_t)applied_seq);
	db_bind_blob(catalogue, CATALOGUE_STATE_PUT, "head", head, SHA256_BYTES);
	return db_run(catalogue, CATALOGUE_STATE_PUT, err);
}

/* --- volumes --- */

bool catalogue_volume(struct db *catalogue, int64_t sequence, bool *ret_found,
	struct catalogue_volume *ret_volume, struct err *err)
{
	struct catalogue_volume volume = {.id.sequence = sequence};
	bool ok;

	db_bind_int(catalogue, CATALOGUE_VOLUME_GET, "sequence", sequence);
	if (!db_step(catalogue, CATALOGUE_VOLUME_GET, ret_found, err))
		return false;
	if (!*ret_found)
		return true;
	volume.state = (enum volume_state)db_int(catalogue, CATALOGUE_VOLUME_GET, 1);
	volume.applied_frame = db_int(catalogue, CATALOGUE_VOLUME_GET, 2);
	ok = copy_blob(catalogue, CATALOGUE_VOLUME_GET, 0, volume.id.uuid, ARCHIVE_UUID_BYTES, err);
	db_reset(catalogue, CATALOGUE_VOLUME_GET);
	if (ok)
		*ret_volume = volume;
	return ok;
}

bool catalogue_add_volume(struct db *catalogue, const struct volume_id *id, struct err *err)
{
	db_bind_int(catalogue, CATALOGUE_VOLUME_PUT, "sequence", id->sequence);
	db_bind_blob(catalogue, CATALOGUE_VOLUME_PUT, "uuid", id->uuid, ARCHIVE_UUID_BYTES);
	db_bind_int(catalogue, CATALOGUE_VOLUME_PUT, "state", VOLUME_OPEN);
	return db_run(catalogue, CATALOGUE_VOLUME_PUT, err);
}

bool catalogue_set_volume_state(
	struct db *catalogue, int64_t sequence, enum volume_state state, struct err *err)
{
	db_bind_int(catalogue, CATALOGUE_VOLUME_SET_STATE, "sequence", sequence);
	db_bind_int(catalogue, CATALOGUE_VOLUME_SET_STATE, "state", state);
	return db_run(catalogue, CATALOGUE_VOLUME_SET_STATE, err);
}

bool catalogue_set_applied(
	struct db *catalogue, int64_t sequence, int64_t frame_id, struct err *err)
{
	db_bind_int(catalogue, CATALOGUE_VOLUME_SET_APPLIED, "sequence", sequence);
	db_bind_int(catalogue, CATALOGUE_VOLUME_SET_APPLIED, "frame", frame_id);
	return db_run(catalogue, CATALOGUE_VOLUME_SET_APPLIED, err);
}

static bool add_volume_row(struct db *catalogue, struct catalogue_volumes *volumes, struct err *err)
{
	struct catalogue_volume *volume;

	ARRAY_GROW(volumes->items, volumes->count, volumes->cap);
	volume = &volumes->items[volumes->count++];
	volume->id.sequence = db_int(catalogue, CATALOGUE_VOLUME_LIST, 0);
	volume->state = (enum volume_state)db_int(catalogue, CATALOGUE_VOLUME_LIST, 2);
	volume->applied_frame = db_int(catalogue, CATALOGUE_VOLUME_LIST, 3);
	return copy_blob(
		catalogue, CATALOGUE_VOLUME_LIST, 1, volume->id.uuid, ARCHIVE_UUID_BYTES, err);
}

bool catalogue_volumes(struct db *catalogue, struct catalogue_volumes *ret_volumes, struct err *err)
{
	CLEANUP(catalogue_volumes_free) struct catalogue_volumes volumes = {0};
	bool row;

	for (;;) {
		if (!db_step(catalogue, CATALOGUE_VOLUME_LIST, &row, err))
			return false;
		if (!row)
			break;
		if (!add_volume_row(catalogue, &volumes, err)) {
			db_reset(catalogue, CATALOGUE_VOLUME_LIST);
			return false;
		}
	}
	*ret_volumes = volumes;
	volumes = (struct catalogue_volumes){0};
	return true;
}

void catalogue_volumes_free(struct catalogue_volumes *volumes)
{
	free(volumes->items);
	*volumes = (struct catalogue_volumes){0};
}

bool catalogue_names(const struct catalogue_volumes *volumes, const struct volume_id *id)
{
	for (size_t i = 0; i < volumes->count; i++)
		if (memcmp(volumes->items[i].id.uuid, id->uuid, ARCHIVE_UUID_BYTES) == 0)
			return true;
	return false;
}

bool catalogue_count_items(
	struct db *catalogue, int64_t sequence, int64_t *ret_count, struct err *err)
{
	enum { ROW = CATALOGUE_VOLUME_ITEMS_COUNT };
	bool row;

	db_bind_int(catalogue, ROW, "volume", sequence);
	if (!db_step(catalogue, ROW, &row, err))
		return false;
	assert(row);
	*ret_count = db_int(catalogue, ROW, 0);
	db_reset(catalogue, ROW);
	return true;
}

/* --- checkpoints --- */

bool catalogue_set_pruned(struct db *catalogue, int64_t unix_ms, struct err *err)
{
	db_bind_int(catalogue, CATALOGUE_STATE_PUT_PRUNED, "unix_ms", unix_ms);
	return db_run(catalogue, CATALOGUE_STATE_PUT_PRUNED, err);
}

bool catalogue_stand_on_checkpoint(struct db *catalogue, int64_t sequence, int64_t frame_id,
	const struct catalogue_state *state, struct err *err)
{
	db_bind_int(catalogue, CATALOGUE_VOLUME_FORGET_APPLIED, "sequence", sequence);
	db_bind_int(catalogue, CATALOGUE_STATE_PUT_CHECKPOINT, "volume", sequence);
	return db_run(catalogue, CATALOGUE_VOLUME_FORGET_APPLIED, err) &&
	       db_run(catalogue, CATALOGUE_STATE_PUT_CHECKPOINT, err) &&
	       catalogue_set_applied(catalogue, sequence, frame_id, err) &&
	       catalogue_set_state(catalogue, state->applied_seq, state->head, err);
}

/* --- snapshots and messages --- */

struct archive_snapshot catalogue_snapshot_row(struct db *catalogue, size_t query)
{
	return (struct archive_snapshot){
		.generation = db_int(catalogue, query, 0),
		.unix_ms = db_int(catalogue, query, 1),
		.complete = db_int(catalogue, query, 2) != 0,
		.pinned = db_int(catalogue, query, 3) != 0,
		.messages = (uint64_t)db_int(catalogue, query, 4),
		.added = (uint64_t)db_int(catalogue, query, 5),
		.removed = (uint64_t)db_int(catalogue, query, 6),
		.changed = (uint64_t)db_int(catalogue, query, 7),
	};
}

bool catalogue_last_snapshot(struct db *catalogue, struct archive_snapshot *ret_snapshot,
	uint64_t *ret_bytes, struct err *err)
{
	bool row;

	if (!db_step(catalogue, CATALOGUE_SNAPSHOT_LAST, &row, err))
		return false;
	*ret_snapshot = (struct archive_snapshot){0};
	*ret_bytes = 0;
	if (!row)
		return true;
	*ret_snapshot = catalogue_snapshot_row(catalogue, CATALOGUE_SNAPSHOT_LAST);
	*ret_bytes = (uint64_t)db_int(catalogue, CATALOGUE_SNAPSHOT_LAST, 8);
	db_reset(catalogue, CATALOGUE_SNAPSHOT_LAST);
	return true;
}

static bool find_id(struct db *catalogue, size_t query, int64_t *ret_id, struct err *err)
{
	bool row;

	if (!db_step(catalogue, query, &row, err))
		return false;
	*ret_id = row ? db_int(catalogue, query, 0) : 0;
	if (row)
		db_reset(catalogue, query);
	return true;
}

bool catalogue_find_message(
	struct db *catalogue, const uint8_t sha256[SHA256_BYTES], int64_t *ret_id, struct err *err)
{
	db_bind_blob(catalogue, CATALOGUE_MESSAGE_FIND, "sha256", sha256, SHA256_BYTES);
	return find_id(catalogue, CATALOGUE_MESSAGE_FIND, ret_id, err);
}

bool catalogue_find_leaf(struct db *catalogue, const uint8_t sha256[SHA256_BYTES], uint64_t size,
	int64_t *ret_id, struct err *err)
{
	db_bind_blob(catalogue, CATALOGUE_LEAF_FIND, "sha256", sha256, SHA256_BYTES);
	db_bind_int(catalogue, CATALOGUE_LEAF_FIND, "size", (int64_t)size);
	return find_id(catalogue, CATALOGUE_LEAF_FIND, ret_id, err);
}
