#include "archive/keys/keyring.h"

#include <stdio.h>
#include <string.h>
#include <sys/resource.h>

#include "base/crypto.h"
#include "support/check.h"

static const uint8_t archive[KEYRING_UUID_BYTES] = "an archive uuid";
static const uint8_t key[KEYRING_KEY_BYTES] = "a key of a file, 32 bytes long.";

struct opened {
	struct keyring keyring;
	struct secret *master;
};

static void opened_free(struct opened *opened)
{
	secret_freep(&opened->master);
}

/* A keyring with one slot, for `key`. */
static void make(struct opened *opened)
{
	struct err err = ERR_INIT;
	uint32_t id;

	keyring_make(archive, &opened->keyring, &opened->master);
	CHECK_OK(keyring_add(
		&opened->keyring, opened->master, KEYRING_KEY, key, sizeof(key), &id, &err));
	CHECK_INT(id, 1);
}

/* The keyring after encoding and decoding. */
static void reread(struct opened *opened)
{
	CLEANUP(buf_free) struct buf bytes = BUF_INIT(KEYRING_FILE_BYTES_MAX);
	struct err err = ERR_INIT;

	keyring_encode(&opened->keyring, opened->master, &bytes);
	CHECK_OK(keyring_decode(bytes.data, bytes.len, &opened->keyring, &err));
}

static void check_opens(
	const struct opened *opened, enum keyring_kind kind, const void *secret, size_t len)
{
	CLEANUP(secret_freep) struct secret *master = NULL;
	struct err err = ERR_INIT;

	CHECK_OK(keyring_unwrap(&opened->keyring, kind, secret, len, &master, &err));
	CHECK(memcmp(master->data, opened->master->data, KEYRING_MASTER_BYTES) == 0);
}

static unsigned scrypt_runs;

bool __real_scrypt_sha256(const void *password, size_t password_len, const void *salt,
	size_t salt_len, struct scrypt_cost cost, void *out, size_t out_len);
bool __wrap_scrypt_sha256(const void *password, size_t password_len, const void *salt,
	size_t salt_len, struct scrypt_cost cost, void *out, size_t out_len);

/* tests/meson.build has ld put this in the place of scrypt_sha256(). */
bool __wrap_scrypt_sha256(const void *password, size_t password_len, const void *salt,
	size_t salt_len, struct scrypt_cost cost, void *out, size_t out_len)
{
	scrypt_runs++;
	return __real_scrypt_sha256(password, password_len, salt, salt_len, cost, out, out_len);
}

/* A daemon with many accounts relies on this. */
static void a_key_file_needs_no_derivation(void)
{
	enum { TIMES = 30, KIB_MAX = 1024 };
	CLEANUP(opened_free) struct opened opened = {0};
	struct rusage before, after;

	make(&opened);
	reread(&opened);
	check_opens(&opened, KEYRING_KEY, key, sizeof(key));
	(void)getrusage(RUSAGE_SELF, &before);
	for (int i = 0; i < TIMES; i++)
		check_opens(&opened, KEYRING_KEY, key, sizeof(key));
	(void)getrusage(RUSAGE_SELF, &after);
	CHECK_INT(scrypt_runs, 0);
	CHECK(after.ru_maxrss - before.ru_maxrss < KIB_MAX);
}

static void every_kind_of_secret_opens_the_keyring(void)
{
	CLEANUP(opened_free) struct opened opened = {0};
	struct err err = ERR_INIT;
	uint32_t id;

	make(&opened);
	CHECK_OK(keyring_add(&opened.keyring, opened.master, KEYRING_PASSPHRASE, "correct horse",
		13, &id, &err));
	CHECK_OK(keyring_add(&opened.keyring, opened.master, KEYRING_RECOVERY,
		"twenty bytes of it..", 20, &id, &err));
	reread(&opened);
	check_opens(&opened, KEYRING_KEY, key, sizeof(key));
	scrypt_runs = 0;
	check_opens(&opened, KEYRING_PASSPHRASE, "correct horse", 13);
	CHECK_INT(scrypt_runs, 1);
	check_opens(&opened, KEYRING_RECOVERY, "twenty bytes of it..", 20);
}

static void a_wrong_secret_is_reported_as_wrong(void)
{
	CLEANUP(opened_free) struct opened opened = {0};
	struct secret *master = NULL;
	struct err err = ERR_INIT;
	uint32_t id;

	make(&opened);
	CHECK_OK(keyring_add(
		&opened.keyring, opened.master, KEYRING_PASSPHRASE, "right", 5, &id, &err));
	reread(&opened);
	CHECK(!keyring_unwrap(&opened.keyring, KEYRING_PASSPHRASE, "wrong", 5, &master, &err));
	CHECK_INT(err_exit_code(err.kind), 77);
	CHECK(!strstr(err.text, "wrong"));
	CHECK(!keyring_unwrap(&opened.keyring, KEYRING_RECOVERY, key, 20, &master, &err));
	CHECK_INT(err.kind, ERR_AUTH);
}

static void a_removed_key_opens_nothing_and_the_last_key_cannot_be_removed(void)
{
	CLEANUP(opened_free) struct opened opened = {0};
	struct secret *master = NULL;
	struct err err = ERR_INIT;
	uint32_t id;

	make(&opened);
	CHECK(!keyring_remove(&opened.keyring, 1, &err));
	CHECK_OK(keyring_add(&opened.keyring, opened.master, KEYRING_RECOVERY,
		"twenty bytes of it..", 20, &id, &err));
	CHECK_INT(id, 2);
	CHECK_OK(keyring_remove(&opened.keyring, 1, &err));
	CHECK(!keyring_remove(&opened.keyring, 1, &err));
	CHECK_INT(err.kind, ERR_NOT_FOUND);
	reread(&opened);
	CHECK(!keyring_unwrap(&opened.keyring, KEYRING_KEY, key, sizeof(key), &master, &err));
	check_opens(&opened, KEYRING_RECOVERY, "twenty bytes of it..", 20);
	CHECK_OK(keyring_add(
		&opened.keyring, opened.master, KEYRING_KEY, key, sizeof(key), &id, &err));
	CHECK_INT(id, 3);
}

/* Changes every single byte: the keyring is refused, or the key does not open it. */
static void every_changed_byte_of_a_keyring_is_detected(void)
{
	CLEANUP(buf_free) struct buf bytes = BUF_INIT(KEYRING_FILE_BYTES_MAX);
	CLEANUP(opened_free) struct opened opened = {0};
	struct secret *master = NULL;
	struct err err = ERR_INIT;
	uint32_t id;

	make(&opened);
	CHECK_OK(keyring_add(&opened.keyring, opened.master, KEYRING_RECOVERY,
		"twenty bytes of it..", 20, &id, &err));
	keyring_encode(&opened.keyring, opened.master, &bytes);
	for (size_t i = 0; i < bytes.len; i++) {
		struct keyring keyring;

		bytes.data[i] ^= 0x10;
		if (keyring_decode(bytes.data, bytes.len, &keyring, &err))
			CHECK(!keyring_unwrap(
				&keyring, KEYRING_KEY, key, sizeof(key), &master, &err));
		bytes.data[i] ^= 0x10;
	}
}

static void the_next_key_epoch_knows_the_previous_key(void)
{
	CLEANUP(opened_free) struct opened before = {0}, now = {0};
	CLEANUP(secret_freep) struct secret *previous = NULL;
	struct secret *master = NULL;
	struct err err = ERR_INIT;

	make(&before);
	CHECK(!before.keyring.change.under_way);
	keyring_next_epoch(&before.keyring, before.master, 7, &now.keyring, &now.master);
	CHECK_INT(now.keyring.key_epoch, 2);
	CHECK(memcmp(now.master->data, before.master->data, KEYRING_MASTER_BYTES) != 0);
	CHECK_OK(keyring_carry(
		&now.keyring, now.master, &before.keyring.slots[0], key, sizeof(key), &err));
	reread(&now);
	CHECK(now.keyring.change.under_way);
	CHECK_INT(now.keyring.change.from_key_epoch, 1);
	CHECK_INT(now.keyring.change.until, 7);
	CHECK_INT(now.keyring.slots[0].id, 1);
	check_opens(&now, KEYRING_KEY, key, sizeof(key));
	CHECK_OK(keyring_previous(&now.keyring, now.master, &previous, &err));
	CHECK(memcmp(previous->data, before.master->data, KEYRING_MASTER_BYTES) == 0);
	CHECK(!keyring_previous(&now.keyring, before.master, &master, &err));
	CHECK(!keyring_is_of(&now.keyring, before.master));
	keyring_finish_change(&now.keyring);
	reread(&now);
	CHECK(!now.keyring.change.under_way);
	check_opens(&now, KEYRING_KEY, key, sizeof(key));
}

static void every_changed_byte_of_the_previous_key_is_detected(void)
{
	CLEANUP(buf_free) struct buf bytes = BUF_INIT(KEYRING_FILE_BYTES_MAX);
	CLEANUP(opened_free) struct opened opened = {0};
	struct secret *master = NULL;
	struct err err = ERR_INIT;

	make(&opened);
	keyring_from_plain(&opened.keyring, 3);
	keyring_encode(&opened.keyring, opened.master, &bytes);
	for (size_t i = 0; i < bytes.len * 8; i++) {
		struct keyring keyring;

		bytes.data[i / 8] ^= (uint8_t)(1 << i % 8);
		if (keyring_decode(bytes.data, bytes.len, &keyring, &err))
			CHECK(!keyring_unwrap(
				&keyring, KEYRING_KEY, key, sizeof(key), &master, &err));
		bytes.data[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	for (size_t len = 0; len < bytes.len; len++)
		CHECK(!keyring_decode(bytes.data, len, &opened.keyring, &err));
}

static void excessive_scrypt_costs_are_refused(void)
{
	CLEANUP(opened_free) struct opened opened = {0};
	CLEANUP(buf_free) struct buf bytes = BUF_INIT(KEYRING_FILE_BYTES_MAX);
	struct err err = ERR_INIT;

	make(&opened);
	opened.keyring.slots[0].kind = KEYRING_PASSPHRASE;
	opened.keyring.slots[0].cost = (struct scrypt_cost){30, 8, 1};
	keyring_encode(&opened.keyring, opened.master, &bytes);
	CHECK(!keyring_decode(bytes.data, bytes.len, &opened.keyring, &err));
	CHECK_INT(err.kind, ERR_CORRUPT);
	for (size_t len = 0; len < bytes.len; len++)
		CHECK(!keyring_decode(bytes.data, len, &opened.keyring, &err));
}

static void a_recovery_key_is_read_however_it_is_typed(void)
{
	static const uint8_t wanted[KEYRING_RECOVERY_BYTES] = "\x01\x23\xff\0 of twenty byte";
	uint8_t got[KEYRING_RECOVERY_BYTES];
	char text[KEYRING_RECOVERY_TEXT];
	char typed[KEYRING_RECOVERY_TEXT];

	keyring_recovery_print(wanted, text);
	CHECK_INT(strlen(text), KEYRING_RECOVERY_TEXT - 1);
	for (size_t i = 0; i < sizeof(text); i++) {
		char c = text[i];

		typed[i] = (char)(c == '-' ? ' ' : c == '0' ? 'o' : c == '1' ? 'l' : c);
	}
	CHECK(keyring_recovery_parse(typed, strlen(typed), got));
	CHECK(memcmp(got, wanted, sizeof(wanted)) == 0);
}

static void a_mistyped_recovery_key_is_detected(void)
{
	static const uint8_t wanted[KEYRING_RECOVERY_BYTES] = "another of 20 bytes";
	uint8_t got[KEYRING_RECOVERY_BYTES];
	char text[KEYRING_RECOVERY_TEXT];

	keyring_recovery_print(wanted, text);
	for (size_t i = 0; text[i]; i++) {
		char before = text[i];

		text[i] = before == '7' ? '8' : '7';
		CHECK(!keyring_recovery_parse(text, strlen(text), got));
		text[i] = before;
	}
	CHECK(!keyring_recovery_parse(text, strlen(text) - 1, got));
	CHECK(!keyring_recovery_parse("", 0, got));
}

static void a_key_is_64_hexadecimal_digits(void)
{
	static const char text[] =
		"000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F";
	uint8_t got[KEYRING_KEY_BYTES];

	CHECK(keyring_key_parse(text, 64, got));
	CHECK(got[0] == 0 && got[31] == 31);
	CHECK(!keyring_key_parse(text, 63, got));
	CHECK(!keyring_key_parse("zz", 2, got));
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(a_key_file_needs_no_derivation),
		PROMISE(every_kind_of_secret_opens_the_keyring),
		PROMISE(a_wrong_secret_is_reported_as_wrong),
		PROMISE(a_removed_key_opens_nothing_and_the_last_key_cannot_be_removed),
		PROMISE(every_changed_byte_of_a_keyring_is_detected),
		PROMISE(the_next_key_epoch_knows_the_previous_key),
		PROMISE(every_changed_byte_of_the_previous_key_is_detected),
		PROMISE(excessive_scrypt_costs_are_refused),
		PROMISE(a_recovery_key_is_read_however_it_is_typed),
		PROMISE(a_mistyped_recovery_key_is_detected),
		PROMISE(a_key_is_64_hexadecimal_digits),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
