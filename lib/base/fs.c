#include "base/fs.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"

enum {
	LOCK_RETRY_US = 50 * 1000,
	LOCK_TEXT_MAX = 128,
	LOCK_NAME_MAX = 64,
	READ_STEP_BYTES = 64 * 1024,
	COPY_STEP_BYTES = 1024 * 1024,
};

static fs_hook *hook_function;
static void *hook_context;

void fs_set_hook(fs_hook *hook, void *context)
{
	hook_function = hook;
	hook_context = context;
}

/* False: the hook makes the change fail, with errno set. */
static bool hook_allows(struct fs_change change)
{
	int code = hook_function ? hook_function(hook_context, &change) : 0;

	if (code != 0)
		errno = code;
	return code == 0;
}

bool fs_sync_dir(const char *path, struct err *err)
{
	CLEANUP(closep) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_errno(err, ERR_LOCAL, errno, "%s: open folder", path);
	if (!hook_allows((struct fs_change){FS_SYNC_FOLDER, path}) || fsync(fd) < 0)
		return err_errno(err, ERR_LOCAL, errno, "%s: fsync folder", path);
	return true;
}

bool fs_sync_parent(const char *path, struct err *err)
{
	const char *slash = strrchr(path, '/');
	CLEANUP(freep) char *parent = NULL;

	if (!slash)
		return fs_sync_dir(".", err);
	parent = xstrndup(path, slash == path ? 1 : (size_t)(slash - path));
	return fs_sync_dir(parent, err);
}

static bool make_one_dir(const char *path, mode_t mode, struct err *err)
{
	struct stat st;

	if (stat(path, &st) == 0) {
		if (S_ISDIR(st.st_mode))
			return true;
		return err_set(err, ERR_CREATE, "%s: is a file, but a folder is needed here", path);
	}
	if ((!hook_allows((struct fs_change){FS_MKDIR, path, .mode = mode}) ||
		    mkdir(path, mode) < 0) &&
		errno != EEXIST)
		return err_errno(err, ERR_CREATE, errno, "%s: create folder", path);
	/* Also if another process made it just now: it may not have synced the parent yet. */
	return fs_sync_parent(path, err);
}

bool fs_make_dirs(const char *path, mode_t mode, struct err *err)
{
	CLEANUP(freep) char *part = xstrdup(path);

	for (char *at = part + 1; *at; at++) {
		if (*at != '/')
			continue;
		*at = '\0';
		if (!make_one_dir(part, mode, err))
			return false;
		*at = '/';
	}
	return make_one_dir(part, mode, err);
}

/* Returns the descriptor, or -1 with errno set. */
static int create(const char *path, mode_t mode)
{
	if (!hook_allows((struct fs_change){FS_CREATE, path, .mode = mode}))
		return -1;
	return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
}

static bool sync_file(int fd, const char *path)
{
	return hook_allows((struct fs_change){FS_SYNC, path}) && fsync(fd) == 0;
}

static bool write_all(int fd, const char *path, const void *data, size_t len, struct err *err)
{
	const char *at = data;

	while (len > 0) {
		struct fs_change change = {FS_WRITE, path, .data = at, .len = len};
		ssize_t done = hook_allows(change) ? write(fd, at, len) : -1;

		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0)
			return err_errno(err, ERR_LOCAL, errno, "%s: write", path);
		at += done;
		len -= (size_t)done;
	}
	return true;
}

static bool copy_bytes(
	int in, int out, const char *from, const char *to, uint64_t *ret_bytes, struct err *err)
{
	CLEANUP(freep) uint8_t *chunk = xmalloc(COPY_STEP_BYTES);
	ssize_t got;

	*ret_bytes = 0;
	while ((got = read(in, chunk, COPY_STEP_BYTES)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(err, ERR_LOCAL, errno, "%s: read", from);
		if (!write_all(out, to, chunk, (size_t)got, err))
			return false;
		*ret_bytes += (uint64_t)got;
	}
	return true;
}

static bool finish_copy(int fd, const char *path, const struct stat *like, struct err *err)
{
	const struct timespec times[2] = {like->st_atim, like->st_mtim};
	mode_t mode = like->st_mode & 0777;

	/* The time after the last write, which would move it, and before the rename: fs_is_copy()
	 * takes a file of this size and time for a finished copy. */
	if (!hook_allows((struct fs_change){FS_CHMOD, path, .mode = mode}) ||
		futimens(fd, times) < 0 || fchmod(fd, mode) < 0 || !sync_file(fd, path))
		return err_errno(err, ERR_LOCAL, errno, "%s", path);
	return true;
}

enum { NS_OF_S = 1000 * 1000 * 1000 };

static int64_t time_ns(const struct stat *st)
{
	return (int64_t)st->st_mtim.tv_sec * NS_OF_S + st->st_mtim.tv_nsec;
}

/* File systems round times down to their own steps: NTFS 100 ns, exFAT 10 ms, FAT 2 s. */
static bool same_time(int64_t kept_ns, int64_t given_ns)
{
	static const int64_t steps_ns[] = {
		1, 100, 1000, 1000 * 1000, 10 * 1000 * 1000, NS_OF_S, 2LL * NS_OF_S};

	for (size_t i = 0; i < ARRAY_LEN(steps_ns); i++)
		if (given_ns - given_ns % steps_ns[i] == kept_ns)
			return true;
	return false;
}

static bool is_copy(const char *path, const struct stat *of)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == of->st_size &&
	       time_ns(&st) == time_ns(of);
}

bool fs_is_copy(const char *path, const char *of)
{
	struct stat st;

	return stat(of, &st) == 0 && is_copy(path, &st);
}

bool fs_was_copied(const char *path, const char *of)
{
	struct stat st, other;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && stat(of, &other) == 0 &&
	       st.st_size == other.st_size && same_time(time_ns(&st), time_ns(&other));
}

bool fs_copy(const char *from, const char *to, uint64_t *ret_bytes, struct err *err)
{
	/* O_NONBLOCK: opening a pipe must not block */
	CLEANUP(closep) int in = open(from, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	CLEANUP(freep) char *temporary = str_printf("%s.new", to);
	CLEANUP(closep) int out = -1;
	struct stat st;

	*ret_bytes = 0;
	if (in < 0 || fstat(in, &st) < 0)
		return err_errno(err, ERR_LOCAL, errno, "%s: open", from);
	if (!S_ISREG(st.st_mode))
		return err_set(err, ERR_CORRUPT, "%s: is not a regular file", from);
	if (is_copy(to, &st))
		return true;
	out = create(temporary, 0600);
	if (out < 0)
		return err_errno(err, ERR_CREATE, errno, "%s: create", temporary);
	return copy_bytes(in, out, from, temporary, ret_bytes, err) &&
	       finish_copy(out, temporary, &st, err) && fs_rename(temporary, to, err);
}

static bool write_synced(
	const char *path, const void *data, size_t len, mode_t mode, struct err *err)
{
	CLEANUP(closep) int fd = create(path, mode);

	if (fd < 0)
		return err_errno(err, ERR_CREATE, errno, "%s: create", path);
	if (!write_all(fd, path, data, len, err))
		return false;
	if (!sync_file(fd, path))
		return err_errno(err, ERR_LOCAL, errno, "%s: fsync", path);
	return true;
}

bool fs_write_atomic(const char *path, const void *data, size_t len, mode_t mode, struct err *err)
{
	CLEANUP(freep) char *temporary = str_printf("%s.new", path);

	/*
	 * A crash before the rename leaves the old file and at most a stray .new, which the next
	 * call overwrites. The bytes are synced before, as the rename may reach the disk first:
	 * path would then name a file without its bytes. A crash after the rename and before the
	 * folder is synced leaves either name, each with a whole file.
	 */
	if (!write_synced(temporary, data, len, mode, err))
		return false;
	return fs_rename(temporary, path, err);
}

bool fs_rename(const char *from, const char *to, struct err *err)
{
	if (!hook_allows((struct fs_change){FS_RENAME, from, .to = to}) || rename(from, to) < 0)
		return err_errno(err, ERR_LOCAL, errno, "%s: rename to %s", from, to);
	return fs_sync_parent(to, err);
}

bool fs_remove(const char *path, struct err *err)
{
	if (!hook_allows((struct fs_change){FS_REMOVE, path}) || unlink(path) < 0) {
		if (errno == ENOENT)
			return true;
		return err_errno(err, ERR_LOCAL, errno, "%s: remove", path);
	}
	return fs_sync_parent(path, err);
}

bool fs_chmod(const char *path, mode_t mode, struct err *err)
{
	if (!hook_allows((struct fs_change){FS_CHMOD, path, .mode = mode}) || chmod(path, mode) < 0)
		return err_errno(err, ERR_LOCAL, errno, "%s: chmod", path);
	return true;
}

bool fs_read(const char *path, struct buf *out, struct err *err)
{
	CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return err_errno(
			err, errno == ENOENT ? ERR_NOT_FOUND : ERR_LOCAL, errno, "%s", path);
	for (;;) {
		char step[READ_STEP_BYTES];
		ssize_t got = read(fd, step, sizeof(step));

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(err, ERR_LOCAL, errno, "%s: read", path);
		if (got == 0)
			return true;
		if (!buf_add(out, step, (size_t)got))
			return err_set(err, ERR_CORRUPT, "%s: larger than the %zu bytes allowed",
				path, out->max);
	}
}

char *fs_expand_home(const char *path)
{
	const char *home = getenv("HOME");

	if (path[0] == '~' && (path[1] == '/' || path[1] == '\0') && home)
		return str_printf("%s%s", home, path + 1);
	return xstrdup(path);
}

bool fs_exists(const char *path)
{
	return access(path, F_OK) == 0;
}

bool fs_is_file(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode);
}

/* The longest leading part of path that exists; the caller frees. */
static char *existing_part(const char *path)
{
	char *part = xstrdup(path);

	while (!fs_exists(part)) {
		char *slash = strrchr(part, '/');

		if (!slash || slash == part) {
			free(part);
			return xstrdup(slash ? "/" : ".");
		}
		*slash = '\0';
	}
	return part;
}

bool fs_is_within(const char *path, const char *folder)
{
	CLEANUP(freep) char *part = existing_part(path);
	CLEANUP(freep) char *real = realpath(part, NULL);
	CLEANUP(freep) char *real_folder = realpath(folder, NULL);
	size_t len = real_folder ? strlen(real_folder) : 0;

	return real && real_folder && strncmp(real, real_folder, len) == 0 &&
	       (real[len] == '/' || real[len] == '\0' || real[len - 1] == '/');
}

/*
 * Two locks on one file. The open file description lock on byte 0 excludes others. The process lock
 * on byte 1 only lets F_GETLK tell the holder's pid, so that nothing has to be written.
 */
enum { LOCK_EXCLUDES, LOCK_NAMES };

static struct flock lock_of(off_t byte)
{
	return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1};
}

static bool lock_now(int fd)
{
	struct flock lock = lock_of(LOCK_EXCLUDES);

	return fcntl(fd, F_OFD_SETLK, &lock) == 0;
}

/* "mailstowd (pid 42)", or "another process" if the kernel does not tell. */
static void holder_of(int fd, char *holder, size_t size)
{
	struct flock lock = lock_of(LOCK_NAMES);
	CLEANUP(freep) char *path = NULL;
	CLEANUP(closep) int comm = -1;
	ssize_t got;
	char name[LOCK_NAME_MAX] = "";

	(void)snprintf(holder, size, "another process");
	if (fcntl(fd, F_GETLK, &lock) != 0)
		return;
	if (lock.l_type == F_UNLCK || lock.l_pid <= 0)
		return;
	path = str_printf("/proc/%ld/comm", (long)lock.l_pid);
	comm = open(path, O_RDONLY | O_CLOEXEC);
	got = comm < 0 ? 0 : read(comm, name, sizeof(name) - 1);
	if (got <= 0)
		(void)snprintf(name, sizeof(name), "a process");
	name[strcspn(name, "\n")] = '\0';
	CLEANUP(freep) char *shown = str_printable(name, strlen(name), sizeof(name));
	(void)snprintf(holder, size, "%s (pid %ld)", shown, (long)lock.l_pid);
}

bool fs_lock(const char *path, int timeout_ms, int *ret_fd, struct err *err)
{
	CLEANUP(closep) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	int64_t deadline_ms = clock_mono_ms() + timeout_ms;
	struct flock name = lock_of(LOCK_NAMES);
	char holder[LOCK_TEXT_MAX];

	if (fd < 0)
		return err_errno(err, errno == EACCES || errno == EROFS ? ERR_AUTH : ERR_LOCAL,
			errno, "%s: open lock", path);
	while (!lock_now(fd)) {
		if (errno != EAGAIN && errno != EACCES && errno != EINTR)
			return err_errno(err, ERR_LOCAL, errno, "%s: lock", path);
		if (clock_mono_ms() >= deadline_ms) {
			holder_of(fd, holder, sizeof(holder));
			return err_set(err, ERR_BUSY, "%s: locked by %s", path, holder);
		}
		(void)usleep(LOCK_RETRY_US);
	}
	(void)fcntl(fd, F_SETLK, &name); /* only for messages: a failure does not matter */
	*ret_fd = fd;
	fd = -1;
	return true;
}

bool fs_is_locked(const char *path)
{
	CLEANUP(closep) int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	struct flock lock = lock_of(LOCK_EXCLUDES);

	return fd >= 0 && fcntl(fd, F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

void fs_unlock(int *fd)
{
	closep(fd);
}
