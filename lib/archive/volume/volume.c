#include "archive/volume/volume.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/keys/keys.h"
#include "archive/volume/keyring_copy.h"
#include "archive/volume/volume_header.h"
#include "archive/volume/volume_sql.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/rand.h"
#include "base/str.h"

void volume_new_uuid(uint8_t out[ARCHIVE_UUID_BYTES])
{
	rand_bytes(out, ARCHIVE_UUID_BYTES);
	out[6] = (uint8_t)((out[6] & 0x0f) | 0x40);
	out[8] = (uint8_t)((out[8] & 0x3f) | 0x80);
}

/* --- creating --- */

struct new_volume {
	const uint8_t *archive_uuid;
	const struct volume_id *id;
	int64_t owner_epoch;
	const struct buf *keyring; /* empty: plain */
	const uint8_t *replaces;   /* NULL: nothing */
};

static bool put_keyring(struct db *db, const struct buf *keyring, struct err *err)
{
	struct keyring decoded;

	if (keyring->len == 0)
		return true;
	if (!keyring_decode(keyring->data, keyring->len, &decoded, err) ||
		!volume_header_put_int(db, volume_header_key_epoch, decoded.key_epoch, err))
		return false;
	return volume_header_put_blob(db, volume_header_keyring, keyring->data, keyring->len, err);
}

static bool write_header(void *context, struct db *db, struct err *err)
{
	const struct new_volume *made = context;

	return volume_header_put_blob(
		       db, volume_header_archive, made->archive_uuid, ARCHIVE_UUID_BYTES, err) &&
	       volume_header_put_blob(
		       db, volume_header_volume, made->id->uuid, ARCHIVE_UUID_BYTES, err) &&
	       volume_header_put_int(db, volume_header_sequence, made->id->sequence, err) &&
	       volume_header_put_int(db, volume_header_owner_epoch, made->owner_epoch, err) &&
	       volume_header_put_int(db, "created_ms", clock_wall_ms(), err) &&
	       (!made->replaces || volume_header_put_blob(db, volume_header_replaces,
					   made->replaces, ARCHIVE_UUID_BYTES, err)) &&
	       put_keyring(db, made->keyring, err);
}

/* The copy does not mention a change of the master key in progress: the new volume is already under
 * the new key, and its copy must still open it when the previous key is gone. */
static bool encode_keyring(
	const char *archive_path, struct keys_view *view, struct buf *ret_bytes, struct err *err)
{
	if (view->keyring.count > 0) {
		keyring_finish_change(&view->keyring);
		keyring_encode(&view->keyring, view->master, ret_bytes);
		return true;
	}
	return keyring_copy_newest(archive_path, ret_bytes, err) &&
	       (ret_bytes->len > 0 ||
		       err_set(err, ERR_CORRUPT, "%s: its keyring is lost", archive_path));
}

static bool create_at(const struct archive_ref *archive, const char *path,
	const struct new_volume *wanted, struct db **ret_db, struct err *err)
{
	CLEANUP(keys_view_free) struct keys_view view = {0};
	CLEANUP(buf_free) struct buf keyring = BUF_INIT(KEYRING_FILE_BYTES_MAX);
	struct new_volume made = *wanted;
	struct db_options options = volume_db_options;

	options.mode = DB_CREATE;
	options.cache_kib = 0;
	options.init = write_header;
	options.init_context = &made;
	made.keyring = &keyring;
	if (!keys_look(archive, &view, err) ||
		(view.encrypted && !encode_keyring(archive->path, &view, &keyring, err)))
		return false;
	return db_open(path, &options, ret_db, err);
}

/* db_open() renames the file when it is complete and durable, header and keyring included. A crash
 * before that leaves a leftover. A crash after it leaves an empty volume that the catalogue lacks:
 * replay enters it. */
bool volume_create(const struct archive_ref *archive,
	const uint8_t archive_uuid[ARCHIVE_UUID_BYTES], int64_t sequence, int64_t owner_epoch,
	struct volume_id *ret_id, struct err *err)
{
	struct volume_id id = {.sequence = sequence};
	struct new_volume made = {
		.archive_uuid = archive_uuid, .id = &id, .owner_epoch = owner_epoch};
	CLEANUP(db_freep) struct db *db = NULL;
	CLEANUP(freep) char *path = NULL;

	assert(owner_epoch >= VOLUME_OWNER_EPOCH_FIRST);
	volume_new_uuid(id.uuid);
	path = layout_volume_path(archive->path, &id);
	if (!create_at(archive, path, &made, &db, err))
		return false;
	*ret_id = id;
	return true;
}

/* --- opening --- */

bool volume_archive_uuid(
	struct volume *volume, uint8_t ret_uuid[ARCHIVE_UUID_BYTES], struct err *err)
{
	return volume_header_uuid(volume->db, volume_header_archive, ret_uuid, err);
}

bool volume_owner_epoch(struct volume *volume, int64_t *ret_epoch, struct err *err)
{
	bool has;

	if (!volume_header_int(volume->db, volume_header_owner_epoch, &has, ret_epoch, err))
		return false;
	if (!has)
		return err_set(err, ERR_CORRUPT, "%s: header lacks '%s'", db_path(volume->db),
			volume_header_owner_epoch);
	/* volume_create() never writes less */
	return *ret_epoch >= VOLUME_OWNER_EPOCH_FIRST ||
	       err_set(err, ERR_CORRUPT, "%s: an owner epoch of 0", db_path(volume->db));
}

static bool open_cipher(const struct archive_ref *archive, struct volume *volume, struct err *err)
{
	CLEANUP(secret_freep) struct secret *key = NULL;
	uint32_t key_epoch = 0;

	if (!volume_header_read_key_epoch(volume->db, &key_epoch, err))
		return false;
	if (!keys_volume_key(archive, &volume->id, key_epoch, &key, &volume->outdated, err))
		return err_wrap(err, "%s", db_path(volume->db));
	if (!key)
		return true;
	memcpy(volume->cipher.volume, volume->id.uuid, ARCHIVE_UUID_BYTES);
	volume->cipher.gcm = gcm_new(key->data);
	return volume_header_uuid(volume->db, volume_header_archive, volume->cipher.archive, err);
}

bool volume_open(const struct archive_ref *archive, const struct volume_id *id, enum db_mode mode,
	struct volume *ret_volume, struct err *err)
{
	CLEANUP(freep) char *path = layout_volume_path(archive->path, id);
	CLEANUP(volume_close) struct volume volume = {.id = *id};

	if (!volume_header_open(path, id, mode, &volume.db, err) ||
		!volume_header_has(volume.db, volume_header_root, &volume.sealed, err) ||
		!open_cipher(archive, &volume, err))
		return false;
	*ret_volume = volume;
	volume.db = NULL;
	volume.cipher.gcm = NULL;
	return true;
}

bool volume_open_peek(const struct archive_ref *archive, const struct volume_id *id,
	struct volume *ret_volume, struct err *err)
{
	CLEANUP(freep) char *path = layout_volume_path(archive->path, id);

	return volume_open(archive, id, db_peek_mode(path), ret_volume, err);
}

const struct frame_cipher *volume_cipher(const struct volume *volume)
{
	return volume->cipher.gcm ? &volume->cipher : NULL;
}

void volume_close(struct volume *volume)
{
	db_freep(&volume->db);
	gcm_freep(&volume->cipher.gcm);
}

/* --- sealed volumes --- */

bool volume_replaces(struct volume *volume, uint8_t ret_uuid[ARCHIVE_UUID_BYTES], struct err *err)
{
	return volume_header_uuid(volume->db, volume_header_replaces, ret_uuid, err);
}

bool volume_create_sealed(const struct archive_ref *archive, struct volume *instead,
	struct volume *ret_volume, struct err *err)
{
	CLEANUP(volume_close)
	struct volume volume = {.id.sequence = instead->id.sequence, .sealed = true};
	uint8_t archive_uuid[ARCHIVE_UUID_BYTES];
	struct new_volume made = {
		.archive_uuid = archive_uuid, .id = &volume.id, .replaces = instead->id.uuid};
	CLEANUP(freep) char *path = NULL;
	CLEANUP(freep) char *beside = NULL;

	volume_new_uuid(volume.id.uuid);
	path = layout_volume_path(archive->path, &volume.id);
	beside = layout_unfinished_path(path);
	if (!volume_archive_uuid(instead, archive_uuid, err) ||
		!volume_owner_epoch(instead, &made.owner_epoch, err) ||
		!create_at(archive, beside, &made, &volume.db, err) ||
		!open_cipher(archive, &volume, err))
		return false;
	*ret_volume = volume;
	volume.db = NULL;
	volume.cipher.gcm = NULL;
	return true;
}

bool volume_root(struct volume *volume, uint8_t ret_root[SHA256_BYTES], struct err *err)
{
	enum { ROW = VOLUME_FRAME_DIGESTS, ID_BYTES = 8 };
	CLEANUP(sha256_freep) struct sha256 *root = sha256_new();
	bool row;

	while (db_step(volume->db, ROW, &row, err)) {
		uint64_t id = (uint64_t)db_int(volume->db, ROW, 0);
		uint8_t bytes[ID_BYTES];
		const void *digest;
		size_t len;

		if (!row) {
			sha256_finish(root, ret_root);
			return true;
		}
		for (int i = 0; i < ID_BYTES; i++)
			bytes[i] = (uint8_t)(id >> (8 * (ID_BYTES - 1 - i)));
		digest = db_blob(volume->db, ROW, 1, &len);
		sha256_add(root, bytes, ID_BYTES);
		sha256_add(root, digest, len);
	}
	return false;
}

bool volume_check_root(struct volume *volume, struct err *err)
{
	uint8_t root[SHA256_BYTES];
	const void *known;
	size_t len;
	bool row, same;

	if (!volume->sealed)
		return true;
	db_bind_text(volume->db, VOLUME_HEADER_GET, "key", volume_header_root);
	if (!volume_root(volume, root, err) || !db_step(volume->db, VOLUME_HEADER_GET, &row, err))
		return false;
	known = row ? db_blob(volume->db, VOLUME_HEADER_GET, 0, &len) : NULL;
	same = known && len == SHA256_BYTES && memcmp(known, root, SHA256_BYTES) == 0;
	if (row)
		db_reset(volume->db, VOLUME_HEADER_GET);
	return same || err_set(err, ERR_CORRUPT, "its frames differ from those that were sealed");
}

static bool put_seal(struct volume *volume, struct err *err)
{
	uint8_t root[SHA256_BYTES];

	if (!volume_root(volume, root, err))
		return false;
	db_bind_text(volume->db, VOLUME_HEADER_PUT, "key", volume_header_root);
	db_bind_blob(volume->db, VOLUME_HEADER_PUT, "value", root, SHA256_BYTES);
	return db_run(volume->db, VOLUME_HEADER_PUT, err) &&
	       volume_header_put_int(volume->db, "sealed_ms", clock_wall_ms(), err);
}

/* The root is written last, so only a complete file has one. The WAL checkpoint moves everything
 * into the file, because publishing removes the -wal. */
bool volume_finish_sealed(struct volume *volume, struct err *err)
{
	assert(volume->sealed && !db_in_transaction(volume->db));
	return db_begin(volume->db, err) && put_seal(volume, err) && db_commit(volume->db, err) &&
	       db_wal_checkpoint(volume->db, true, err);
}

/*
 * A crash before the rename leaves an unfinished file, which the next repack removes. From the
 * rename on, which syncs the folder, volume_list() prefers the new file to the one it replaces,
 * because its header says so; the catalogue follows (replace_volume()). The replaced file stays
 * until the catalogue has committed.
 */
bool volume_publish_sealed(const char *archive_path, struct volume *volume, struct err *err)
{
	CLEANUP(freep) char *path = layout_volume_path(archive_path, &volume->id);
	CLEANUP(freep) char *beside = xstrdup(db_path(volume->db));

	/* volume_finish_sealed() committed: nothing is only in memory (invariant 1) */
	assert(volume->sealed && !db_in_transaction(volume->db));
	volume_close(volume);
	return db_remove_wal(beside, err) && fs_chmod(beside, LAYOUT_CLOSED_VOLUME_MODE, err) &&
	       fs_rename(beside, path, err);
}
