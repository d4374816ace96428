/* Files that an account names, as far as a look from outside tells. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "config/loading.h"

enum { OTHERS = 077, PERMISSIONS = 0777 };

struct named_file {
	const char *key;
	const char *path; /* NULL: not given */
	bool is_private;
};

static void look_at(
	struct loading *loading, const struct origin *origin, const struct named_file *file)
{
	/* not to wait for a writer of what turns out to be a pipe */
	CLEANUP(closep) int fd = open(file->path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct config_place place = origin_place(origin, file->key);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		problem_add(&loading->problems, place, file->key, "%s: %s; %s is accepted",
			file->path, strerror(errno),
			file->is_private ? "a file of mode 0600" : "a file that can be read");
	else if (!S_ISREG(st.st_mode))
		problem_add(&loading->problems, place, file->key,
			"%s: not a file; a regular file is accepted", file->path);
	else if (file->is_private && (st.st_mode & OTHERS) != 0)
		problem_add(&loading->problems, place, file->key,
			"%s: others may use it (mode %04o); mode 0600 is accepted", file->path,
			(unsigned)st.st_mode & PERMISSIONS);
}

void account_look_at_files(
	struct loading *loading, const struct config_account *account, const struct origin *origin)
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
			look_at(loading, origin, &files[i]);
}
