#include "archive/volume/volume.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/keys/vault.h"
#include "archive/volume/volume_sql.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/rand.h"
#include "base/str.h"

enum { CACHE_KIB = 1024, BUSY_MS = 10 * 1000 };

static const char owner_epoch[] = "epoch";
static const char key_epoch[] = "key_epoch";
static const char key_slots[] = "key_slots";
static const char key_root[] = "root";
static const char key_replaces[] = "replaces";

void volume_new_uuid(uint8_t out[ARCHIVE_UUID_BYTES])
{
	rand_bytes(out, ARCHIVE_UUID_BYTES);
	out[6] = (uint8_t)((out[6] & 0x0f) | 0x40);
	out[8] = (uint8_t)((out[8] & 0x3f) | 0x80);
}

/* --- making --- */

struct birth {
	const uint8_t *archive_uuid;
	const struct volume_id *id;
	int64_t epoch;
	const struct buf *keyring; /* empty: plain */
	const uint8_t *replaces;   /* NULL: nothing */
};

static bool put_header_int(struct db *db, const char *key, int64_t value, struct err *err)
{
	db_bind_text(db, VOLUME_HEADER_PUT, "key", key);
	db_bind_int(db, VOLUME_HEADER_PUT, "value", value);
	return db_run(db, VOLUME_HEADER_PUT, err);
}

static bool put_header_uuid(struct db *db, const char *key, const uint8_t *uuid, struct err *err)
{
	db_bind_text(db, VOLUME_HEADER_PUT, "key", key);
	db_bind_blob(db, VOLUME_HEADER_PUT, "value", uuid, ARCHIVE_UUID_BYTES);
	return db_run(db, VOLUME_HEADER_PUT, err);
}

static bool put_keyring(struct db *db, const struct buf *keyring, struct err *err)
{
	struct keyring decoded;

	if (keyring->len == 0)
		return true;
	if (!keyring_decode(keyring->data, keyring->len, &decoded, err) ||
		!put_header_int(db, key_epoch, decoded.epoch, err))
		return false;
	db_bind_text(db, VOLUME_HEADER_PUT, "key", key_slots);
	db_bind_blob(db, VOLUME_HEADER_PUT, "value", keyring->data, keyring->len);
	return db_run(db, VOLUME_HEADER_PUT, err);
}

static bool write_header(void *context, struct db *db, struct err *err)
{
	const struct birth *birth = context;

	return put_header_uuid(db, "archive", birth->archive_uuid, err) &&
	       put_header_uuid(db, "volume", birth->id->uuid, err) &&
	       put_header_int(db, "sequence", birth->id->sequence, err) &&
	       put_header_int(db, owner_epoch, birth->epoch, err) &&
	       put_header_int(db, "created_ms", clock_wall_ms(), err) &&
	       (!birth->replaces || put_header_uuid(db, key_replaces, birth->replaces, err)) &&
	       put_keyring(db, birth->keyring, err);
}

static bool create_at(const char *archive_path, const char *path, const struct birth *wanted,
	struct db **ret_db, struct err *err)
{
	CLEANUP(vault_view_free) struct vault_view view = {0};
	CLEANUP(buf_free) struct buf keyring = BUF_INIT(KEYRING_FILE_BYTES_MAX);
	struct birth birth = *wanted;
	const struct db_options options = {
		.kind = &volume_kind,
		.mode = DB_CREATE,
		.full_sync = true,
		.secure_delete = true,
		.busy_timeout_ms = BUSY_MS,
		.init = write_header,
		.init_context = &birth,
	};

	birth.keyring = &keyring;
	if (!vault_look(archive_path, &view, err) ||
		!vault_keyring_bytes(archive_path, &view, &keyring, err))
		return false;
	if (view.encrypted && keyring.len == 0)
		return err_set(err, ERR_CORRUPT, "%s: its keyring is lost", archive_path);
	return db_open(path, &options, ret_db, err);
}

bool volume_create(const char *archive_path, const uint8_t archive_uuid[ARCHIVE_UUID_BYTES],
	int64_t sequence, int64_t epoch, struct volume_id *ret_id, struct err *err)
{
	struct volume_id id = {.sequence = sequence};
	struct birth birth = {.archive_uuid = archive_uuid, .id = &id, .epoch = epoch};
	CLEANUP(db_freep) struct db *db = NULL;
	CLEANUP(freep) char *path = NULL;

	volume_new_uuid(id.uuid);
	path = layout_volume_path(archive_path, &id);
	if (!create_at(archive_path, path, &birth, &db, err))
		return false;
	*ret_id = id;
	return true;
}

/* --- opening --- */

static bool header_uuid(struct volume *volume, const char *key,
	uint8_t ret_uuid[ARCHIVE_UUID_BYTES], struct err *err)
{
	const void *value;
	bool row;
	size_t len;

	db_bind_text(volume->db, VOLUME_HEADER_GET, "key", key);
	if (!db_step(volume->db, VOLUME_HEADER_GET, &row, err))
		return false;
	value = row ? db_blob(volume->db, VOLUME_HEADER_GET, 0, &len) : NULL;
	if (!value || len != ARCHIVE_UUID_BYTES) {
		db_reset(volume->db, VOLUME_HEADER_GET);
		return err_set(err, ERR_CORRUPT, "%s: header lacks '%s'", db_path(volume->db), key);
	}
	memcpy(ret_uuid, value, len);
	db_reset(volume->db, VOLUME_HEADER_GET);
	return true;
}

bool volume_archive_uuid(
	struct volume *volume, uint8_t ret_uuid[ARCHIVE_UUID_BYTES], struct err *err)
{
	return header_uuid(volume, "archive", ret_uuid, err);
}

/* 0 where there is none. */
static bool header_int(
	struct volume *volume, const char *key, bool *ret_has, int64_t *ret_value, struct err *err)
{
	*ret_value = 0;
	db_bind_text(volume->db, VOLUME_HEADER_GET, "key", key);
	if (!db_step(volume->db, VOLUME_HEADER_GET, ret_has, err))
		return false;
	if (!*ret_has)
		return true;
	*ret_value = db_int(volume->db, VOLUME_HEADER_GET, 0);
	db_reset(volume->db, VOLUME_HEADER_GET);
	return true;
}

bool volume_owner_epoch(struct volume *volume, int64_t *ret_epoch, struct err *err)
{
	bool has;

	if (!header_int(volume, owner_epoch, &has, ret_epoch, err))
		return false;
	if (!has)
		return err_set(err, ERR_CORRUPT, "%s: header lacks '%s'", db_path(volume->db),
			owner_epoch);
	return *ret_epoch >= VOLUME_OWNER_EPOCH_FIRST ||
	       err_set(err, ERR_CORRUPT, "%s: an owner's epoch of 0", db_path(volume->db));
}

static bool header_has(struct volume *volume, const char *key, bool *ret_has, struct err *err)
{
	db_bind_text(volume->db, VOLUME_HEADER_GET, "key", key);
	if (!db_step(volume->db, VOLUME_HEADER_GET, ret_has, err))
		return false;
	if (*ret_has)
		db_reset(volume->db, VOLUME_HEADER_GET);
	return true;
}

static bool header_epoch(struct volume *volume, uint32_t *ret_epoch, struct err *err)
{
	int64_t epoch;
	bool has;

	if (!header_int(volume, key_epoch, &has, &epoch, err))
		return false;
	if (has && (epoch < 1 || epoch > UINT32_MAX))
		return err_set(err, ERR_CORRUPT, "%s: its header is damaged", db_path(volume->db));
	*ret_epoch = (uint32_t)epoch;
	return true;
}

static bool open_cipher(const char *archive_path, struct volume *volume, struct err *err)
{
	CLEANUP(secret_freep) struct secret *key = NULL;
	uint32_t epoch = 0;

	if (!header_epoch(volume, &epoch, err))
		return false;
	if (!vault_frame_key(archive_path, &volume->id, epoch, &key, &volume->outdated, err))
		return err_wrap(err, "%s", db_path(volume->db));
	if (!key)
		return true;
	memcpy(volume->cipher.volume, volume->id.uuid, ARCHIVE_UUID_BYTES);
	volume->cipher.gcm = gcm_new(key->data);
	return header_uuid(volume, "archive", volume->cipher.archive, err);
}

static bool open_file(const char *path, enum db_mode mode, struct volume *volume, struct err *err)
{
	const struct db_options options = {
		.kind = &volume_kind,
		.mode = mode,
		.full_sync = true,
		.secure_delete = true,
		.cache_kib = CACHE_KIB,
		.busy_timeout_ms = BUSY_MS,
	};
	uint8_t uuid[ARCHIVE_UUID_BYTES];
	int64_t sequence;
	bool has;

	if (!fs_exists(path))
		return err_set(err, ERR_CORRUPT, "%s: volume is missing", path);
	if (!db_open(path, &options, &volume->db, err) ||
		!header_uuid(volume, "volume", uuid, err) ||
		!header_int(volume, "sequence", &has, &sequence, err))
		return false;
	return (sequence == volume->id.sequence &&
		       memcmp(uuid, volume->id.uuid, sizeof(uuid)) == 0) ||
	       err_set(err, ERR_CORRUPT, "%s: holds another volume", path);
}

bool volume_open(const char *archive_path, const struct volume_id *id, enum db_mode mode,
	struct volume *ret_volume, struct err *err)
{
	CLEANUP(freep) char *path = layout_volume_path(archive_path, id);
	CLEANUP(volume_close) struct volume volume = {.id = *id};

	if (!open_file(path, mode, &volume, err) ||
		!header_has(&volume, key_root, &volume.sealed, err) ||
		!open_cipher(archive_path, &volume, err))
		return false;
	*ret_volume = volume;
	volume.db = NULL;
	volume.cipher.gcm = NULL;
	return true;
}

bool volume_open_peek(const char *archive_path, const struct volume_id *id,
	struct volume *ret_volume, struct err *err)
{
	CLEANUP(freep) char *path = layout_volume_path(archive_path, id);

	return volume_open(archive_path, id, db_peek_mode(path), ret_volume, err);
}

const struct frame_cipher *volume_cipher(const struct volume *volume)
{
	return volume->cipher.gcm ? &volume->cipher : NULL;
}

bool volume_keyring(const char *archive_path, const struct volume_id *id, struct buf *ret_bytes,
	struct err *err)
{
	CLEANUP(freep) char *path = layout_volume_path(archive_path, id);
	CLEANUP(volume_close) struct volume volume = {.id = *id};
	const void *data;
	size_t len;
	bool row;
	bool fits;

	if (!open_file(path, db_peek_mode(path), &volume, err))
		return false;
	buf_reset(ret_bytes);
	db_bind_text(volume.db, VOLUME_HEADER_GET, "key", key_slots);
	if (!db_step(volume.db, VOLUME_HEADER_GET, &row, err))
		return false;
	if (!row)
		return true;
	data = db_blob(volume.db, VOLUME_HEADER_GET, 0, &len);
	fits = buf_add(ret_bytes, data, len);
	db_reset(volume.db, VOLUME_HEADER_GET);
	return fits || err_set(err, ERR_CORRUPT, "%s: its keyring is too large", path);
}

bool volume_peek_key_epoch(
	const char *archive_path, const struct volume_id *id, uint32_t *ret_epoch, struct err *err)
{
	CLEANUP(freep) char *path = layout_volume_path(archive_path, id);
	CLEANUP(volume_close) struct volume volume = {.id = *id};

	return open_file(path, db_peek_mode(path), &volume, err) &&
	       header_epoch(&volume, ret_epoch, err);
}

bool volume_peek_archive(const char *path, const struct volume_id *id,
	uint8_t ret_uuid[ARCHIVE_UUID_BYTES], struct err *err)
{
	CLEANUP(volume_close) struct volume volume = {.id = *id};

	return open_file(path, db_peek_mode(path), &volume, err) &&
	       volume_archive_uuid(&volume, ret_uuid, err);
}

void volume_close(struct volume *volume)
{
	db_freep(&volume->db);
	gcm_freep(&volume->cipher.gcm);
}

/* --- sealed ones --- */

bool volume_replaces(struct volume *volume, uint8_t ret_uuid[ARCHIVE_UUID_BYTES], struct err *err)
{
	return header_uuid(volume, key_replaces, ret_uuid, err);
}

bool volume_peek_seal(const char *archive_path, const struct volume_id *id, bool *ret_sealed,
	uint8_t ret_replaces[ARCHIVE_UUID_BYTES], struct err *err)
{
	CLEANUP(freep) char *path = layout_volume_path(archive_path, id);
	CLEANUP(volume_close) struct volume volume = {.id = *id};

	return open_file(path, db_peek_mode(path), &volume, err) &&
	       header_has(&volume, key_root, ret_sealed, err) &&
	       (!*ret_sealed || header_uuid(&volume, key_replaces, ret_replaces, err));
}

bool volume_create_sealed(const char *archive_path, struct volume *instead,
	struct volume *ret_volume, struct err *err)
{
	CLEANUP(volume_close)
	struct volume volume = {.id.sequence = instead->id.sequence, .sealed = true};
	uint8_t archive_uuid[ARCHIVE_UUID_BYTES];
	struct birth birth = {
		.archive_uuid = archive_uuid, .id = &volume.id, .replaces = instead->id.uuid};
	CLEANUP(freep) char *path = NULL;
	CLEANUP(freep) char *beside = NULL;

	volume_new_uuid(volume.id.uuid);
	path = layout_volume_path(archive_path, &volume.id);
	beside = layout_unfinished_path(path);
	if (!volume_archive_uuid(instead, archive_uuid, err) ||
		!volume_owner_epoch(instead, &birth.epoch, err) ||
		!create_at(archive_path, beside, &birth, &volume.db, err) ||
		!open_cipher(archive_path, &volume, err))
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
	db_bind_text(volume->db, VOLUME_HEADER_GET, "key", key_root);
	if (!volume_root(volume, root, err) || !db_step(volume->db, VOLUME_HEADER_GET, &row, err))
		return false;
	known = row ? db_blob(volume->db, VOLUME_HEADER_GET, 0, &len) : NULL;
	same = known && len == SHA256_BYTES && memcmp(known, root, SHA256_BYTES) == 0;
	if (row)
		db_reset(volume->db, VOLUME_HEADER_GET);
	return same || err_set(err, ERR_CORRUPT, "its frames are not those it was sealed with");
}

static bool put_seal(struct volume *volume, struct err *err)
{
	uint8_t root[SHA256_BYTES];

	if (!volume_root(volume, root, err))
		return false;
	db_bind_text(volume->db, VOLUME_HEADER_PUT, "key", key_root);
	db_bind_blob(volume->db, VOLUME_HEADER_PUT, "value", root, SHA256_BYTES);
	return db_run(volume->db, VOLUME_HEADER_PUT, err) &&
	       put_header_int(volume->db, "sealed_ms", clock_wall_ms(), err);
}

bool volume_finish_sealed(struct volume *volume, struct err *err)
{
	return db_begin(volume->db, err) && put_seal(volume, err) && db_commit(volume->db, err) &&
	       db_wal_checkpoint(volume->db, true, err);
}

bool volume_publish_sealed(const char *archive_path, struct volume *volume, struct err *err)
{
	CLEANUP(freep) char *path = layout_volume_path(archive_path, &volume->id);
	CLEANUP(freep) char *beside = xstrdup(db_path(volume->db));

	volume_close(volume);
	return db_remove_wal(beside, err) && fs_chmod(beside, LAYOUT_CLOSED_VOLUME_MODE, err) &&
	       fs_rename(beside, path, err);
}
