#include "archive/keys/keys.h"

#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "archive/keys/keyring_file.h"
#include "archive/keys/secrets.h"
#include "base/alloc.h"
#include "base/str.h"

struct archive_keys {
	pthread_mutex_t mutex; /* guards the fields below */
	uint32_t key_epoch;
	struct secret *master; /* NULL: locked */
};

struct archive_keys *archive_keys_new(void)
{
	struct archive_keys *keys = xcalloc(1, sizeof(*keys));

	(void)pthread_mutex_init(&keys->mutex, NULL);
	return keys;
}

void archive_keys_freep(struct archive_keys **keys)
{
	struct archive_keys *old = *keys;

	if (!old)
		return;
	secret_freep(&old->master);
	(void)pthread_mutex_destroy(&old->mutex);
	free(old);
	*keys = NULL;
}

void keys_put(struct archive_keys *keys, uint32_t key_epoch, const struct secret *master)
{
	assert(key_epoch > 0 && master->len == KEYRING_MASTER_BYTES);
	(void)pthread_mutex_lock(&keys->mutex);
	secret_freep(&keys->master);
	keys->master = secret_copy(master->data, master->len);
	keys->key_epoch = key_epoch;
	(void)pthread_mutex_unlock(&keys->mutex);
}

/* NULL: locked. */
static struct secret *copy_master(struct archive_keys *keys, uint32_t *ret_key_epoch)
{
	struct secret *copy = NULL;

	if (!keys)
		return NULL;
	(void)pthread_mutex_lock(&keys->mutex);
	if (keys->master) {
		copy = secret_copy(keys->master->data, keys->master->len);
		*ret_key_epoch = keys->key_epoch;
	}
	(void)pthread_mutex_unlock(&keys->mutex);
	return copy;
}

/* Unlocked keys keep working if the keyring is lost later. */
bool archive_is_encrypted(const struct archive_ref *archive)
{
	CLEANUP(secret_freep) struct secret *master = NULL;
	uint32_t key_epoch;

	if (keyring_file_exists(archive->path))
		return true;
	master = copy_master(archive->keys, &key_epoch);
	return master != NULL;
}

static bool get_master(const struct archive_ref *archive, struct secret **ret_master,
	uint32_t *ret_key_epoch, struct err *err)
{
	*ret_master = copy_master(archive->keys, ret_key_epoch);
	return *ret_master ||
	       err_set(err, ERR_AUTH, "%s: is encrypted: its passphrase or key is needed",
		       archive->path);
}

struct secret *keys_derive(const struct secret *master, const uint8_t *salt, const char *info)
{
	struct secret *key = secret_new(GCM_KEY_BYTES);

	hkdf_sha256(master->data, master->len, salt, salt ? ARCHIVE_UUID_BYTES : 0, info,
		strlen(info), key->data, key->len);
	return key;
}

/* --- what the keyring says now --- */

void keys_view_free(struct keys_view *view)
{
	secret_freep(&view->master);
	secret_freep(&view->previous);
}

static bool read_view(const struct archive_ref *archive, struct keys_view *view, struct err *err)
{
	uint32_t key_epoch = 0;

	if (!get_master(archive, &view->master, &key_epoch, err))
		return false;
	view->keyring.key_epoch = key_epoch;
	if (!keyring_file_exists(archive->path))
		return true;
	if (!keyring_file_read(archive->path, &view->keyring, err))
		return false;
	if (view->keyring.key_epoch != key_epoch || !keyring_is_of(&view->keyring, view->master))
		return err_set(err, ERR_BUSY, "%s: its keys have just been changed: try again",
			archive->path);
	return !view->keyring.change.under_way ||
	       keyring_previous(&view->keyring, view->master, &view->previous, err) ||
	       err_wrap(err, "%s/keyring", archive->path);
}

bool keys_look(const struct archive_ref *archive, struct keys_view *ret_view, struct err *err)
{
	CLEANUP(keys_view_free) struct keys_view view = {0};

	view.encrypted = archive_is_encrypted(archive);
	if (view.encrypted && !read_view(archive, &view, err))
		return false;
	*ret_view = view;
	view.master = NULL;
	view.previous = NULL;
	return true;
}

bool archive_is_unlocked(const struct archive_ref *archive)
{
	CLEANUP(secret_freep) struct secret *master = NULL;
	CLEANUP(keys_view_free) struct keys_view view = {0};
	struct err err = ERR_INIT;
	uint32_t key_epoch;

	master = copy_master(archive->keys, &key_epoch);
	return master && (keys_look(archive, &view, &err) || err.kind != ERR_BUSY);
}

bool keys_create(const struct archive_ref *archive, const uint8_t uuid[ARCHIVE_UUID_BYTES],
	const struct archive_secret *secret, int64_t plain_until, struct err *err)
{
	CLEANUP(secret_freep) struct secret *bytes = NULL;
	CLEANUP(secret_freep) struct secret *master = NULL;
	struct keyring keyring;
	uint32_t id;

	if (!secrets_bytes(secret, &bytes, err))
		return false;
	keyring_make(uuid, &keyring, &master);
	if (!keyring_add(&keyring, master, secrets_kind(secret), bytes->data, bytes->len, &id, err))
		return false;
	if (plain_until > 0)
		keyring_from_plain(&keyring, plain_until);
	/* durable before anything is encrypted: a crash after that must not lose the only copy */
	if (!keyring_file_write(archive->path, &keyring, master, err))
		return false;
	keys_put(archive->keys, keyring.key_epoch, master);
	return true;
}

bool keys_volume_key(const struct archive_ref *archive, const struct volume_id *id,
	uint32_t key_epoch, struct secret **ret_key, bool *ret_outdated, struct err *err)
{
	CLEANUP(keys_view_free) struct keys_view view = {0};
	const struct keyring_change *change = &view.keyring.change;
	const struct secret *master;

	*ret_key = NULL;
	*ret_outdated = false;
	if (!keys_look(archive, &view, err))
		return false;
	if (!view.encrypted)
		return key_epoch == 0 ||
		       err_set(err, ERR_AUTH, "is encrypted: its passphrase or key is needed");
	*ret_outdated = change->under_way && key_epoch == change->from_key_epoch &&
			id->sequence <= change->until;
	if (key_epoch == 0 && !*ret_outdated)
		return err_set(err, ERR_CORRUPT, "is a plain volume in an encrypted archive");
	if (key_epoch != view.keyring.key_epoch && !*ret_outdated)
		return err_set(err, ERR_CORRUPT,
			"is under master key %" PRIu32
			", but the archive under master key %" PRIu32,
			key_epoch, view.keyring.key_epoch);
	master = *ret_outdated ? view.previous : view.master;
	*ret_key = master ? keys_derive(master, id->uuid, "frame") : NULL;
	return true;
}

/* --- files beside the archive --- */

bool archive_side_key(const struct archive_ref *archive, const char *name, struct secret **ret_key,
	struct err *err)
{
	CLEANUP(freep) char *info = str_printf("side %s", name);
	CLEANUP(secret_freep) struct secret *master = NULL;
	uint32_t key_epoch;

	*ret_key = NULL;
	if (!archive_is_encrypted(archive))
		return true;
	if (!get_master(archive, &master, &key_epoch, err))
		return false;
	*ret_key = keys_derive(master, NULL, info);
	return true;
}

/* key NULL: the unchanged text. */
static char *hide_name(const struct secret *key, const char *text)
{
	uint8_t digest[SHA256_BYTES];
	char hex[SHA256_HEX_MAX];

	if (!key)
		return xstrdup(text);
	hmac_sha256(key->data, key->len, text, strlen(text), digest);
	sha256_hex(digest, hex);
	return xstrdup(hex);
}

bool archive_hide_name(
	const struct archive_ref *archive, const char *text, char **ret_name, struct err *err)
{
	CLEANUP(secret_freep) struct secret *key = NULL;

	if (!archive_side_key(archive, "names", &key, err))
		return false;
	*ret_name = hide_name(key, text);
	return true;
}

bool archive_name_before(
	const struct archive_ref *archive, const char *text, char **ret_name, struct err *err)
{
	CLEANUP(keys_view_free) struct keys_view view = {0};
	CLEANUP(secret_freep) struct secret *key = NULL;
	const struct secret *master;

	if (!keys_look(archive, &view, err))
		return false;
	master = view.keyring.change.under_way ? view.previous : view.master;
	key = master ? keys_derive(master, NULL, "side names") : NULL;
	*ret_name = hide_name(key, text);
	return true;
}
