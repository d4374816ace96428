#include "config/load/account_files.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"

enum { OTHERS = 077, PERMISSIONS = 0777 };

struct named_file {
	const char *key;
	const char *path; /* NULL: not given */
	bool is_private;
};

static void check_file(
	struct config_load *load, const struct origin *origin, const struct named_file *file)
{
	/* O_NONBLOCK: opening a FIFO must not wait for a writer */
	CLEANUP(closep) int fd = open(file->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct config_place place = origin_place(origin, file->key);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		problem_add(&load->problems, place, file->key, "%s: %s; expected %s", file->path,
			strerror(errno),
			file->is_private ? "a file of mode 0600" : "a readable file");
	else if (!S_ISREG(st.st_mode))
		problem_add(&load->problems, place, file->key,
			"%s: not a regular file; expected one", file->path);
	else if (file->is_private && (st.st_mode & OTHERS) != 0)
		problem_add(&load->problems, place, file->key,
			"%s: accessible to others (mode %04o); expected mode 0600", file->path,
			(unsigned)st.st_mode & PERMISSIONS);
}

void account_check_files(
	struct config_load *load, const struct config_account *account, const struct origin *origin)
{
	const struct named_file files[] = {
		{"tls-ca-file", account->tls_ca_file, false},
		{"password-file", account->password.file, true},
		{"oauth-client-secret-file", account->oauth_client_secret_file, true},
		{"passphrase-file", account->passphrase.file, true},
		{"key-file", account->key_file, true},
	};

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (files[i].path)
			check_file(load, origin, &files[i]);
}
