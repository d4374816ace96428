/* Secrets of archives, as commands come by them. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "archive/keyring.h"
#include "base/wait.h"
#include "mirror/unlock.h"
#include "restore/command.h"

enum { ANSWER_BYTES_MAX = 1024, ANSWER_TIMEOUT_MS = 5 * 60 * 1000 };

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
	(void)dprintf(fd, "%s: ", question);
	(void)tcsetattr(fd, TCSAFLUSH, &hidden);
	good = read_line(fd, out, err);
	(void)tcsetattr(fd, TCSAFLUSH, &shown);
	(void)dprintf(fd, "\n");
	return good;
}

struct archive_secret app_secret_of(const struct buf *text)
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

bool app_unlock(const struct place *place, struct err *err)
{
	CLEANUP(buf_wipe) struct buf text = BUF_INIT(ANSWER_BYTES_MAX);
	const char *path = place->archive_path;
	struct archive_secret secret;

	if (!archive_is_encrypted(path) || archive_is_unlocked(path))
		return true;
	if (place->account && mirror_has_secret(place->account))
		return mirror_unlock(place->account, NULL, err);
	if (!app_ask_secret("Passphrase, key or recovery key of the archive", &text, err))
		return err_wrap(err, "%s: is encrypted", path);
	secret = app_secret_of(&text);
	return archive_unlock(path, &secret, err);
}
