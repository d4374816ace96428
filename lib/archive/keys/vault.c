#include "archive/keys/vault.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "archive/format/layout.h"
#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"

struct unlocked {
	struct unlocked *next;
	char *path;
	uint32_t epoch;
	struct secret *master;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct unlocked *all;

/* --- what is unlocked --- */

/* With the mutex held. NULL in *link: none. */
static struct unlocked **find(const char *archive_path)
{
	struct unlocked **link = &all;

	while (*link && strcmp((*link)->path, archive_path) != 0)
		link = &(*link)->next;
	return link;
}

static void remove_at(struct unlocked **link)
{
	struct unlocked *old = *link;

	*link = old->next;
	secret_freep(&old->master);
	free(old->path);
	free(old);
}

void vault_put(const char *archive_path, uint32_t epoch, const struct secret *master)
{
	struct unlocked *made = xcalloc(1, sizeof(*made));
	struct unlocked **link;

	made->path = xstrdup(archive_path);
	made->epoch = epoch;
	made->master = secret_copy(master->data, master->len);
	(void)pthread_mutex_lock(&mutex);
	link = find(archive_path);
	if (*link)
		remove_at(link);
	made->next = all;
	all = made;
	(void)pthread_mutex_unlock(&mutex);
}

void archive_lock_out(const char *path)
{
	struct unlocked **link;

	(void)pthread_mutex_lock(&mutex);
	link = find(path);
	if (*link)
		remove_at(link);
	(void)pthread_mutex_unlock(&mutex);
}

static struct secret *copy_master(const char *archive_path, uint32_t *ret_epoch)
{
	struct secret *copy = NULL;
	struct unlocked **link;

	(void)pthread_mutex_lock(&mutex);
	link = find(archive_path);
	if (*link) {
		copy = secret_copy((*link)->master->data, (*link)->master->len);
		*ret_epoch = (*link)->epoch;
	}
	(void)pthread_mutex_unlock(&mutex);
	return copy;
}

bool archive_is_encrypted(const char *path)
{
	CLEANUP(freep) char *keyring = layout_keyring_path(path);
	CLEANUP(secret_freep) struct secret *master = NULL;
	uint32_t epoch;

	if (fs_exists(keyring))
		return true;
	master = copy_master(path, &epoch);
	return master != NULL;
}

static bool get_master(
	const char *archive_path, struct secret **ret_master, uint32_t *ret_epoch, struct err *err)
{
	*ret_master = copy_master(archive_path, ret_epoch);
	return *ret_master ||
	       err_set(err, ERR_AUTH, "%s: is encrypted: its passphrase or key is needed",
		       archive_path);
}

struct secret *vault_derive(const struct secret *master, const uint8_t *salt, const char *info)
{
	struct secret *key = secret_new(GCM_KEY_BYTES);

	hkdf_sha256(master->data, master->len, salt, salt ? ARCHIVE_UUID_BYTES : 0, info,
		strlen(info), key->data, key->len);
	return key;
}

/* --- what the keyring says now --- */

void vault_view_free(struct vault_view *view)
{
	secret_freep(&view->master);
	secret_freep(&view->previous);
}

/* The keyring's file may be lost: what is unlocked goes on. */
static bool read_view(const char *archive_path, struct vault_view *view, struct err *err)
{
	CLEANUP(freep) char *path = layout_keyring_path(archive_path);
	uint32_t epoch = 0;

	if (!get_master(archive_path, &view->master, &epoch, err))
		return false;
	view->keyring.epoch = epoch;
	if (!fs_exists(path))
		return true;
	if (!vault_read_keyring(archive_path, &view->keyring, err))
		return false;
	if (view->keyring.epoch != epoch || !keyring_is_of(&view->keyring, view->master))
		return err_set(err, ERR_BUSY, "%s: its keys were changed meanwhile: try again",
			archive_path);
	return !view->keyring.change.under_way ||
	       keyring_previous(&view->keyring, view->master, &view->previous, err) ||
	       err_wrap(err, "%s", path);
}

bool vault_look(const char *archive_path, struct vault_view *ret_view, struct err *err)
{
	CLEANUP(vault_view_free) struct vault_view view = {0};

	view.encrypted = archive_is_encrypted(archive_path);
	if (view.encrypted && !read_view(archive_path, &view, err))
		return false;
	*ret_view = view;
	view.master = NULL;
	view.previous = NULL;
	return true;
}

/* Another process may have changed the keys since: then it is to be unlocked anew. */
bool archive_is_unlocked(const char *path)
{
	CLEANUP(secret_freep) struct secret *master = NULL;
	CLEANUP(vault_view_free) struct vault_view view = {0};
	struct err err = ERR_INIT;
	uint32_t epoch;

	master = copy_master(path, &epoch);
	return master && (vault_look(path, &view, &err) || err.kind != ERR_BUSY);
}

bool vault_frame_key(const char *archive_path, const struct volume_id *id, uint32_t epoch,
	struct secret **ret_key, bool *ret_outdated, struct err *err)
{
	CLEANUP(vault_view_free) struct vault_view view = {0};
	const struct keyring_change *change = &view.keyring.change;
	const struct secret *master;

	*ret_key = NULL;
	*ret_outdated = false;
	if (!vault_look(archive_path, &view, err))
		return false;
	if (!view.encrypted)
		return epoch == 0 ||
		       err_set(err, ERR_AUTH, "is encrypted: its passphrase or key is needed");
	*ret_outdated =
		change->under_way && epoch == change->from_epoch && id->sequence <= change->until;
	if (epoch == 0 && !*ret_outdated)
		return err_set(err, ERR_CORRUPT, "is a plain volume in an encrypted archive");
	if (epoch != view.keyring.epoch && !*ret_outdated)
		return err_set(err, ERR_CORRUPT,
			"is of master key %" PRIu32 " in an archive of master key %" PRIu32, epoch,
			view.keyring.epoch);
	master = *ret_outdated ? view.previous : view.master;
	*ret_key = master ? vault_derive(master, id->uuid, "frame") : NULL;
	return true;
}

/* --- files beside --- */

bool archive_side_key(const char *path, const char *name, struct secret **ret_key, struct err *err)
{
	CLEANUP(freep) char *info = str_printf("side %s", name);
	CLEANUP(secret_freep) struct secret *master = NULL;
	uint32_t epoch;

	*ret_key = NULL;
	if (!archive_is_encrypted(path))
		return true;
	if (!get_master(path, &master, &epoch, err))
		return false;
	*ret_key = vault_derive(master, NULL, info);
	return true;
}

/* NULL: as it is. */
static char *hide(const struct secret *key, const char *text)
{
	uint8_t digest[SHA256_BYTES];
	char hex[SHA256_HEX_MAX];

	if (!key)
		return xstrdup(text);
	hmac_sha256(key->data, key->len, text, strlen(text), digest);
	sha256_hex(digest, hex);
	return xstrdup(hex);
}

bool archive_hide_name(const char *path, const char *text, char **ret_name, struct err *err)
{
	CLEANUP(secret_freep) struct secret *key = NULL;

	if (!archive_side_key(path, "names", &key, err))
		return false;
	*ret_name = hide(key, text);
	return true;
}

bool archive_name_before(const char *path, const char *text, char **ret_name, struct err *err)
{
	CLEANUP(vault_view_free) struct vault_view view = {0};
	CLEANUP(secret_freep) struct secret *key = NULL;
	const struct secret *master;

	if (!vault_look(path, &view, err))
		return false;
	master = view.keyring.change.under_way ? view.previous : view.master;
	key = master ? vault_derive(master, NULL, "side names") : NULL;
	*ret_name = hide(key, text);
	return true;
}
