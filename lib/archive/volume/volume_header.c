#include "archive/volume/volume_header.h"

#include <string.h>

#include "archive/volume/volume_sql.h"
#include "base/fs.h"
#include "base/str.h"

enum { CACHE_KIB = 1024, BUSY_MS = 10 * 1000 };

const struct db_options volume_db_options = {
	.kind = &volume_kind,
	.full_sync = true,
	.secure_delete = true,
	.cache_kib = CACHE_KIB,
	.busy_timeout_ms = BUSY_MS,
};

const char volume_header_archive[] = "archive";
const char volume_header_volume[] = "volume";
const char volume_header_sequence[] = "sequence";
const char volume_header_owner_epoch[] = "epoch";
const char volume_header_key_epoch[] = "key_epoch";
const char volume_header_keyring[] = "key_slots";
const char volume_header_root[] = "root";
const char volume_header_replaces[] = "replaces";

/* --- entries --- */

bool volume_header_put_int(struct db *db, const char *key, int64_t value, struct err *err)
{
	db_bind_text(db, VOLUME_HEADER_PUT, "key", key);
	db_bind_int(db, VOLUME_HEADER_PUT, "value", value);
	return db_run(db, VOLUME_HEADER_PUT, err);
}

bool volume_header_put_blob(
	struct db *db, const char *key, const void *data, size_t len, struct err *err)
{
	db_bind_text(db, VOLUME_HEADER_PUT, "key", key);
	db_bind_blob(db, VOLUME_HEADER_PUT, "value", data, len);
	return db_run(db, VOLUME_HEADER_PUT, err);
}

bool volume_header_uuid(
	struct db *db, const char *key, uint8_t ret_uuid[ARCHIVE_UUID_BYTES], struct err *err)
{
	const void *value;
	bool row;
	size_t len;

	db_bind_text(db, VOLUME_HEADER_GET, "key", key);
	if (!db_step(db, VOLUME_HEADER_GET, &row, err))
		return false;
	value = row ? db_blob(db, VOLUME_HEADER_GET, 0, &len) : NULL;
	if (!value || len != ARCHIVE_UUID_BYTES) {
		db_reset(db, VOLUME_HEADER_GET);
		return err_set(err, ERR_CORRUPT, "%s: header lacks '%s'", db_path(db), key);
	}
	memcpy(ret_uuid, value, len);
	db_reset(db, VOLUME_HEADER_GET);
	return true;
}

bool volume_header_int(
	struct db *db, const char *key, bool *ret_has, int64_t *ret_value, struct err *err)
{
	*ret_value = 0;
	db_bind_text(db, VOLUME_HEADER_GET, "key", key);
	if (!db_step(db, VOLUME_HEADER_GET, ret_has, err))
		return false;
	if (!*ret_has)
		return true;
	*ret_value = db_int(db, VOLUME_HEADER_GET, 0);
	db_reset(db, VOLUME_HEADER_GET);
	return true;
}

bool volume_header_has(struct db *db, const char *key, bool *ret_has, struct err *err)
{
	db_bind_text(db, VOLUME_HEADER_GET, "key", key);
	if (!db_step(db, VOLUME_HEADER_GET, ret_has, err))
		return false;
	if (*ret_has)
		db_reset(db, VOLUME_HEADER_GET);
	return true;
}

bool volume_header_read_key_epoch(struct db *db, uint32_t *ret_key_epoch, struct err *err)
{
	int64_t key_epoch;
	bool has;

	if (!volume_header_int(db, volume_header_key_epoch, &has, &key_epoch, err))
		return false;
	if (has && (key_epoch < 1 || key_epoch > UINT32_MAX))
		return err_set(err, ERR_CORRUPT, "%s: its header is damaged", db_path(db));
	*ret_key_epoch = (uint32_t)key_epoch;
	return true;
}

/* --- files --- */

bool volume_header_open(const char *path, const struct volume_id *id, enum db_mode mode,
	struct db **ret_db, struct err *err)
{
	struct db_options options = volume_db_options;
	CLEANUP(db_freep) struct db *db = NULL;
	uint8_t uuid[ARCHIVE_UUID_BYTES];
	int64_t sequence;
	bool has;

	options.mode = mode;
	if (!fs_exists(path))
		return err_set(err, ERR_CORRUPT, "%s: volume is missing", path);
	if (!db_open(path, &options, &db, err) ||
		!volume_header_uuid(db, volume_header_volume, uuid, err) ||
		!volume_header_int(db, volume_header_sequence, &has, &sequence, err))
		return false;
	if (sequence != id->sequence || memcmp(uuid, id->uuid, sizeof(uuid)) != 0)
		return err_set(err, ERR_CORRUPT, "%s: holds another volume", path);
	*ret_db = TAKE(db);
	return true;
}

static bool peek(
	const char *archive_path, const struct volume_id *id, struct db **ret_db, struct err *err)
{
	CLEANUP(freep) char *path = layout_volume_path(archive_path, id);

	return volume_header_open(path, id, db_peek_mode(path), ret_db, err);
}

bool volume_peek_keyring(const char *archive_path, const struct volume_id *id,
	struct buf *ret_bytes, struct err *err)
{
	CLEANUP(db_freep) struct db *db = NULL;
	const void *data;
	size_t len;
	bool row;
	bool fits;

	if (!peek(archive_path, id, &db, err))
		return false;
	buf_reset(ret_bytes);
	db_bind_text(db, VOLUME_HEADER_GET, "key", volume_header_keyring);
	if (!db_step(db, VOLUME_HEADER_GET, &row, err))
		return false;
	if (!row)
		return true;
	data = db_blob(db, VOLUME_HEADER_GET, 0, &len);
	fits = buf_add(ret_bytes, data, len);
	db_reset(db, VOLUME_HEADER_GET);
	return fits || err_set(err, ERR_CORRUPT, "%s: its keyring is too large", db_path(db));
}

bool volume_peek_key_epoch(const char *archive_path, const struct volume_id *id,
	uint32_t *ret_key_epoch, struct err *err)
{
	CLEANUP(db_freep) struct db *db = NULL;

	return peek(archive_path, id, &db, err) &&
	       volume_header_read_key_epoch(db, ret_key_epoch, err);
}

bool volume_peek_archive(const char *path, const struct volume_id *id,
	uint8_t ret_uuid[ARCHIVE_UUID_BYTES], struct err *err)
{
	CLEANUP(db_freep) struct db *db = NULL;

	return volume_header_open(path, id, db_peek_mode(path), &db, err) &&
	       volume_header_uuid(db, volume_header_archive, ret_uuid, err);
}

bool volume_peek_seal(const char *archive_path, const struct volume_id *id, bool *ret_sealed,
	uint8_t ret_replaces[ARCHIVE_UUID_BYTES], struct err *err)
{
	CLEANUP(db_freep) struct db *db = NULL;

	return peek(archive_path, id, &db, err) &&
	       volume_header_has(db, volume_header_root, ret_sealed, err) &&
	       (!*ret_sealed || volume_header_uuid(db, volume_header_replaces, ret_replaces, err));
}
