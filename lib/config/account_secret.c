#include "config/account_secret.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/str.h"
#include "config/config_limits.h"

extern char **environ;

enum { READ_STEP_BYTES = 1024 };

static bool read_bounded(
	int fd, struct buf *out, struct wait wait, const char *what, struct err *err)
{
	while (wait_fd(fd, POLLIN, wait, err)) {
		char step[READ_STEP_BYTES];
		ssize_t got = read(fd, step, sizeof(step));
		bool fits = got <= 0 || buf_add(out, step, (size_t)got);

		explicit_bzero(step, sizeof(step));
		if (got == 0)
			return true;
		if (got < 0 && errno != EINTR)
			return err_errno(err, ERR_CONFIG, errno, "%s: read", what);
		if (!fits)
			return err_set(
				err, ERR_CONFIG, "%s: longer than %zu bytes", what, out->max);
	}
	return err_wrap(err, "%s", what);
}

/* Keep the first line only. */
static bool first_line(struct buf *out, const char *what, struct err *err)
{
	size_t len = 0;

	while (len < out->len && out->data[len] != '\r' && out->data[len] != '\n')
		len++;
	if (len == 0)
		return err_set(err, ERR_CONFIG, "%s: empty", what);
	if (memchr(out->data, 0, len))
		return err_set(
			err, ERR_CONFIG, "%s: contains a NUL byte; expected a line of text", what);
	explicit_bzero(out->data + len, out->len - len);
	out->len = len;
	return true;
}

static bool read_file(const char *path, bool check_mode, const char *what, struct wait wait,
	struct buf *out, struct err *err)
{
	CLEANUP(closep) int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_errno(err, ERR_CONFIG, errno, "%s: %s", what, path);
	if (check_mode && (st.st_mode & 077) != 0)
		return err_set(err, ERR_CONFIG,
			"%s: %s is accessible to others (mode %03o); expected 0600 or stricter",
			what, path, (unsigned)st.st_mode & 0777);
	return read_bounded(fd, out, wait, what, err) && first_line(out, what, err);
}

/* The shell gets its own process group, an empty signal mask and the default SIGPIPE: we ignore it,
 * and `pass show x | head -1` relies on it. */
static bool spawn_shell(const char *command, int output, pid_t *ret_pid)
{
	char *argv[] = {(char *)"sh", (char *)"-c", (char *)command, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, pipe_only;
	int failed;

	(void)posix_spawn_file_actions_init(&actions);
	(void)posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	(void)posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	(void)posix_spawnattr_init(&attributes);
	(void)sigemptyset(&none);
	(void)sigemptyset(&pipe_only);
	(void)sigaddset(&pipe_only, SIGPIPE);
	(void)posix_spawnattr_setsigmask(&attributes, &none);
	(void)posix_spawnattr_setsigdefault(&attributes, &pipe_only);
	(void)posix_spawnattr_setflags(&attributes,
		POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	failed = posix_spawn(ret_pid, "/bin/sh", &actions, &attributes, argv, environ);
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&actions);
	return !failed;
}

/* Reaps the child. At the deadline, or when cancelled, kills its process group first. */
static bool wait_child(
	pid_t child, struct wait wait, const char *what, int *ret_status, struct err *err)
{
	CLEANUP(closep) int fd = pidfd_open(child, 0);
	bool ended = fd >= 0 ? wait_fd(fd, POLLIN, wait, err)
			     : err_errno(err, ERR_LOCAL, errno, "pidfd_open");

	if (!ended)
		(void)kill(-child, SIGKILL);
	while (waitpid(child, ret_status, 0) < 0 && errno == EINTR)
		continue;
	return ended || err_wrap(err, "%s: command", what);
}

static bool run_command(
	const char *command, const char *what, struct wait wait, struct buf *out, struct err *err)
{
	CLEANUP(closep) int reader = -1;
	int pipe_fds[2], status = 0;
	pid_t child;
	bool read_well;

	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return err_errno(err, ERR_LOCAL, errno, "%s: pipe", what);
	reader = pipe_fds[0];
	if (!spawn_shell(command, pipe_fds[1], &child)) {
		(void)close(pipe_fds[1]);
		return err_set(err, ERR_CONFIG, "%s: the command cannot be started", what);
	}
	/* our copy of the writing end would keep the end of file from us; and the output comes
	 * before the exit status: a child that fills the pipe does not exit until it is read */
	(void)close(pipe_fds[1]);
	read_well = read_bounded(reader, out, wait, what, err);
	if (!read_well)
		(void)kill(-child, SIGKILL);
	if (!wait_child(child, wait, what, &status, read_well ? err : NULL) || !read_well)
		return false;
	if (WIFSIGNALED(status))
		return err_set(err, ERR_AUTH, "%s: the command was killed by signal %d", what,
			WTERMSIG(status));
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return err_set(err, ERR_AUTH, "%s: the command failed (exit status %d)", what,
			WEXITSTATUS(status));
	return first_line(out, what, err);
}

bool config_secret_read(const struct config_secret *secret, const char *what,
	const struct cancel *cancel, struct buf *out, struct err *err)
{
	struct wait wait = wait_for(CONFIG_SECRET_TIMEOUT_MS, cancel);
	const char *folder = getenv("CREDENTIALS_DIRECTORY");
	CLEANUP(freep) char *path = NULL;

	/* reserve all of it now: a buffer that grows leaves unwiped copies on the heap */
	if (!buf_reserve(out, out->max - out->len))
		return err_set(err, ERR_CONFIG, "%s: the buffer is too small", what);
	if (secret->command)
		return run_command(secret->command, what, wait, out, err);
	if (secret->file)
		return read_file(secret->file, true, what, wait, out, err);
	if (!secret->credential)
		return err_set(err, ERR_CONFIG, "no %s configured: set %s-command or %s-file", what,
			what, what);
	if (!folder)
		return err_set(err, ERR_CONFIG,
			"%s: $CREDENTIALS_DIRECTORY is not set; credentials need a systemd service "
			"with LoadCredential=",
			what);
	path = str_printf("%s/%s", folder, secret->credential);
	return read_file(path, false, what, wait, out, err);
}
