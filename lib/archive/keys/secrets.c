#include "archive/keys/secrets.h"

#include "base/rand.h"

enum keyring_kind secrets_kind(const struct archive_secret *secret)
{
	static const enum keyring_kind kinds[] = {
		[ARCHIVE_PASSPHRASE] = KEYRING_PASSPHRASE,
		[ARCHIVE_KEY] = KEYRING_KEY,
		[ARCHIVE_RECOVERY_KEY] = KEYRING_RECOVERY,
	};

	return kinds[secret->kind];
}

bool secrets_bytes(const struct archive_secret *secret, struct secret **ret_bytes, struct err *err)
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

void archive_new_recovery_key(char out[ARCHIVE_RECOVERY_KEY_TEXT])
{
	CLEANUP(secret_freep) struct secret *key = secret_new(KEYRING_RECOVERY_BYTES);

	_Static_assert((int)ARCHIVE_RECOVERY_KEY_TEXT == (int)KEYRING_RECOVERY_TEXT,
		"one length, two headers");
	rand_bytes(key->data, key->len);
	keyring_recovery_print(key->data, out);
}
