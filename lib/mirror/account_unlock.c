#include "mirror/account_unlock.h"

bool mirror_has_secret(const struct config_account *account)
{
	const struct config_secret *passphrase = &account->passphrase;

	return passphrase->command || passphrase->file || passphrase->credential ||
	       account->key_file || account->key_credential;
}

bool mirror_read_secret(const struct config_account *account, const struct cancel *cancel,
	struct buf *ret_text, struct archive_secret *ret_secret, struct err *err)
{
	const struct config_secret key = {
		.file = account->key_file, .credential = account->key_credential};
	bool is_key = key.file || key.credential;

	if (!config_secret_read(is_key ? &key : &account->passphrase, is_key ? "key" : "passphrase",
		    cancel, ret_text, err))
		return false;
	*ret_secret = (struct archive_secret){
		.kind = is_key ? ARCHIVE_KEY : ARCHIVE_PASSPHRASE,
		.text = buf_str(ret_text),
		.len = ret_text->len,
	};
	return true;
}

bool mirror_unlock(const struct config_account *account, struct archive_keys *keys,
	const struct cancel *cancel, struct err *err)
{
	CLEANUP(buf_wipe) struct buf text = BUF_INIT(CONFIG_SECRET_BYTES_MAX);
	const struct archive_ref archive = {account->archive_path, keys};
	struct archive_secret secret;

	if (archive_is_unlocked(&archive))
		return true;
	/* no secret is the usual case: every pass checks it, so it must not open a volume */
	if (!mirror_has_secret(account))
		return !archive_is_encrypted(&archive) ||
		       err_set(err, ERR_AUTH,
			       "%s: the archive is encrypted; configure its passphrase or key",
			       archive.path);
	return !archive_needs_secret(&archive) ||
	       (mirror_read_secret(account, cancel, &text, &secret, err) &&
		       archive_unlock(&archive, &secret, err));
}

/* Waits for a concurrent writer, such as a first copy. secret NULL: not encrypted. */
static bool create_with(const struct archive_ref *archive, const struct archive_secret *secret,
	const struct cancel *cancel, struct err *err)
{
	struct wait wait = wait_for(ARCHIVE_LOCK_TIMEOUT_MS, cancel);
	bool ok;

	do
		ok = secret ? archive_create_encrypted(archive, secret, WAIT_STEP_MS, err)
			    : archive_create(archive->path, WAIT_STEP_MS, err);
	while (!ok && wait_again(wait, err));
	return ok;
}

static bool create_for_account(const struct config_account *account, struct archive_keys *keys,
	const struct cancel *cancel, struct err *err)
{
	CLEANUP(buf_wipe) struct buf text = BUF_INIT(CONFIG_SECRET_BYTES_MAX);
	const struct archive_ref archive = {account->archive_path, keys};
	struct archive_secret secret;

	if (!mirror_has_secret(account))
		return create_with(&archive, NULL, cancel, err);
	return mirror_read_secret(account, cancel, &text, &secret, err) &&
	       create_with(&archive, &secret, cancel, err);
}

static bool unlock_existing(const struct config_account *account, struct archive_keys *keys,
	const struct cancel *cancel, struct err *err)
{
	const struct archive_ref archive = {account->archive_path, keys};

	if (mirror_has_secret(account) && !archive_mend_keyring(archive.path, err))
		return false;
	if (mirror_has_secret(account) && !archive_is_encrypted(&archive))
		return err_set(err, ERR_CONFIG,
			"%s: a passphrase or key is configured, but the archive is not encrypted; "
			"nothing is added to it. Encrypt it with 'mailstow key encrypt %s'",
			archive.path, account->name);
	return mirror_unlock(account, keys, cancel, err);
}

bool mirror_make_or_unlock(const struct config_account *account, struct archive_keys *keys,
	const struct cancel *cancel, struct err *err)
{
	const struct archive_ref archive = {account->archive_path, keys};
	struct err create_err = ERR_INIT;

	if (archive_exists(archive.path))
		return unlock_existing(account, keys, cancel, err);
	if (create_for_account(account, keys, cancel, &create_err))
		return true;
	/* the concurrent writer we waited for may have created it */
	if (create_err.kind == ERR_CREATE && archive_exists(archive.path))
		return unlock_existing(account, keys, cancel, err);
	return err_set(err, create_err.kind, "%s", create_err.text);
}
