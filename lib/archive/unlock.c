#include "archive/unlock.h"

#include "archive/keys/keyring_file.h"
#include "archive/keys/keys.h"
#include "archive/keys/secrets.h"
#include "archive/volume/keyring_copy.h"
#include "archive/volume/volume_header.h"
#include "archive/volume/volume_list.h"
#include "archive/volume/writer_lock.h"
#include "base/fs.h"

/* --- a lost keyring --- */

bool archive_mend_keyring(const char *path, struct err *err)
{
	CLEANUP(buf_free) struct buf bytes = BUF_INIT(KEYRING_FILE_BYTES_MAX);
	struct keyring keyring;

	if (keyring_file_exists(path))
		return true;
	if (!keyring_copy_newest(path, &bytes, err))
		return false;
	return bytes.len == 0 || (keyring_decode(bytes.data, bytes.len, &keyring, err) &&
					 keyring_file_write_copy(path, &bytes, err));
}

bool archive_lacks_keyring(const char *path)
{
	CLEANUP(volume_list_free) struct volume_list list = {0};
	struct err unreadable = ERR_INIT;
	uint32_t key_epoch;

	return !keyring_file_exists(path) && volume_list(path, &list, &unreadable) &&
	       list.count > 0 &&
	       volume_peek_key_epoch(path, &list.items[list.count - 1], &key_epoch, &unreadable) &&
	       key_epoch > 0;
}

bool archive_needs_secret(const struct archive_ref *archive)
{
	return archive_is_encrypted(archive) || archive_lacks_keyring(archive->path);
}

/* --- unlocking --- */

struct archive_secret archive_secret_by_form(const char *text, size_t len)
{
	uint8_t bytes[KEYRING_KEY_BYTES];
	struct archive_secret secret = {ARCHIVE_PASSPHRASE, text, len};

	if (keyring_recovery_parse(text, len, bytes))
		secret.kind = ARCHIVE_RECOVERY_KEY;
	else if (keyring_key_parse(text, len, bytes))
		secret.kind = ARCHIVE_KEY;
	crypto_wipe(bytes, sizeof(bytes));
	return secret;
}

bool archive_unlock(
	const struct archive_ref *archive, const struct archive_secret *secret, struct err *err)
{
	CLEANUP(secret_freep) struct secret *bytes = NULL;
	CLEANUP(secret_freep) struct secret *master = NULL;
	struct keyring keyring;

	if (!secrets_bytes(secret, &bytes, err) ||
		!keyring_file_or_copy(archive->path, &keyring, err))
		return false;
	if (!keyring_unwrap(&keyring, secrets_kind(secret), bytes->data, bytes->len, &master, err))
		return err_wrap(err, "%s", archive->path);
	keys_put(archive->keys, keyring.key_epoch, master);
	return true;
}

/* --- the list of keys --- */

bool archive_each_key(const char *path,
	bool (*each)(void *context, const struct archive_key *key, struct err *err), void *context,
	struct err *err)
{
	struct keyring keyring;

	if (!keyring_file_or_copy(path, &keyring, err))
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

/* Under the writer lock, so that two commands cannot lose each other's change. keyring_file_write()
 * replaces the file atomically: after a crash, the old keys open the archive or the new ones do. */
static bool change_begin(const struct archive_ref *archive, int *ret_lock,
	struct keys_view *ret_view, struct err *err)
{
	if (!writer_lock_take(archive->path, ARCHIVE_LOCK_TIMEOUT_MS, ret_lock, err) ||
		!keys_look(archive, ret_view, err))
		return false;
	return ret_view->keyring.count > 0 ||
	       keyring_file_or_copy(archive->path, &ret_view->keyring, err);
}

bool archive_add_key(const struct archive_ref *archive, const struct archive_secret *secret,
	uint32_t *ret_id, struct err *err)
{
	CLEANUP(secret_freep) struct secret *bytes = NULL;
	CLEANUP(keys_view_free) struct keys_view view = {0};
	CLEANUP(fs_unlock) int lock = -1;

	return secrets_bytes(secret, &bytes, err) && change_begin(archive, &lock, &view, err) &&
	       keyring_add(&view.keyring, view.master, secrets_kind(secret), bytes->data,
		       bytes->len, ret_id, err) &&
	       keyring_file_write(archive->path, &view.keyring, view.master, err);
}

bool archive_remove_key(const struct archive_ref *archive, uint32_t id, struct err *err)
{
	CLEANUP(keys_view_free) struct keys_view view = {0};
	CLEANUP(fs_unlock) int lock = -1;

	return change_begin(archive, &lock, &view, err) && keyring_remove(&view.keyring, id, err) &&
	       keyring_file_write(archive->path, &view.keyring, view.master, err);
}

bool archive_find_key(
	const char *path, const struct archive_secret *secret, uint32_t *ret_id, struct err *err)
{
	CLEANUP(secret_freep) struct secret *bytes = NULL;
	struct keyring keyring;
	bool fits = false;

	if (!secrets_bytes(secret, &bytes, err) || !keyring_file_or_copy(path, &keyring, err))
		return false;
	for (size_t i = 0; i < keyring.count && !fits; i++) {
		if (keyring.slots[i].kind != secrets_kind(secret))
			continue;
		if (!keyring_slot_fits(
			    &keyring, &keyring.slots[i], bytes->data, bytes->len, &fits, err))
			return false;
		*ret_id = keyring.slots[i].id;
	}
	return fits || err_set(err, ERR_AUTH, "this secret opens none of the archive's keys");
}
