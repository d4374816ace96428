/*
 * A keyring and a recovery key: any bytes are refused, or decoded and encoded again as the same
 * bytes, except for the MAC.
 */
#include <assert.h>
#include <stdint.h>
#include <string.h>

#include "archive/keys/keyring.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_recovery(const char *text, size_t len)
{
	uint8_t key[KEYRING_RECOVERY_BYTES];
	uint8_t again[KEYRING_RECOVERY_BYTES];
	char printed[KEYRING_RECOVERY_TEXT];
	bool good;

	if (!keyring_recovery_parse(text, len, key))
		return;
	keyring_recovery_print(key, printed);
	good = keyring_recovery_parse(printed, strlen(printed), again);
	assert(good && memcmp(key, again, sizeof(key)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	CLEANUP(buf_free) struct buf again = BUF_INIT(KEYRING_FILE_BYTES_MAX);
	CLEANUP(secret_freep) struct secret *master = secret_new(KEYRING_MASTER_BYTES);
	struct keyring keyring;
	struct err err = ERR_INIT;

	check_recovery((const char *)data, len);
	if (!keyring_decode(data, len, &keyring, &err))
		return 0;
	keyring_encode(&keyring, master, &again);
	assert(again.len == len && memcmp(again.data, data, len - SHA256_BYTES) == 0);
	return 0;
}
