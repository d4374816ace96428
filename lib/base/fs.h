/*
 * Files outside SQLite. All changes on disk are made here, so that every new file is synced
 * together with its folder, and crash tests can stop before each change. Exceptions: databases
 * (lib/db) and the wire log, which is no one's data.
 */
#ifndef MAILSTOW_BASE_FS_H
#define MAILSTOW_BASE_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/* Creates path and its missing parents with this mode, and syncs the parent of each new folder. */
bool fs_make_dirs(const char *path, mode_t mode, struct err *err);

/* Syncs a folder, so that names created or removed in it are durable. */
bool fs_sync_dir(const char *path, struct err *err);

/* Syncs the folder that holds path. */
bool fs_sync_parent(const char *path, struct err *err);

/*
 * Replaces path by data: temporary file path + ".new", fsync, rename, fsync of the folder. After a
 * crash path holds the old content or the new one, whole.
 */
bool fs_write_atomic(const char *path, const void *data, size_t len, mode_t mode, struct err *err);

/*
 * Makes `to` a copy of `from`, of any size, with its permission bits and time of change: temporary
 * file, fsync, rename, fsync of the folder. Does nothing if fs_is_copy(). *ret_bytes: bytes copied.
 * ERR_CORRUPT: `from` is not a regular file.
 */
bool fs_copy(const char *from, const char *to, uint64_t *ret_bytes, struct err *err);

/* Does path have the same size and time of change, so that it counts as a copy? */
bool fs_is_copy(const char *path, const char *of);

/* The same for a file that never changes: allows times that a file system has rounded. */
bool fs_was_copied(const char *path, const char *of);

/* Reads a whole file of at most out->max bytes. ERR_NOT_FOUND: no such file; ERR_CORRUPT: larger.
 */
bool fs_read(const char *path, struct buf *out, struct err *err);

/* Renames and syncs the folder of `to`. Both paths are on one file system. */
bool fs_rename(const char *from, const char *to, struct err *err);

/* Removes a file and syncs its folder. A missing file is no error. */
bool fs_remove(const char *path, struct err *err);

/* Changes permission bits (sealed volumes: 0444). */
bool fs_chmod(const char *path, mode_t mode, struct err *err);

/* Expands "~" and "~/x" with $HOME and copies anything else. The caller frees. */
char *fs_expand_home(const char *path);

bool fs_exists(const char *path);

/* Is path a regular file, following links? Not a folder, and no pipe, whose opening could block. */
bool fs_is_file(const char *path);

/* Is path this folder or inside it? path need not exist; follows links as far as it does. */
bool fs_is_within(const char *path, const char *folder);

/*
 * Takes an exclusive lock on a file, held until fs_unlock() or the end of the process. Writes
 * nothing into the file. Waits at most timeout_ms; then ERR_BUSY names the holder, if the kernel
 * knows it. The kernel drops the lock of a process that ends (open file description locks,
 * fcntl(2)).
 */
bool fs_lock(const char *path, int timeout_ms, int *ret_fd, struct err *err);
void fs_unlock(int *fd); /* also for CLEANUP(); -1: no lock */
/* Does anybody hold the lock now? Does not disturb fs_lock() elsewhere. */
bool fs_is_locked(const char *path);

/*
 * Tests only: called before each change on disk. If it returns not 0, the change fails with that
 * errno.
 */
struct fs_change {
	enum fs_change_kind {
		FS_MKDIR,
		FS_CREATE, /* an empty file; empties an existing one */
		FS_WRITE,  /* appends */
		FS_CHMOD,
		FS_SYNC,
		FS_SYNC_FOLDER,
		FS_RENAME,
		FS_REMOVE,
	} kind;
	const char *path;
	const char *to;   /* FS_RENAME */
	const void *data; /* FS_WRITE */
	size_t len;
	mode_t mode; /* FS_MKDIR, FS_CREATE, FS_CHMOD */
};
typedef int fs_hook(void *context, const struct fs_change *change);
void fs_set_hook(fs_hook *hook, void *context);

#endif
