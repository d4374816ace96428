#include "archive/volume.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "archive/vault.h"
#include "archive/volume_sql.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/fs.h"
#include "base/rand.h"
#include "base/str.h"

enum {
	CACHE_KIB = 1024,
	BUSY_MS = 10 * 1000,
	NAME_MAX_BYTES = 64,
	SEQUENCE_DIGITS = 8,
	UUID_DIGITS = 36,
};

static const char name_end[] = ".vol";
static const char key_epoch[] = "key_epoch";
static const char key_slots[] = "key_slots";

/* --- names --- */

void volume_new_uuid(uint8_t out[ARCHIVE_UUID_BYTES])
{
	rand_bytes(out, ARCHIVE_UUID_BYTES);
	out[6] = (uint8_t)((out[6] & 0x0f) | 0x40);
	out[8] = (uint8_t)((out[8] & 0x3f) | 0x80);
}

static void format_name(const struct volume_id *id, char out[NAME_MAX_BYTES])
{
	const uint8_t *uuid = id->uuid;
	int len = snprintf(out, NAME_MAX_BYTES, "%0*" PRId64 "-", SEQUENCE_DIGITS, id->sequence);

	for (size_t i = 0; i < ARCHIVE_UUID_BYTES; i++)
		len += snprintf(out + len, NAME_MAX_BYTES - (size_t)len, "%s%02x",
			i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", uuid[i]);
	(void)snprintf(out + len, NAME_MAX_BYTES - (size_t)len, "%s", name_end);
}

/* Only what format_name() would write is a volume's name. */
static bool parse_name(const char *name, struct volume_id *ret_id)
{
	struct volume_id id = {0};
	char again[NAME_MAX_BYTES];
	const char *at = strchr(name, '-');
	uint64_t sequence;
	CLEANUP(freep) char *digits = at ? xstrndup(name, (size_t)(at - name)) : NULL;
	char *end = digits;

	if (!at || strlen(name) >= NAME_MAX_BYTES || strlen(at) < 1 + UUID_DIGITS)
		return false;
	sequence = strtoull(digits, &end, 10);
	if (*end || sequence == 0 || sequence > INT64_MAX)
		return false;
	id.sequence = (int64_t)sequence;
	at++;
	for (size_t i = 0; i < ARCHIVE_UUID_BYTES; i++) {
		char pair[3] = "";

		at += *at == '-';
		if (strlen(at) < 2)
			return false;
		memcpy(pair, at, 2);
		id.uuid[i] = (uint8_t)strtoul(pair, &end, 16);
		if (*end)
			return false;
		at += 2;
	}
	format_name(&id, again);
	*ret_id = id;
	return strcmp(name, again) == 0;
}

char *volume_folder(const char *archive_path)
{
	return str_printf("%s/volumes", archive_path);
}

char *volume_path(const char *archive_path, const struct volume_id *id)
{
	char name[NAME_MAX_BYTES];

	format_name(id, name);
	return str_printf("%s/volumes/%s", archive_path, name);
}

/* --- making and opening --- */

struct birth {
	const uint8_t *archive_uuid;
	const struct volume_id *id;
	const struct buf *keyring; /* empty: plain */
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
	       put_header_int(db, "epoch", 1, err) &&
	       put_header_int(db, "created_ms", clock_wall_ms(), err) &&
	       put_keyring(db, birth->keyring, err);
}

bool volume_create(const char *archive_path, const uint8_t archive_uuid[ARCHIVE_UUID_BYTES],
	int64_t sequence, struct volume_id *ret_id, struct err *err)
{
	CLEANUP(secret_freep) struct secret *key = NULL;
	CLEANUP(buf_free) struct buf keyring = BUF_INIT(KEYRING_FILE_BYTES_MAX);
	struct volume_id id = {.sequence = sequence};
	struct birth birth = {archive_uuid, &id, &keyring};
	const struct db_options options = {
		.kind = &volume_kind,
		.mode = DB_CREATE,
		.full_sync = true,
		.secure_delete = true,
		.busy_timeout_ms = BUSY_MS,
		.init = write_header,
		.init_context = &birth,
	};
	CLEANUP(db_freep) struct db *db = NULL;
	CLEANUP(freep) char *path = NULL;

	volume_new_uuid(id.uuid);
	path = volume_path(archive_path, &id);
	if (!vault_key(archive_path, id.uuid, "frame", &key, err) ||
		!vault_keyring_bytes(archive_path, &keyring, err))
		return false;
	if (key && keyring.len == 0)
		return err_set(err, ERR_CORRUPT, "%s: its keyring is lost", archive_path);
	if (!db_open(path, &options, &db, err))
		return false;
	*ret_id = id;
	return true;
}

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

static bool header_has(struct volume *volume, const char *key, bool *ret_has, struct err *err)
{
	db_bind_text(volume->db, VOLUME_HEADER_GET, "key", key);
	if (!db_step(volume->db, VOLUME_HEADER_GET, ret_has, err))
		return false;
	if (*ret_has)
		db_reset(volume->db, VOLUME_HEADER_GET);
	return true;
}

/* All volumes of an archive are encrypted or none is: a plain one among them was put there. */
static bool open_cipher(const char *archive_path, struct volume *volume, struct err *err)
{
	CLEANUP(secret_freep) struct secret *key = NULL;
	bool sealed;

	if (!header_has(volume, key_epoch, &sealed, err) ||
		!vault_key(archive_path, volume->id.uuid, "frame", &key, err))
		return false;
	if (sealed && !key)
		return err_set(err, ERR_AUTH, "%s: is encrypted: its passphrase or key is needed",
			db_path(volume->db));
	if (!sealed && key)
		return err_set(err, ERR_CORRUPT, "%s: is a plain volume in an encrypted archive",
			db_path(volume->db));
	if (!sealed)
		return true;
	memcpy(volume->cipher.volume, volume->id.uuid, ARCHIVE_UUID_BYTES);
	volume->cipher.gcm = gcm_new(key->data);
	return header_uuid(volume, "archive", volume->cipher.archive, err);
}

static bool open_file(
	const char *archive_path, enum db_mode mode, struct volume *volume, struct err *err)
{
	const struct db_options options = {
		.kind = &volume_kind,
		.mode = mode,
		.full_sync = true,
		.secure_delete = true,
		.cache_kib = CACHE_KIB,
		.busy_timeout_ms = BUSY_MS,
	};
	CLEANUP(freep) char *path = volume_path(archive_path, &volume->id);
	uint8_t uuid[ARCHIVE_UUID_BYTES];

	if (!fs_exists(path))
		return err_set(err, ERR_CORRUPT, "%s: volume is missing", path);
	if (!db_open(path, &options, &volume->db, err) || !header_uuid(volume, "volume", uuid, err))
		return false;
	return memcmp(uuid, volume->id.uuid, sizeof(uuid)) == 0 ||
	       err_set(err, ERR_CORRUPT, "%s: holds another volume", path);
}

bool volume_open(const char *archive_path, const struct volume_id *id, enum db_mode mode,
	struct volume *ret_volume, struct err *err)
{
	CLEANUP(volume_close) struct volume volume = {.id = *id};

	if (!open_file(archive_path, mode, &volume, err) ||
		!open_cipher(archive_path, &volume, err))
		return false;
	*ret_volume = volume;
	volume.db = NULL;
	volume.cipher.gcm = NULL;
	return true;
}

const struct frame_cipher *volume_cipher(const struct volume *volume)
{
	return volume->cipher.gcm ? &volume->cipher : NULL;
}

bool volume_keyring(const char *archive_path, const struct volume_id *id, struct buf *ret_bytes,
	struct err *err)
{
	CLEANUP(freep) char *path = volume_path(archive_path, id);
	CLEANUP(volume_close) struct volume volume = {.id = *id};
	const void *data;
	size_t len;
	bool row;
	bool fits;

	if (!open_file(archive_path, db_has_wal(path) ? DB_PEEK : DB_IMMUTABLE, &volume, err))
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

bool volume_peek_archive(const char *archive_path, const struct volume_id *id,
	uint8_t ret_uuid[ARCHIVE_UUID_BYTES], struct err *err)
{
	CLEANUP(freep) char *path = volume_path(archive_path, id);
	CLEANUP(volume_close) struct volume volume = {.id = *id};

	return open_file(archive_path, db_has_wal(path) ? DB_PEEK : DB_IMMUTABLE, &volume, err) &&
	       volume_archive_uuid(&volume, ret_uuid, err);
}

void volume_close(struct volume *volume)
{
	db_freep(&volume->db);
	gcm_freep(&volume->cipher.gcm);
}

/* --- the folder --- */

static int by_sequence(const void *a, const void *b)
{
	const struct volume_id *left = a;
	const struct volume_id *right = b;

	return (left->sequence > right->sequence) - (left->sequence < right->sequence);
}

static bool read_names(const char *folder, struct volume_list *list, struct err *err)
{
	DIR *dir = opendir(folder);
	struct dirent *entry;

	if (!dir)
		return err_errno(
			err, errno == ENOENT ? ERR_NOT_FOUND : ERR_LOCAL, errno, "%s", folder);
	while ((entry = readdir(dir))) {
		struct volume_id id;

		if (!parse_name(entry->d_name, &id))
			continue;
		ARRAY_GROW(list->items, list->count, list->cap);
		list->items[list->count++] = id;
	}
	(void)closedir(dir);
	return true;
}

bool volume_list(const char *archive_path, struct volume_list *ret_list, struct err *err)
{
	CLEANUP(freep) char *folder = volume_folder(archive_path);
	CLEANUP(volume_list_free) struct volume_list list = {0};

	if (!read_names(folder, &list, err))
		return false;
	if (list.count)
		qsort(list.items, list.count, sizeof(*list.items), by_sequence);
	for (size_t i = 1; i < list.count; i++)
		if (list.items[i].sequence == list.items[i - 1].sequence)
			return err_set(err, ERR_CORRUPT,
				"%s: two volumes have the sequence %" PRId64, folder,
				list.items[i].sequence);
	*ret_list = list;
	list = (struct volume_list){0};
	return true;
}

void volume_list_free(struct volume_list *list)
{
	free(list->items);
	*list = (struct volume_list){0};
}

/* --- frames --- */

bool volume_put_frame(
	struct volume *volume, int64_t frame_id, const struct frame *frame, struct err *err)
{
	struct db *db = volume->db;

	db_bind_int(db, VOLUME_FRAME_PUT, "id", frame_id);
	db_bind_int(db, VOLUME_FRAME_PUT, "kind", frame->kind);
	db_bind_int(db, VOLUME_FRAME_PUT, "codec", frame->codec);
	db_bind_int(db, VOLUME_FRAME_PUT, "rawlen", (int64_t)frame->raw_len);
	db_bind_blob(db, VOLUME_FRAME_PUT, "sha256", frame->sha256, SHA256_BYTES);
	db_bind_blob(db, VOLUME_FRAME_PUT, "data", frame->data, frame->len);
	return db_run(db, VOLUME_FRAME_PUT, err);
}

static bool unpack_row(struct volume *volume, int64_t frame_id, bool is_journal, struct zstd *zstd,
	struct buf *ret_raw, struct err *err)
{
	struct db *db = volume->db;
	int64_t raw_len = db_int(db, VOLUME_FRAME_GET, 2);
	struct frame frame = {
		.kind = (enum frame_kind)db_int(db, VOLUME_FRAME_GET, 0),
		.codec = (int)db_int(db, VOLUME_FRAME_GET, 1),
		.raw_len = raw_len < 0 ? SIZE_MAX : (size_t)raw_len,
	};
	size_t sha256_len;
	const void *sha256 = db_blob(db, VOLUME_FRAME_GET, 3, &sha256_len);

	if ((frame.kind == FRAME_JOURNAL || frame.kind == FRAME_CHECKPOINT) != is_journal)
		return err_set(err, ERR_CORRUPT, "is of another kind");
	if (sha256_len != SHA256_BYTES)
		return err_set(err, ERR_CORRUPT, "has no SHA-256");
	memcpy(frame.sha256, sha256, SHA256_BYTES);
	frame.data = db_blob(db, VOLUME_FRAME_GET, 4, &frame.len);
	return frame_unpack(zstd, volume_cipher(volume), frame_id, &frame, ret_raw, err);
}

bool volume_get_frame(struct volume *volume, int64_t frame_id, bool is_journal, struct zstd *zstd,
	struct buf *ret_raw, struct err *err)
{
	struct db *db = volume->db;
	bool ok;
	bool row;

	db_bind_int(db, VOLUME_FRAME_GET, "id", frame_id);
	if (!db_step(db, VOLUME_FRAME_GET, &row, err))
		return false;
	if (!row)
		return err_set(err, ERR_CORRUPT, "%s: frame %" PRId64 " is missing", db_path(db),
			frame_id);
	ok = unpack_row(volume, frame_id, is_journal, zstd, ret_raw, err);
	db_reset(db, VOLUME_FRAME_GET);
	return ok || err_wrap(err, "%s: frame %" PRId64, db_path(db), frame_id);
}

bool volume_check_frame(struct volume *volume, int64_t frame_id, struct err *err)
{
	struct db *db = volume->db;
	uint8_t digest[SHA256_BYTES];
	size_t len, sha256_len;
	const void *data, *sha256;
	bool row, same;

	db_bind_int(db, VOLUME_FRAME_GET, "id", frame_id);
	if (!db_step(db, VOLUME_FRAME_GET, &row, err))
		return err_wrap(err, "frame %" PRId64, frame_id);
	if (!row)
		return err_set(err, ERR_CORRUPT, "frame %" PRId64 " is missing", frame_id);
	sha256 = db_blob(db, VOLUME_FRAME_GET, 3, &sha256_len);
	data = db_blob(db, VOLUME_FRAME_GET, 4, &len);
	sha256_of(data, len, digest);
	same = sha256_len == SHA256_BYTES && memcmp(digest, sha256, SHA256_BYTES) == 0;
	db_reset(db, VOLUME_FRAME_GET);
	return same || err_set(err, ERR_CORRUPT, "frame %" PRId64 " is damaged", frame_id);
}

bool volume_count_frames(struct volume *volume, uint64_t *ret_count, struct err *err)
{
	bool row;

	if (!db_step(volume->db, VOLUME_FRAME_COUNT, &row, err))
		return false;
	assert(row);
	*ret_count = (uint64_t)db_int(volume->db, VOLUME_FRAME_COUNT, 0);
	db_reset(volume->db, VOLUME_FRAME_COUNT);
	return true;
}

bool volume_remove_frames(struct volume *volume, int64_t first, int64_t last, struct err *err)
{
	db_bind_int(volume->db, VOLUME_FRAME_REMOVE, "first", first);
	db_bind_int(volume->db, VOLUME_FRAME_REMOVE, "last", last);
	return db_run(volume->db, VOLUME_FRAME_REMOVE, err);
}

bool volume_last_frame(struct volume *volume, int64_t *ret_id, struct err *err)
{
	bool row;

	if (!db_step(volume->db, VOLUME_FRAME_LAST_ID, &row, err))
		return false;
	assert(row);
	*ret_id = db_int(volume->db, VOLUME_FRAME_LAST_ID, 0);
	db_reset(volume->db, VOLUME_FRAME_LAST_ID);
	return true;
}

bool volume_next_journal(struct volume *volume, int64_t after, int64_t *ret_id, struct err *err)
{
	bool row;

	db_bind_int(volume->db, VOLUME_JOURNAL_NEXT, "after", after);
	if (!db_step(volume->db, VOLUME_JOURNAL_NEXT, &row, err))
		return false;
	*ret_id = row ? db_int(volume->db, VOLUME_JOURNAL_NEXT, 0) : 0;
	if (row)
		db_reset(volume->db, VOLUME_JOURNAL_NEXT);
	return true;
}
