/* Keyrings as files, the secrets that open them, and the list of keys. */
#include <string.h>

#include "archive/format/layout.h"
#include "archive/keys/vault.h"
#include "archive/volume/writer_lock.h"
#include "base/fs.h"
#include "base/rand.h"
#include "base/str.h"

/* --- keyrings --- */

static bool read_copy(const char *archive_path, struct buf *ret_bytes, struct err *err)
{
	CLEANUP(volume_list_free) struct volume_list list = {0};

	if (!volume_list(archive_path, &list, err))
		return false;
	for (size_t i = list.count; i > 0; i--) {
		if (!volume_keyring(archive_path, &list.items[i - 1], ret_bytes, err))
			return false;
		if (ret_bytes->len > 0)
			return true;
	}
	return true;
}

bool archive_mend_keyring(const char *path, struct err *err)
{
	CLEANUP(buf_free) struct buf bytes = BUF_INIT(KEYRING_FILE_BYTES_MAX);
	CLEANUP(freep) char *file = layout_keyring_path(path);
	struct keyring keyring;

	if (fs_exists(file))
		return true;
	if (!read_copy(path, &bytes, err))
		return false;
	return bytes.len == 0 ||
	       (keyring_decode(bytes.data, bytes.len, &keyring, err) &&
		       fs_write_atomic(file, bytes.data, bytes.len, LAYOUT_FILE_MODE, err));
}

bool archive_lacks_keyring(const char *path)
{
	CLEANUP(volume_list_free) struct volume_list list = {0};
	CLEANUP(freep) char *file = layout_keyring_path(path);
	struct err unreadable = ERR_INIT;
	uint32_t epoch;

	return !fs_exists(file) && volume_list(path, &list, &unreadable) && list.count > 0 &&
	       volume_peek_key_epoch(path, &list.items[list.count - 1], &epoch, &unreadable) &&
	       epoch > 0;
}

bool archive_needs_secret(const char *path)
{
	return archive_is_encrypted(path) || archive_lacks_keyring(path);
}

bool vault_keyring_bytes(
	const char *archive_path, struct vault_view *view, struct buf *ret_bytes, struct err *err)
{
	buf_reset(ret_bytes);
	if (!view->encrypted)
		return true;
	if (view->keyring.count == 0)
		return read_copy(archive_path, ret_bytes, err);
	keyring_finish_change(&view->keyring);
	keyring_encode(&view->keyring, view->master, ret_bytes);
	return true;
}

bool vault_read_keyring(const char *archive_path, struct keyring *ret_keyring, struct err *err)
{
	CLEANUP(buf_free) struct buf bytes = BUF_INIT(KEYRING_FILE_BYTES_MAX);
	CLEANUP(freep) char *path = layout_keyring_path(archive_path);

	if (fs_exists(path) && !fs_is_file(path))
		return err_set(err, ERR_CORRUPT, "%s: is no file", path);
	if (fs_exists(path) ? !fs_read(path, &bytes, err) : !read_copy(archive_path, &bytes, err))
		return false;
	if (bytes.len == 0)
		return err_set(err, ERR_NOT_FOUND, "%s: is not encrypted", archive_path);
	return keyring_decode(bytes.data, bytes.len, ret_keyring, err) || err_wrap(err, "%s", path);
}

bool vault_write_keyring(const char *archive_path, struct keyring *keyring,
	const struct secret *master, struct err *err)
{
	CLEANUP(buf_free) struct buf bytes = BUF_INIT(KEYRING_FILE_BYTES_MAX);
	CLEANUP(freep) char *path = layout_keyring_path(archive_path);

	keyring_encode(keyring, master, &bytes);
	return fs_write_atomic(path, bytes.data, bytes.len, LAYOUT_FILE_MODE, err);
}

/* --- secrets --- */

enum keyring_kind vault_kind(const struct archive_secret *secret)
{
	static const enum keyring_kind kinds[] = {
		[ARCHIVE_PASSPHRASE] = KEYRING_PASSPHRASE,
		[ARCHIVE_KEY] = KEYRING_KEY,
		[ARCHIVE_RECOVERY_KEY] = KEYRING_RECOVERY,
	};

	return kinds[secret->kind];
}

bool vault_secret_bytes(
	const struct archive_secret *secret, struct secret **ret_bytes, struct err *err)
{
	CLEANUP(secret_freep) struct secret *bytes = NULL;

	if (secret->len == 0 || secret->len > SECRET_BYTES_MAX)
		return err_set(err, ERR_AUTH, "an empty passphrase or key");
	switch (secret->kind) {
	case ARCHIVE_PASSPHRASE:
		bytes = secret_copy(secret->text, secret->len);
		break;
	case ARCHIVE_KEY:
		bytes = secret_new(KEYRING_KEY_BYTES);
		if (!keyring_key_parse(secret->text, secret->len, bytes->data))
			return err_set(err, ERR_AUTH, "a key is 64 hexadecimal digits");
		break;
	case ARCHIVE_RECOVERY_KEY:
		bytes = secret_new(KEYRING_RECOVERY_BYTES);
		if (!keyring_recovery_parse(secret->text, secret->len, bytes->data))
			return err_set(err, ERR_AUTH,
				"not a recovery key: it is nine groups of four letters and "
				"digits, and one of them is mistyped");
		break;
	}
	*ret_bytes = TAKE(bytes);
	return true;
}

bool archive_unlock(const char *path, const struct archive_secret *secret, struct err *err)
{
	CLEANUP(secret_freep) struct secret *bytes = NULL;
	CLEANUP(secret_freep) struct secret *master = NULL;
	struct keyring keyring;

	if (!vault_secret_bytes(secret, &bytes, err) || !vault_read_keyring(path, &keyring, err))
		return false;
	if (!keyring_unwrap(&keyring, vault_kind(secret), bytes->data, bytes->len, &master, err))
		return err_wrap(err, "%s", path);
	vault_put(path, keyring.epoch, master);
	return true;
}

bool vault_make(const char *archive_path, const uint8_t uuid[ARCHIVE_UUID_BYTES],
	const struct archive_secret *secret, int64_t plain_until, struct err *err)
{
	CLEANUP(secret_freep) struct secret *bytes = NULL;
	CLEANUP(secret_freep) struct secret *master = NULL;
	struct keyring keyring;
	uint32_t id;

	if (!vault_secret_bytes(secret, &bytes, err))
		return false;
	keyring_make(uuid, &keyring, &master);
	if (!keyring_add(&keyring, master, vault_kind(secret), bytes->data, bytes->len, &id, err))
		return false;
	if (plain_until > 0)
		keyring_from_plain(&keyring, plain_until);
	if (!vault_write_keyring(archive_path, &keyring, master, err))
		return false;
	vault_put(archive_path, keyring.epoch, master);
	return true;
}

/* --- the list of keys --- */

bool archive_each_key(const char *path,
	bool (*each)(void *context, const struct archive_key *key, struct err *err), void *context,
	struct err *err)
{
	struct keyring keyring;

	if (!vault_read_keyring(path, &keyring, err))
		return false;
	for (size_t i = 0; i < keyring.count; i++) {
		const struct keyring_slot *slot = &keyring.slots[i];
		const struct archive_key key = {
			.id = slot->id,
			.kind = keyring_kind_name(slot->kind),
			.created_ms = slot->created_ms,
		};

		if (!each(context, &key, err))
			return false;
	}
	return true;
}

/* The lock keeps two commands from losing each other's change. */
static bool change_begin(
	const char *path, int *ret_lock, struct vault_view *ret_view, struct err *err)
{
	if (!writer_lock_take(path, ARCHIVE_LOCK_TIMEOUT_MS, ret_lock, err) ||
		!vault_look(path, ret_view, err))
		return false;
	return ret_view->keyring.count > 0 || vault_read_keyring(path, &ret_view->keyring, err);
}

bool archive_add_key(
	const char *path, const struct archive_secret *secret, uint32_t *ret_id, struct err *err)
{
	CLEANUP(secret_freep) struct secret *bytes = NULL;
	CLEANUP(vault_view_free) struct vault_view view = {0};
	CLEANUP(fs_unlock) int lock = -1;

	return vault_secret_bytes(secret, &bytes, err) && change_begin(path, &lock, &view, err) &&
	       keyring_add(&view.keyring, view.master, vault_kind(secret), bytes->data, bytes->len,
		       ret_id, err) &&
	       vault_write_keyring(path, &view.keyring, view.master, err);
}

bool archive_remove_key(const char *path, uint32_t id, struct err *err)
{
	CLEANUP(vault_view_free) struct vault_view view = {0};
	CLEANUP(fs_unlock) int lock = -1;

	return change_begin(path, &lock, &view, err) && keyring_remove(&view.keyring, id, err) &&
	       vault_write_keyring(path, &view.keyring, view.master, err);
}

void archive_new_recovery_key(char out[ARCHIVE_RECOVERY_KEY_TEXT])
{
	CLEANUP(secret_freep) struct secret *key = secret_new(KEYRING_RECOVERY_BYTES);

	_Static_assert((int)ARCHIVE_RECOVERY_KEY_TEXT == (int)KEYRING_RECOVERY_TEXT,
		"one length, two headers");
	rand_bytes(key->data, key->len);
	keyring_recovery_print(key->data, out);
}

bool archive_find_key(
	const char *path, const struct archive_secret *secret, uint32_t *ret_id, struct err *err)
{
	CLEANUP(secret_freep) struct secret *bytes = NULL;
	struct keyring keyring;
	bool fits = false;

	if (!vault_secret_bytes(secret, &bytes, err) || !vault_read_keyring(path, &keyring, err))
		return false;
	for (size_t i = 0; i < keyring.count && !fits; i++) {
		if (keyring.slots[i].kind != vault_kind(secret))
			continue;
		if (!keyring_slot_fits(
			    &keyring, &keyring.slots[i], bytes->data, bytes->len, &fits, err))
			return false;
		*ret_id = keyring.slots[i].id;
	}
	return fits || err_set(err, ERR_AUTH, "it opens none of the archive's keys");
}
