#include "archive/vault.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "base/rand.h"
#include "base/str.h"

enum { KEYRING_MODE = 0600 };

struct unlocked {
	struct unlocked *next;
	char *path;
	struct secret *master;
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct unlocked *all;

char *vault_keyring_path(const char *archive_path)
{
	return str_printf("%s/keyring", archive_path);
}

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

void vault_put(const char *archive_path, const struct secret *master)
{
	struct unlocked *made = xcalloc(1, sizeof(*made));
	struct unlocked **link;

	made->path = xstrdup(archive_path);
	made->master = secret_copy(master->data, master->len);
	(void)pthread_mutex_lock(&mutex);
	link = find(archive_path);
	if (*link)
		remove_at(link);
	made->next = all;
	all = made;
	(void)pthread_mutex_unlock(&mutex);
}

void archive_lock(const char *path)
{
	struct unlocked **link;

	(void)pthread_mutex_lock(&mutex);
	link = find(path);
	if (*link)
		remove_at(link);
	(void)pthread_mutex_unlock(&mutex);
}

static struct secret *copy_master(const char *archive_path)
{
	struct secret *copy = NULL;
	struct unlocked **link;

	(void)pthread_mutex_lock(&mutex);
	link = find(archive_path);
	if (*link)
		copy = secret_copy((*link)->master->data, (*link)->master->len);
	(void)pthread_mutex_unlock(&mutex);
	return copy;
}

bool archive_is_unlocked(const char *path)
{
	CLEANUP(secret_freep) struct secret *master = copy_master(path);

	return master != NULL;
}

bool archive_is_encrypted(const char *path)
{
	CLEANUP(freep) char *keyring = vault_keyring_path(path);

	return fs_exists(keyring) || archive_is_unlocked(path);
}

bool vault_master(const char *archive_path, struct secret **ret_master, struct err *err)
{
	*ret_master = copy_master(archive_path);
	return *ret_master ||
	       err_set(err, ERR_AUTH, "%s: is encrypted: its passphrase or key is needed",
		       archive_path);
}

bool vault_key(const char *archive_path, const uint8_t *salt, const char *info,
	struct secret **ret_key, struct err *err)
{
	CLEANUP(secret_freep) struct secret *master = NULL;
	struct secret *key;

	*ret_key = NULL;
	if (!archive_is_encrypted(archive_path))
		return true;
	if (!vault_master(archive_path, &master, err))
		return false;
	key = secret_new(GCM_KEY_BYTES);
	hkdf_sha256(master->data, master->len, salt, salt ? ARCHIVE_UUID_BYTES : 0, info,
		strlen(info), key->data, key->len);
	*ret_key = key;
	return true;
}

bool archive_side_key(const char *path, const char *name, struct secret **ret_key, struct err *err)
{
	CLEANUP(freep) char *info = str_printf("side %s", name);

	return vault_key(path, NULL, info, ret_key, err);
}

bool archive_hide_name(const char *path, const char *text, char **ret_name, struct err *err)
{
	CLEANUP(secret_freep) struct secret *key = NULL;
	uint8_t digest[SHA256_BYTES];
	char hex[SHA256_HEX_MAX];

	if (!archive_side_key(path, "names", &key, err))
		return false;
	if (!key) {
		*ret_name = xstrdup(text);
		return true;
	}
	hmac_sha256(key->data, key->len, text, strlen(text), digest);
	sha256_hex(digest, hex);
	*ret_name = xstrdup(hex);
	return true;
}

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
	CLEANUP(freep) char *file = vault_keyring_path(path);
	struct keyring keyring;

	if (fs_exists(file))
		return true;
	if (!read_copy(path, &bytes, err))
		return false;
	return bytes.len == 0 ||
	       (keyring_decode(bytes.data, bytes.len, &keyring, err) &&
		       fs_write_atomic(file, bytes.data, bytes.len, KEYRING_MODE, err));
}

bool vault_keyring_bytes(const char *archive_path, struct buf *ret_bytes, struct err *err)
{
	CLEANUP(freep) char *path = vault_keyring_path(archive_path);

	buf_reset(ret_bytes);
	if (fs_exists(path))
		return fs_read(path, ret_bytes, err);
	return !archive_is_unlocked(archive_path) || read_copy(archive_path, ret_bytes, err);
}

bool vault_read_keyring(const char *archive_path, struct keyring *ret_keyring, struct err *err)
{
	CLEANUP(buf_free) struct buf bytes = BUF_INIT(KEYRING_FILE_BYTES_MAX);
	CLEANUP(freep) char *path = vault_keyring_path(archive_path);

	if (fs_exists(path) ? !fs_read(path, &bytes, err) : !read_copy(archive_path, &bytes, err))
		return false;
	if (bytes.len == 0)
		return err_set(err, ERR_NOT_FOUND, "%s: is not encrypted", archive_path);
	return keyring_decode(bytes.data, bytes.len, ret_keyring, err) || err_wrap(err, "%s", path);
}

static bool write_keyring(const char *archive_path, struct keyring *keyring,
	const struct secret *master, struct err *err)
{
	CLEANUP(buf_free) struct buf bytes = BUF_INIT(KEYRING_FILE_BYTES_MAX);
	CLEANUP(freep) char *path = vault_keyring_path(archive_path);

	keyring_encode(keyring, master, &bytes);
	return fs_write_atomic(path, bytes.data, bytes.len, KEYRING_MODE, err);
}

/* --- secrets --- */

static const enum keyring_kind kinds[] = {
	[ARCHIVE_PASSPHRASE] = KEYRING_PASSPHRASE,
	[ARCHIVE_KEY] = KEYRING_KEY,
	[ARCHIVE_RECOVERY_KEY] = KEYRING_RECOVERY,
};

/* The bytes a slot is made of. */
static bool secret_bytes(
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

	if (!secret_bytes(secret, &bytes, err) || !vault_read_keyring(path, &keyring, err))
		return false;
	if (!keyring_unwrap(&keyring, kinds[secret->kind], bytes->data, bytes->len, &master, err))
		return err_wrap(err, "%s", path);
	vault_put(path, master);
	return true;
}

bool vault_make(const char *archive_path, const uint8_t uuid[ARCHIVE_UUID_BYTES],
	const struct archive_secret *secret, struct err *err)
{
	CLEANUP(secret_freep) struct secret *bytes = NULL;
	CLEANUP(secret_freep) struct secret *master = NULL;
	struct keyring keyring;
	uint32_t id;

	if (!secret_bytes(secret, &bytes, err))
		return false;
	keyring_make(uuid, &keyring, &master);
	if (!keyring_add(
		    &keyring, master, kinds[secret->kind], bytes->data, bytes->len, &id, err) ||
		!write_keyring(archive_path, &keyring, master, err))
		return false;
	vault_put(archive_path, master);
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
static bool change_begin(const char *path, int *ret_lock, struct keyring *ret_keyring,
	struct secret **ret_master, struct err *err)
{
	CLEANUP(freep) char *lock = str_printf("%s/lock", path);

	return vault_master(path, ret_master, err) &&
	       fs_lock(lock, ARCHIVE_LOCK_TIMEOUT_MS, ret_lock, err) &&
	       vault_read_keyring(path, ret_keyring, err);
}

bool archive_add_key(
	const char *path, const struct archive_secret *secret, uint32_t *ret_id, struct err *err)
{
	CLEANUP(secret_freep) struct secret *bytes = NULL;
	CLEANUP(secret_freep) struct secret *master = NULL;
	CLEANUP(fs_unlock) int lock = -1;
	struct keyring keyring;

	return secret_bytes(secret, &bytes, err) &&
	       change_begin(path, &lock, &keyring, &master, err) &&
	       keyring_add(&keyring, master, kinds[secret->kind], bytes->data, bytes->len, ret_id,
		       err) &&
	       write_keyring(path, &keyring, master, err);
}

bool archive_remove_key(const char *path, uint32_t id, struct err *err)
{
	CLEANUP(secret_freep) struct secret *master = NULL;
	CLEANUP(fs_unlock) int lock = -1;
	struct keyring keyring;

	return change_begin(path, &lock, &keyring, &master, err) &&
	       keyring_remove(&keyring, id, err) && write_keyring(path, &keyring, master, err);
}

void archive_new_recovery_key(char out[ARCHIVE_RECOVERY_KEY_TEXT])
{
	CLEANUP(secret_freep) struct secret *key = secret_new(KEYRING_RECOVERY_BYTES);

	_Static_assert((int)ARCHIVE_RECOVERY_KEY_TEXT == (int)KEYRING_RECOVERY_TEXT,
		"one length, two headers");
	rand_bytes(key->data, key->len);
	keyring_recovery_print(key->data, out);
}
