/* Secrets of archives, as commands come by them. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "archive/keys/keyring.h"
#include "archive/rekey.h"
#include "base/wait.h"
#include "mirror/account_unlock.h"
#include "restore/app.h"

enum {
	ANSWER_BYTES_MAX = CONFIG_SECRET_BYTES_MAX,
	ANSWER_TIMEOUT_MS = 5 * 60 * 1000,
	PASSPHRASE_BYTES_MIN = 8
};

static bool read_line(int fd, struct buf *out, struct err *err)
{
	struct wait wait = wait_for(ANSWER_TIMEOUT_MS, NULL);
	char c = '\0';

	while (wait_fd(fd, POLLIN, wait, err)) {
		ssize_t got = read(fd, &c, 1);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0 || c == '\n')
			return out->len > 0 || err_set(err, ERR_AUTH, "nothing was typed");
		if (!buf_add(out, &c, 1))
			return err_set(err, ERR_AUTH, "that is too long");
	}
	return false;
}

bool app_ask_secret(const char *question, struct buf *out, struct err *err)
{
	CLEANUP(closep) int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct termios shown;
	struct termios hidden;
	bool good;

	/* all at once: a buffer that grows leaves copies behind */
	if (fd < 0 || tcgetattr(fd, &shown) < 0 || !buf_reserve(out, out->max - out->len))
		return err_set(err, ERR_AUTH, "no terminal to ask for its passphrase at");
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	/* before it asks: what is typed at once is neither shown nor lost */
	(void)tcsetattr(fd, TCSAFLUSH, &hidden);
	(void)dprintf(fd, "%s: ", question);
	good = read_line(fd, out, err);
	(void)tcsetattr(fd, TCSAFLUSH, &shown);
	(void)dprintf(fd, "\n");
	return good;
}

static struct archive_secret looks_like(const struct buf *text)
{
	uint8_t bytes[KEYRING_KEY_BYTES];
	struct archive_secret secret = {ARCHIVE_PASSPHRASE, buf_str(text), text->len};

	if (keyring_recovery_parse(secret.text, secret.len, bytes))
		secret.kind = ARCHIVE_RECOVERY_KEY;
	else if (keyring_key_parse(secret.text, secret.len, bytes))
		secret.kind = ARCHIVE_KEY;
	crypto_wipe(bytes, sizeof(bytes));
	return secret;
}

static bool opens(const char *archive_path, const struct archive_secret *secret)
{
	struct err unimportant = ERR_INIT;
	uint32_t id;

	return archive_find_key(archive_path, secret, &id, &unimportant);
}

struct archive_secret app_secret_of(const char *archive_path, const struct buf *text)
{
	struct archive_secret secret = looks_like(text);
	struct archive_secret passphrase = {ARCHIVE_PASSPHRASE, secret.text, secret.len};

	return secret.kind == ARCHIVE_PASSPHRASE || opens(archive_path, &secret) ||
			       !opens(archive_path, &passphrase)
		       ? secret
		       : passphrase;
}

bool app_read_secret(const struct account_ref *place, struct buf *text,
	struct archive_secret *ret_secret, struct err *err)
{
	if (place->account && mirror_has_secret(place->account))
		return mirror_read_secret(place->account, NULL, text, ret_secret, err);
	if (!app_ask_secret("Passphrase, key or recovery key of the archive", text, err))
		return err_wrap(err, "%s: is encrypted", place->archive_path);
	*ret_secret = app_secret_of(place->archive_path, text);
	return true;
}

bool app_ask_new_passphrase(struct buf *text, struct archive_secret *ret_secret, struct err *err)
{
	CLEANUP(buf_wipe) struct buf again = BUF_INIT(ANSWER_BYTES_MAX);

	if (!app_ask_secret("New passphrase or key", text, err) ||
		!app_ask_secret("The same again", &again, err))
		return false;
	if (text->len != again.len || memcmp(text->data, again.data, text->len) != 0)
		return err_set(err, ERR_AUTH, "the two differ: nothing was changed");
	if (text->len < PASSPHRASE_BYTES_MIN)
		return err_set(
			err, ERR_USAGE, "a passphrase has at least %d bytes", PASSPHRASE_BYTES_MIN);
	*ret_secret = looks_like(text);
	return true;
}

static void tell_half_way(const struct account_ref *place)
{
	enum archive_rekey_state state = archive_rekey_state(place->archive_path);

	if (state != ARCHIVE_REKEY_NONE)
		app_warn("%s: its keys were changed half way; 'mailstow key %s %s' completes it",
			place->name, state == ARCHIVE_REKEY_ENCRYPTING ? "encrypt" : "rotate",
			place->name);
}

static bool advise(const char *path, struct err *err)
{
	struct err of = *err;

	if (of.kind != ERR_CORRUPT || archive_lacks_keyring(path))
		return false;
	return err_set(err, of.kind,
		"%s; with %s/keyring moved away its copy in the volumes is read", of.text, path);
}

bool app_unlock(const struct account_ref *place, struct err *err)
{
	CLEANUP(buf_wipe) struct buf text = BUF_INIT(ANSWER_BYTES_MAX);
	const char *path = place->archive_path;
	struct archive_secret secret;

	if (archive_is_unlocked(path) || !archive_needs_secret(path))
		return true;
	tell_half_way(place);
	return app_read_secret(place, &text, &secret, err) &&
	       (archive_unlock(path, &secret, err) || advise(path, err));
}
