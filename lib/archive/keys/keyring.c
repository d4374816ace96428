#include "archive/keys/keyring.h"

#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "base/rand.h"

enum {
	VERSION = 1,
	VERSION_CHANGING = 2, /* also has the previous master key */
	FIRST_KEY_EPOCH = 1,
	COST_LOG_N = 17, /* 128 * 8 * 2^17: 134 MB, about half a second */
	COST_R = 8,
	COST_P = 1,
	COST_LOG_N_MIN = 10,
	COST_LOG_N_MAX = 18,
	COST_P_MAX = 4,
	SLOT_HEAD_BYTES = 1 + 4 + 8 + 3, /* before the salt */
	SLOT_BYTES = SLOT_HEAD_BYTES + KEYRING_SALT_BYTES + GCM_NONCE_BYTES + KEYRING_MASTER_BYTES +
		     GCM_TAG_BYTES,
	HEAD_BYTES = 4 + 1 + KEYRING_UUID_BYTES + 4 + 4 + 1,
	CHANGE_HEAD_BYTES = 4 + 8, /* before the nonce */
	CHANGE_BYTES = CHANGE_HEAD_BYTES + GCM_NONCE_BYTES + KEYRING_MASTER_BYTES + GCM_TAG_BYTES,
};

static const char magic[4] = "MSKR";

const char *keyring_kind_name(enum keyring_kind kind)
{
	switch (kind) {
	case KEYRING_PASSPHRASE:
		return "passphrase";
	case KEYRING_KEY:
		return "key";
	case KEYRING_RECOVERY:
		return "recovery";
	}
	return "unknown";
}

void keyring_make(const uint8_t archive[KEYRING_UUID_BYTES], struct keyring *ret_keyring,
	struct secret **ret_master)
{
	*ret_keyring = (struct keyring){.key_epoch = FIRST_KEY_EPOCH};
	memcpy(ret_keyring->archive, archive, KEYRING_UUID_BYTES);
	*ret_master = secret_new(KEYRING_MASTER_BYTES);
	rand_bytes((*ret_master)->data, KEYRING_MASTER_BYTES);
}

/* --- bytes --- */

static uint8_t *put(uint8_t *at, const void *data, size_t len)
{
	memcpy(at, data, len);
	return at + len;
}

static uint8_t *put_number(uint8_t *at, uint64_t number, size_t len)
{
	for (size_t i = len; i > 0; i--)
		*at++ = (uint8_t)(number >> ((i - 1) * 8));
	return at;
}

static const uint8_t *get(const uint8_t *at, void *out, size_t len)
{
	memcpy(out, at, len);
	return at + len;
}

static const uint8_t *get_number(const uint8_t *at, uint64_t *ret_number, size_t len)
{
	*ret_number = 0;
	for (size_t i = 0; i < len; i++)
		*ret_number = *ret_number << 8 | *at++;
	return at;
}

static uint8_t *put_head(uint8_t *at, const struct keyring *keyring)
{
	at = put(at, magic, sizeof(magic));
	*at++ = keyring->change.under_way ? VERSION_CHANGING : VERSION;
	at = put(at, keyring->archive, KEYRING_UUID_BYTES);
	at = put_number(at, keyring->key_epoch, 4);
	at = put_number(at, keyring->last_id, 4);
	*at++ = (uint8_t)keyring->count;
	return at;
}

static uint8_t *put_slot_head(uint8_t *at, const struct keyring_slot *slot)
{
	*at++ = (uint8_t)slot->kind;
	at = put_number(at, slot->id, 4);
	at = put_number(at, (uint64_t)slot->created_ms, 8);
	*at++ = slot->cost.log_n;
	*at++ = slot->cost.r;
	*at++ = slot->cost.p;
	return put(at, slot->salt, KEYRING_SALT_BYTES);
}

static uint8_t *put_change_head(uint8_t *at, const struct keyring_change *change)
{
	at = put_number(at, change->from_key_epoch, 4);
	return put_number(at, (uint64_t)change->until, 8);
}

static uint8_t *put_change(uint8_t *at, const struct keyring_change *change)
{
	if (!change->under_way)
		return at;
	at = put_change_head(at, change);
	at = put(at, change->nonce, GCM_NONCE_BYTES);
	at = put(at, change->wrapped, KEYRING_MASTER_BYTES);
	return put(at, change->tag, GCM_TAG_BYTES);
}

static void mac_of(const struct secret *master, const void *data, size_t len, uint8_t *out)
{
	CLEANUP(secret_freep) struct secret *key = secret_new(SHA256_BYTES);

	hkdf_sha256(master->data, master->len, NULL, 0, "keyring", 7, key->data, key->len);
	hmac_sha256(key->data, key->len, data, len, out);
}

/* Without the MAC. */
static size_t encode_body(const struct keyring *keyring, uint8_t out[KEYRING_FILE_BYTES_MAX])
{
	uint8_t *at = put_head(out, keyring);

	for (size_t i = 0; i < keyring->count; i++) {
		const struct keyring_slot *slot = &keyring->slots[i];

		at = put_slot_head(at, slot);
		at = put(at, slot->nonce, GCM_NONCE_BYTES);
		at = put(at, slot->wrapped, KEYRING_MASTER_BYTES);
		at = put(at, slot->tag, GCM_TAG_BYTES);
	}
	return (size_t)(put_change(at, &keyring->change) - out);
}

void keyring_encode(struct keyring *keyring, const struct secret *master, struct buf *out)
{
	uint8_t body[KEYRING_FILE_BYTES_MAX];
	size_t len = encode_body(keyring, body);
	bool fits;

	_Static_assert(HEAD_BYTES + KEYRING_SLOTS_MAX * SLOT_BYTES + CHANGE_BYTES + SHA256_BYTES <=
			       KEYRING_FILE_BYTES_MAX,
		"a full keyring fits");
	/* keyring_remove() keeps the last slot, put_slot() the limit; decoding demands both */
	assert(keyring->count >= 1 && keyring->count <= KEYRING_SLOTS_MAX);
	mac_of(master, body, len, keyring->mac);
	buf_reset(out);
	fits = buf_add(out, body, len) && buf_add(out, keyring->mac, SHA256_BYTES);
	assert(fits);
	(void)fits;
}

static const uint8_t *get_slot(const uint8_t *at, struct keyring_slot *slot)
{
	uint64_t number;

	slot->kind = (enum keyring_kind) * at++;
	at = get_number(at, &number, 4);
	slot->id = (uint32_t)number;
	at = get_number(at, &number, 8);
	slot->created_ms = (int64_t)number;
	slot->cost = (struct scrypt_cost){at[0], at[1], at[2]};
	at = get(at + 3, slot->salt, KEYRING_SALT_BYTES);
	at = get(at, slot->nonce, GCM_NONCE_BYTES);
	at = get(at, slot->wrapped, KEYRING_MASTER_BYTES);
	return get(at, slot->tag, GCM_TAG_BYTES);
}

static const uint8_t *get_change(const uint8_t *at, struct keyring_change *change)
{
	uint64_t number;

	if (!change->under_way)
		return at;
	at = get_number(at, &number, 4);
	change->from_key_epoch = (uint32_t)number;
	at = get_number(at, &number, 8);
	change->until = (int64_t)number;
	at = get(at, change->nonce, GCM_NONCE_BYTES);
	at = get(at, change->wrapped, KEYRING_MASTER_BYTES);
	return get(at, change->tag, GCM_TAG_BYTES);
}

/* A forged file must not cost much time or memory. */
static bool is_sound(const struct keyring_slot *slot)
{
	struct scrypt_cost cost = slot->cost;

	switch (slot->kind) {
	case KEYRING_PASSPHRASE:
		return cost.log_n >= COST_LOG_N_MIN && cost.log_n <= COST_LOG_N_MAX &&
		       cost.r == COST_R && cost.p >= 1 && cost.p <= COST_P_MAX;
	case KEYRING_KEY:
	case KEYRING_RECOVERY:
		return cost.log_n == 0 && cost.r == 0 && cost.p == 0;
	}
	return false;
}

static const uint8_t *get_head(const uint8_t *at, struct keyring *keyring)
{
	uint64_t number;

	keyring->change.under_way = at[sizeof(magic)] == VERSION_CHANGING;
	at = get(at + sizeof(magic) + 1, keyring->archive, KEYRING_UUID_BYTES);
	at = get_number(at, &number, 4);
	keyring->key_epoch = (uint32_t)number;
	at = get_number(at, &number, 4);
	keyring->last_id = (uint32_t)number;
	keyring->count = *at++;
	return at;
}

bool keyring_decode(const void *data, size_t len, struct keyring *ret_keyring, struct err *err)
{
	struct keyring keyring = {0};
	const uint8_t *at = data;

	if (len < HEAD_BYTES || memcmp(at, magic, sizeof(magic)) != 0)
		return err_set(err, ERR_CORRUPT, "is not a keyring");
	if (at[sizeof(magic)] != VERSION && at[sizeof(magic)] != VERSION_CHANGING)
		return err_set(err, ERR_NEWER, "made by a newer mailstow");
	at = get_head(at, &keyring);
	if (keyring.count < 1 || keyring.count > KEYRING_SLOTS_MAX || keyring.key_epoch == 0 ||
		len != HEAD_BYTES + keyring.count * SLOT_BYTES +
				(keyring.change.under_way ? CHANGE_BYTES : 0) + SHA256_BYTES)
		return err_set(err, ERR_CORRUPT, "its length is wrong");
	for (size_t i = 0; i < keyring.count; i++) {
		at = get_slot(at, &keyring.slots[i]);
		if (!is_sound(&keyring.slots[i]))
			return err_set(err, ERR_CORRUPT, "key %zu is out of bounds", i + 1);
	}
	at = get_change(at, &keyring.change);
	if (keyring.change.until < 0 || keyring.change.from_key_epoch >= keyring.key_epoch)
		return err_set(err, ERR_CORRUPT, "its previous key is out of bounds");
	(void)get(at, keyring.mac, SHA256_BYTES);
	*ret_keyring = keyring;
	return true;
}

/* --- slots --- */

struct wrapping {
	uint8_t additional[sizeof(magic) + KEYRING_UUID_BYTES + 4 + SLOT_HEAD_BYTES +
			   KEYRING_SALT_BYTES];
	struct secret *key;
};

static void wrapping_free(struct wrapping *wrapping)
{
	secret_freep(&wrapping->key);
}

static bool make_wrapping(const struct keyring *keyring, const struct keyring_slot *slot,
	const void *secret, size_t len, struct wrapping *ret_wrapping, struct err *err)
{
	uint8_t *at = put(ret_wrapping->additional, "MSK1", 4);

	at = put(at, keyring->archive, KEYRING_UUID_BYTES);
	at = put_number(at, keyring->key_epoch, 4);
	(void)put_slot_head(at, slot);
	ret_wrapping->key = secret_new(GCM_KEY_BYTES);
	if (slot->kind != KEYRING_PASSPHRASE) {
		hkdf_sha256(secret, len, slot->salt, KEYRING_SALT_BYTES, "slot", 4,
			ret_wrapping->key->data, GCM_KEY_BYTES);
		return true;
	}
	return scrypt_sha256(secret, len, slot->salt, KEYRING_SALT_BYTES, slot->cost,
		       ret_wrapping->key->data, GCM_KEY_BYTES) ||
	       err_set(err, ERR_LOCAL, "no memory for scrypt");
}

/* A new salt and nonce for each wrapping, so that a key and nonce are never used twice. The head of
 * the slot is authenticated: an attacker cannot lower its cost. */
static bool put_slot(struct keyring *keyring, const struct secret *master, struct keyring_slot slot,
	const void *secret, size_t len, struct err *err)
{
	CLEANUP(wrapping_free) struct wrapping wrapping = {0};
	CLEANUP(gcm_freep) struct gcm *gcm = NULL;

	if (len == 0)
		return err_set(err, ERR_AUTH, "an empty secret");
	if (keyring->count == KEYRING_SLOTS_MAX)
		return err_set(err, ERR_LOCAL, "there are %d keys already", KEYRING_SLOTS_MAX);
	if (slot.kind == KEYRING_PASSPHRASE)
		slot.cost = (struct scrypt_cost){COST_LOG_N, COST_R, COST_P};
	rand_bytes(slot.salt, sizeof(slot.salt));
	rand_bytes(slot.nonce, sizeof(slot.nonce));
	if (!make_wrapping(keyring, &slot, secret, len, &wrapping, err))
		return false;
	gcm = gcm_new(wrapping.key->data);
	gcm_encrypt(gcm, slot.nonce,
		(struct gcm_bytes){wrapping.additional, sizeof(wrapping.additional)},
		(struct gcm_bytes){master->data, master->len}, slot.wrapped, slot.tag);
	keyring->slots[keyring->count++] = slot;
	return true;
}

bool keyring_add(struct keyring *keyring, const struct secret *master, enum keyring_kind kind,
	const void *secret, size_t len, uint32_t *ret_id, struct err *err)
{
	const struct keyring_slot slot = {
		.kind = kind, .id = keyring->last_id + 1, .created_ms = clock_wall_ms()};

	if (!put_slot(keyring, master, slot, secret, len, err))
		return false;
	keyring->last_id = slot.id;
	*ret_id = slot.id;
	return true;
}

bool keyring_carry(struct keyring *keyring, const struct secret *master,
	const struct keyring_slot *slot, const void *secret, size_t len, struct err *err)
{
	const struct keyring_slot own = {
		.kind = slot->kind, .id = slot->id, .created_ms = slot->created_ms};

	return put_slot(keyring, master, own, secret, len, err);
}

bool keyring_remove(struct keyring *keyring, uint32_t id, struct err *err)
{
	for (size_t i = 0; i < keyring->count; i++) {
		if (keyring->slots[i].id != id)
			continue;
		if (keyring->count == 1)
			return err_set(err, ERR_USAGE,
				"key %" PRIu32 " is the last one: nothing could open the archive",
				id);
		keyring->count--;
		memmove(keyring->slots + i, keyring->slots + i + 1,
			(keyring->count - i) * sizeof(*keyring->slots));
		return true;
	}
	return err_set(err, ERR_NOT_FOUND, "there is no key %" PRIu32, id);
}

static bool unwrap_slot(const struct keyring *keyring, const struct keyring_slot *slot,
	const void *secret, size_t len, struct secret *master, bool *ret_fits, struct err *err)
{
	CLEANUP(wrapping_free) struct wrapping wrapping = {0};
	CLEANUP(gcm_freep) struct gcm *gcm = NULL;

	if (!make_wrapping(keyring, slot, secret, len, &wrapping, err))
		return false;
	gcm = gcm_new(wrapping.key->data);
	*ret_fits = gcm_decrypt(gcm, slot->nonce,
		(struct gcm_bytes){wrapping.additional, sizeof(wrapping.additional)},
		(struct gcm_bytes){slot->wrapped, sizeof(slot->wrapped)}, slot->tag, master->data);
	return true;
}

bool keyring_slot_fits(const struct keyring *keyring, const struct keyring_slot *slot,
	const void *secret, size_t len, bool *ret_fits, struct err *err)
{
	CLEANUP(secret_freep) struct secret *unused = secret_new(KEYRING_MASTER_BYTES);

	return unwrap_slot(keyring, slot, secret, len, unused, ret_fits, err);
}

bool keyring_is_of(const struct keyring *keyring, const struct secret *master)
{
	uint8_t body[KEYRING_FILE_BYTES_MAX];
	uint8_t mac[SHA256_BYTES];

	mac_of(master, body, encode_body(keyring, body), mac);
	return crypto_equal(mac, keyring->mac, SHA256_BYTES);
}

bool keyring_unwrap(const struct keyring *keyring, enum keyring_kind kind, const void *secret,
	size_t len, struct secret **ret_master, struct err *err)
{
	CLEANUP(secret_freep) struct secret *master = secret_new(KEYRING_MASTER_BYTES);
	bool fits = false;

	for (size_t i = 0; i < keyring->count && !fits; i++)
		if (keyring->slots[i].kind == kind &&
			!unwrap_slot(keyring, &keyring->slots[i], secret, len, master, &fits, err))
			return false;
	if (!fits)
		return err_set(err, ERR_AUTH, "the %s does not open the archive",
			kind == KEYRING_RECOVERY ? "recovery key" : keyring_kind_name(kind));
	/* the MAC can be checked only now: its key comes from the master key */
	if (!keyring_is_of(keyring, master))
		return err_set(err, ERR_CORRUPT, "its list of keys was tampered with");
	*ret_master = TAKE(master);
	return true;
}

/* --- changing the master key --- */

/* What wraps the previous master key under the new one. */
struct previous_wrapping {
	uint8_t additional[sizeof(magic) + KEYRING_UUID_BYTES + 4 + CHANGE_HEAD_BYTES];
	struct gcm *gcm;
};

static void previous_wrapping_free(struct previous_wrapping *wrapping)
{
	gcm_freep(&wrapping->gcm);
}

static void make_previous_wrapping(const struct keyring *keyring, const struct secret *master,
	struct previous_wrapping *ret_wrapping)
{
	CLEANUP(secret_freep) struct secret *key = secret_new(GCM_KEY_BYTES);
	uint8_t *at = put(ret_wrapping->additional, "MSK2", 4);

	at = put(at, keyring->archive, KEYRING_UUID_BYTES);
	at = put_number(at, keyring->key_epoch, 4);
	(void)put_change_head(at, &keyring->change);
	hkdf_sha256(master->data, master->len, NULL, 0, "previous", 8, key->data, key->len);
	ret_wrapping->gcm = gcm_new(key->data);
}

void keyring_from_plain(struct keyring *keyring, int64_t until)
{
	assert(!keyring->change.under_way);
	keyring->change = (struct keyring_change){.under_way = true, .until = until};
}

void keyring_next_epoch(const struct keyring *before, const struct secret *master, int64_t until,
	struct keyring *ret_keyring, struct secret **ret_master)
{
	CLEANUP(previous_wrapping_free) struct previous_wrapping kept = {0};
	struct keyring_change *change = &ret_keyring->change;

	/* the keyring has room for one previous key: volumes under an older one would be lost */
	assert(!before->change.under_way);
	keyring_make(before->archive, ret_keyring, ret_master);
	ret_keyring->key_epoch = before->key_epoch + 1;
	ret_keyring->last_id = before->last_id;
	*change = (struct keyring_change){
		.under_way = true, .from_key_epoch = before->key_epoch, .until = until};
	rand_bytes(change->nonce, sizeof(change->nonce));
	make_previous_wrapping(ret_keyring, *ret_master, &kept);
	gcm_encrypt(kept.gcm, change->nonce,
		(struct gcm_bytes){kept.additional, sizeof(kept.additional)},
		(struct gcm_bytes){master->data, master->len}, change->wrapped, change->tag);
}

bool keyring_previous(const struct keyring *keyring, const struct secret *master,
	struct secret **ret_previous, struct err *err)
{
	CLEANUP(secret_freep) struct secret *previous = secret_new(KEYRING_MASTER_BYTES);
	CLEANUP(previous_wrapping_free) struct previous_wrapping kept = {0};
	const struct keyring_change *change = &keyring->change;

	assert(change->under_way);
	*ret_previous = NULL;
	if (change->from_key_epoch == 0)
		return true;
	make_previous_wrapping(keyring, master, &kept);
	if (!gcm_decrypt(kept.gcm, change->nonce,
		    (struct gcm_bytes){kept.additional, sizeof(kept.additional)},
		    (struct gcm_bytes){change->wrapped, sizeof(change->wrapped)}, change->tag,
		    previous->data))
		return err_set(err, ERR_CORRUPT, "its previous key was tampered with");
	*ret_previous = TAKE(previous);
	return true;
}

void keyring_finish_change(struct keyring *keyring)
{
	keyring->change = (struct keyring_change){0};
}
