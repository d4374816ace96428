#include "support/crash/unsynced.h"

#include <assert.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"

struct unsynced {
	int fd;
	dev_t device;
	ino_t inode;
};

/* One change, and the bytes it replaced, from `offset` on. */
struct change {
	struct unsynced *file;
	off_t offset, old_size;
	uint8_t *old, *data; /* data NULL: cut off at offset */
	size_t old_len, len;
};

struct name {
	char *path;
	dev_t device; /* of the folder */
	ino_t inode;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
	struct unsynced **files;
	size_t files_count, files_cap;
	struct change *changes;
	size_t count, cap;
	struct name *names;
	size_t names_count, names_cap;
} all;

/* --- files --- */

static struct unsynced *find(const struct stat *st)
{
	for (size_t i = 0; i < all.files_count; i++)
		if (all.files[i]->device == st->st_dev && all.files[i]->inode == st->st_ino)
			return all.files[i];
	return NULL;
}

struct unsynced *unsynced_track(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);
	struct unsynced *file;
	struct stat st;

	if (fd < 0)
		return NULL;
	assert(fstat(fd, &st) == 0);
	assert(pthread_mutex_lock(&lock) == 0);
	file = find(&st);
	if (!file) {
		file = xcalloc(1, sizeof(*file));
		*file = (struct unsynced){fd, st.st_dev, st.st_ino};
		ARRAY_GROW(all.files, all.files_count, all.files_cap);
		all.files[all.files_count++] = file;
	}
	assert(pthread_mutex_unlock(&lock) == 0);
	return file;
}

/* --- changes --- */

static void note(struct unsynced *file, const void *data, size_t len, off_t offset)
{
	struct change change = {.file = file, .offset = offset, .len = len};
	struct stat st;
	ssize_t got;

	assert(pthread_mutex_lock(&lock) == 0);
	assert(fstat(file->fd, &st) == 0);
	change.old_size = st.st_size;
	change.old_len = data ? len : (size_t)(st.st_size > offset ? st.st_size - offset : 0);
	change.old = xmalloc(change.old_len + 1);
	got = pread(file->fd, change.old, change.old_len, offset);
	assert(got >= 0);
	change.old_len = (size_t)got;
	if (data) {
		change.data = xmalloc(len + 1);
		memcpy(change.data, data, len);
	}
	ARRAY_GROW(all.changes, all.count, all.cap);
	all.changes[all.count++] = change;
	assert(pthread_mutex_unlock(&lock) == 0);
}

void unsynced_write(struct unsynced *file, const void *data, size_t len, off_t offset)
{
	if (file)
		note(file, data, len, offset);
}

void unsynced_truncate(struct unsynced *file, off_t size)
{
	if (file)
		note(file, NULL, 0, size);
}

void unsynced_synced(struct unsynced *file)
{
	size_t left = 0;

	if (!file)
		return;
	assert(pthread_mutex_lock(&lock) == 0);
	for (size_t i = 0; i < all.count; i++) {
		if (all.changes[i].file != file) {
			all.changes[left++] = all.changes[i];
			continue;
		}
		free(all.changes[i].old);
		free(all.changes[i].data);
	}
	all.count = left;
	assert(pthread_mutex_unlock(&lock) == 0);
}

/* --- names --- */

static bool stat_folder_of(const char *path, struct stat *ret_st)
{
	CLEANUP(freep) char *folder = xstrdup(path);
	char *slash = strrchr(folder, '/');

	if (!slash)
		return false;
	*slash = '\0';
	return stat(folder, ret_st) == 0;
}

void unsynced_created(const char *path)
{
	struct stat st;

	if (!stat_folder_of(path, &st))
		return;
	assert(pthread_mutex_lock(&lock) == 0);
	ARRAY_GROW(all.names, all.names_count, all.names_cap);
	all.names[all.names_count++] = (struct name){xstrdup(path), st.st_dev, st.st_ino};
	assert(pthread_mutex_unlock(&lock) == 0);
}

void unsynced_folder_synced(const char *folder)
{
	struct stat st;
	size_t left = 0;

	if (stat(folder, &st) < 0)
		return;
	assert(pthread_mutex_lock(&lock) == 0);
	for (size_t i = 0; i < all.names_count; i++) {
		if (all.names[i].device == st.st_dev && all.names[i].inode == st.st_ino)
			free(all.names[i].path);
		else
			all.names[left++] = all.names[i];
	}
	all.names_count = left;
	assert(pthread_mutex_unlock(&lock) == 0);
}

/* --- the cut --- */

static void put(int fd, const uint8_t *data, size_t len, off_t offset)
{
	assert(pwrite(fd, data, len, offset) == (ssize_t)len);
}

static void undo(const struct change *change)
{
	assert(ftruncate(change->file->fd, change->old_size) == 0);
	put(change->file->fd, change->old, change->old_len, change->offset);
}

static void redo(const struct change *change)
{
	if (change->data)
		put(change->file->fd, change->data, change->len, change->offset);
	else
		assert(ftruncate(change->file->fd, change->offset) == 0);
}

void unsynced_lose(unsigned keep)
{
	assert(pthread_mutex_lock(&lock) == 0);
	for (size_t i = all.count; i > 0; i--)
		undo(&all.changes[i - 1]);
	for (size_t i = 0; keep > 0 && i < all.count; i++)
		if (i % keep != 0)
			redo(&all.changes[i]);
	for (size_t i = 0; i < all.names_count; i++)
		(void)unlink(all.names[i].path);
}
