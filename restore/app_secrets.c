#include "restore/app_secrets.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "archive/rekey.h"
#include "archive/unlock.h"
#include "base/str.h"
#include "base/wait.h"
#include "mirror/account_unlock.h"
#include "restore/say.h"

enum {
	TYPED_BYTES_MAX = CONFIG_SECRET_BYTES_MAX,
	ANSWER_TIMEOUT_MS = 5 * 60 * 1000,
	PASSPHRASE_BYTES_MIN = 8
};

static bool read_typed_line(int fd, struct buf *out, struct err *err)
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
			return err_set(
				err, ERR_AUTH, "too long: at most %d bytes", TYPED_BYTES_MAX);
	}
	return false;
}

bool app_ask_secret(const char *question, struct buf *out, struct err *err)
{
	CLEANUP(closep) int fd = open("/dev/tty", O_RDWR | O_NOCTTY | O_CLOEXEC);
	struct termios shown;
	struct termios hidden;
	bool good;

	/* reserved at once: a buffer that grows leaves copies in freed memory */
	if (fd < 0 || tcgetattr(fd, &shown) < 0 || !buf_reserve(out, out->max - out->len))
		return err_set(err, ERR_AUTH, "no terminal to ask for the passphrase");
	hidden = shown;
	hidden.c_lflag &= ~(tcflag_t)ECHO;
	/* echo off before the prompt: early keystrokes are neither shown nor lost */
	(void)tcsetattr(fd, TCSAFLUSH, &hidden);
	(void)dprintf(fd, "%s: ", question);
	good = read_typed_line(fd, out, err);
	(void)tcsetattr(fd, TCSAFLUSH, &shown);
	(void)dprintf(fd, "\n");
	return good;
}

static bool opens(const char *archive_path, const struct archive_secret *secret)
{
	struct err ignored = ERR_INIT;
	uint32_t id;

	return archive_find_key(archive_path, secret, &id, &ignored);
}

struct archive_secret app_secret_of(const char *archive_path, const struct buf *text)
{
	struct archive_secret secret = archive_secret_by_form(buf_str(text), text->len);
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
		return err_wrap(err, "%s is encrypted", place->archive.path);
	*ret_secret = app_secret_of(place->archive.path, text);
	return true;
}

bool app_ask_new_passphrase(struct buf *text, struct archive_secret *ret_secret, struct err *err)
{
	CLEANUP(buf_wipe) struct buf again = BUF_INIT(TYPED_BYTES_MAX);

	if (!app_ask_secret("New passphrase or key", text, err) ||
		!app_ask_secret("The same again", &again, err))
		return false;
	if (text->len != again.len || memcmp(text->data, again.data, text->len) != 0)
		return err_set(err, ERR_AUTH, "the two answers differ; nothing was changed");
	if (text->len < PASSPHRASE_BYTES_MIN)
		return err_set(err, ERR_USAGE, "too short: a passphrase has at least %d bytes",
			PASSPHRASE_BYTES_MIN);
	*ret_secret = archive_secret_by_form(buf_str(text), text->len);
	return true;
}

char *app_interrupted_rekey(const struct account_ref *place)
{
	enum archive_rekey_state state = archive_rekey_state(place->archive.path);

	if (state == ARCHIVE_REKEY_NONE)
		return NULL;
	return str_printf("a change of its keys was interrupted; 'mailstow key %s %s' completes it",
		state == ARCHIVE_REKEY_ENCRYPTING ? "encrypt" : "rotate", place->name);
}

/* A damaged keyring file is no loss: the volumes hold copies, read when the file is absent. */
static bool explain_damaged_keyring(const char *path, struct err *err)
{
	struct err cause = *err;

	if (cause.kind != ERR_CORRUPT || archive_lacks_keyring(path))
		return false;
	return err_set(err, cause.kind,
		"%s; move %s/keyring away to use the copy in the volumes instead", cause.text,
		path);
}

bool app_unlock(const struct account_ref *place, struct err *err)
{
	CLEANUP(buf_wipe) struct buf text = BUF_INIT(TYPED_BYTES_MAX);
	CLEANUP(freep) char *interrupted = NULL;
	struct archive_secret secret;

	if (archive_is_unlocked(&place->archive) || !archive_needs_secret(&place->archive))
		return true;
	interrupted = app_interrupted_rekey(place);
	if (interrupted)
		say_warn("%s: %s", place->name, interrupted);
	return app_read_secret(place, &text, &secret, err) &&
	       (archive_unlock(&place->archive, &secret, err) ||
		       explain_damaged_keyring(place->archive.path, err));
}

bool app_unlock_unasked(const struct account_ref *place)
{
	struct err ignored = ERR_INIT;

	if (!archive_needs_secret(&place->archive))
		return true;
	if (place->account)
		(void)mirror_unlock(place->account, place->archive.keys, NULL, &ignored);
	return archive_is_unlocked(&place->archive);
}
