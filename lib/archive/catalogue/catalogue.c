#include "archive/catalogue/catalogue.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "archive/format/journal.h"
#include "archive/keys/keys.h"
#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"

enum {
	CACHE_KIB = 2 * 1024,
	CACHE_CREATE_KIB = 16 * 1024, /* while it is filled */
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
	return master ? keys_derive(master, NULL, "catalogue") : NULL;
}

bool catalogue_create(const struct archive_ref *archive, const char *db_path,
	const uint8_t archive_uuid[ARCHIVE_UUID_BYTES], const struct volume_id *first,
	struct db **ret_catalogue, struct err *err)
{
	struct birth birth = {archive_uuid, first};
	struct db_options options = catalogue_options;
	CLEANUP(keys_view_free) struct keys_view view = {0};
	CLEANUP(secret_freep) struct secret *key = NULL;

	if (!keys_look(archive, &view, err))
		return false;
	key = derive(view.master);
	options.key = key ? key->data : NULL;
	options.mode = DB_CREATE;
	options.cache_kib = CACHE_CREATE_KIB;
	options.init = write_state;
	options.init_context = &birth;
	return db_open(db_path, &options, ret_catalogue, err);
}

/* A change of the master key encrypts the catalogue last: until then it is under the previous key.
 */
static bool find_key(const struct archive_ref *archive, const char *path, struct secret **ret_key,
	bool *ret_outdated, struct err *err)
{
	CLEANUP(keys_view_free) struct keys_view view = {0};
	bool fits = true;

	if (!keys_look(archive, &view, err))
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

bool catalogue_is_outdated(const struct archive_ref *archive, bool *ret_outdated, struct err *err)
{
	CLEANUP(freep) char *path = layout_catalogue_path(archive->path);
	CLEANUP(secret_freep) struct secret *key = NULL;

	return find_key(archive, path, &key, ret_outdated, err);
}

bool catalogue_open_peek(
	const struct archive_ref *archive, struct db **ret_catalogue, struct err *err)
{
	CLEANUP(freep) char *path = layout_catalogue_path(archive->path);

	return catalogue_open(archive, db_peek_mode(path), ret_catalogue, err);
}

static bool same_key(const struct secret *a, const struct secret *b)
{
	return (!a && !b) || (a && b && crypto_equal(a->data, b->data, a->len));
}

/* The file may be replaced by one under another key between finding the key and opening: then the
 * key is looked up once more. */
bool catalogue_open(const struct archive_ref *archive, enum db_mode mode, struct db **ret_catalogue,
	struct err *err)
{
	struct db_options options = catalogue_options;
	CLEANUP(freep) char *path = layout_catalogue_path(archive->path);
	CLEANUP(secret_freep) struct secret *key = NULL;
	CLEANUP(secret_freep) struct secret *now = NULL;
	struct err ignored = ERR_INIT;
	bool unimportant;

	if (!find_key(archive, path, &key, &unimportant, err))
		return false;
	options.key = key ? key->data : NULL;
	options.mode = mode;
	if (db_open(path, &options, ret_catalogue, err))
		return true;
	if (err->kind != ERR_CORRUPT || !find_key(archive, path, &now, &unimportant, &ignored) ||
		same_key(key, now))
		return false;
	options.key = now ? now->data : NULL;
	return db_open(path, &options, ret_catalogue, err);
}

/* The columns of CATALOGUE_STATE_GET. */
enum { STATE_ARCHIVE, STATE_APPLIED_SEQ, STATE_HEAD, STATE_CHECKPOINT, STATE_PRUNED_MS };

bool catalogue_state(struct db *catalogue, struct catalogue_state *ret_state, struct err *err)
{
	enum { ROW = CATALOGUE_STATE_GET };
	struct catalogue_state state = {0};
	bool row;
	bool ok;

	if (!db_step(catalogue, ROW, &row, err))
		return false;
	if (!row)
		return err_set(err, ERR_CORRUPT, "%s: has no state", db_path(catalogue));
	state.applied_seq = (uint64_t)db_int(catalogue, ROW, STATE_APPLIED_SEQ);
	state.checkpoint = db_int(catalogue, ROW, STATE_CHECKPOINT);
	state.pruned_ms = db_int(catalogue, ROW, STATE_PRUNED_MS);
	ok = rows_read_blob(catalogue, ROW, STATE_ARCHIVE, state.archive, ARCHIVE_UUID_BYTES) &&
	     rows_read_blob(catalogue, ROW, STATE_HEAD, state.head, SHA256_BYTES);
	db_reset(catalogue, ROW);
	if (!ok)
		return err_set(err, ERR_CORRUPT, "%s: its state is damaged", db_path(catalogue));
	*ret_state = state;
	return true;
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
	enum { ROW = CATALOGUE_VOLUME_GET };
	struct catalogue_volume volume;
	bool ok;

	db_bind_int(catalogue, ROW, "sequence", sequence);
	if (!db_step(catalogue, ROW, ret_found, err))
		return false;
	if (!*ret_found)
		return true;
	ok = rows_read_volume(catalogue, ROW, &volume, err);
	db_reset(catalogue, ROW);
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

bool catalogue_volumes(struct db *catalogue, struct catalogue_volumes *ret_volumes, struct err *err)
{
	enum { ROW = CATALOGUE_VOLUME_LIST };
	CLEANUP(catalogue_volumes_free) struct catalogue_volumes volumes = {0};
	bool row = true;

	while (row) {
		if (!db_step(catalogue, ROW, &row, err))
			return false;
		if (!row)
			break;
		ARRAY_GROW(volumes.items, volumes.count, volumes.cap);
		if (!rows_read_volume(catalogue, ROW, &volumes.items[volumes.count++], err)) {
			db_reset(catalogue, ROW);
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

/* --- prune and journal checkpoints --- */

bool catalogue_set_pruned(struct db *catalogue, int64_t unix_ms, struct err *err)
{
	db_bind_int(catalogue, CATALOGUE_STATE_PUT_PRUNED, "unix_ms", unix_ms);
	return db_run(catalogue, CATALOGUE_STATE_PUT_PRUNED, err);
}

bool catalogue_set_journal_checkpoint(struct db *catalogue, int64_t sequence, int64_t frame_id,
	const struct catalogue_state *state, struct err *err)
{
	db_bind_int(catalogue, CATALOGUE_VOLUME_FORGET_APPLIED, "sequence", sequence);
	db_bind_int(catalogue, CATALOGUE_STATE_PUT_JOURNAL_CHECKPOINT, "volume", sequence);
	return db_run(catalogue, CATALOGUE_VOLUME_FORGET_APPLIED, err) &&
	       db_run(catalogue, CATALOGUE_STATE_PUT_JOURNAL_CHECKPOINT, err) &&
	       catalogue_set_applied(catalogue, sequence, frame_id, err) &&
	       catalogue_set_state(catalogue, state->applied_seq, state->head, err);
}

/* --- snapshots and messages --- */

static struct archive_snapshot public_snapshot(const struct record_snapshot_row *row)
{
	return (struct archive_snapshot){
		.generation = row->generation,
		.unix_ms = row->unix_ms,
		.complete = row->complete,
		.pinned = row->pinned,
		.messages = row->messages,
		.added = row->added,
		.removed = row->removed,
		.changed = row->changed,
	};
}

struct archive_snapshot catalogue_read_snapshot(struct db *catalogue, size_t query)
{
	struct record_snapshot_row row = rows_read_snapshot(catalogue, query);

	return public_snapshot(&row);
}

bool catalogue_last_snapshot(struct db *catalogue, struct archive_snapshot *ret_snapshot,
	uint64_t *ret_bytes, struct err *err)
{
	struct record_snapshot_row last = {0};
	bool row;

	if (!db_step(catalogue, CATALOGUE_SNAPSHOT_LAST, &row, err))
		return false;
	if (row) {
		last = rows_read_snapshot(catalogue, CATALOGUE_SNAPSHOT_LAST);
		db_reset(catalogue, CATALOGUE_SNAPSHOT_LAST);
	}
	*ret_snapshot = public_snapshot(&last);
	*ret_bytes = last.bytes;
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
