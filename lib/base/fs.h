/*
 * Files outside SQLite: every change of the disk that is not a database's goes through here, so
 * that every file that is created is synced with its folder and the crash ring can stop at each.
 */
#ifndef MAILSTOW_BASE_FS_H
#define MAILSTOW_BASE_FS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/* Create path and missing parents with this mode; each new folder's parent is synced. */
bool fs_make_dirs(const char *path, mode_t mode, struct err *err);

/* fsync a folder, so that names created or removed in it are durable. */
bool fs_sync_dir(const char *path, struct err *err);

/* fsync the folder that holds path. */
bool fs_sync_parent(const char *path, struct err *err);

/* Replace path by data: temporary file, fsync, rename, fsync of the folder. */
bool fs_write_atomic(const char *path, const void *data, size_t len, mode_t mode, struct err *err);

/*
 * Make `to` a copy of `from`, of any size, with its permission bits and time of change: temporary
 * file, fsync, rename, fsync of the folder. If it is one already nothing is done. *ret_bytes: how
 * many were copied. ERR_CORRUPT: what is at `from` is no file.
 */
bool fs_copy(const char *from, const char *to, uint64_t *ret_bytes, struct err *err);

/* One that has the same size and time of change is taken for a copy. */
bool fs_is_copy(const char *path, const char *of);

/* The same of a file that never changes: the time may be as coarse as a file system keeps it. */
bool fs_was_copied(const char *path, const char *of);

/* Read a whole file of at most out->max bytes. ERR_NOT_FOUND: there is none; ERR_CORRUPT: larger.
 */
bool fs_read(const char *path, struct buf *out, struct err *err);

/* Rename and sync the folder of `to`. Both lie in one file system. */
bool fs_rename(const char *from, const char *to, struct err *err);

/* Remove a file and sync its folder. A missing file is no error. */
bool fs_remove(const char *path, struct err *err);

/* Change permission bits (sealed volumes: 0444). */
bool fs_chmod(const char *path, mode_t mode, struct err *err);

/* "~" and "~/x" with $HOME; anything else is copied. The caller frees. */
char *fs_expand_home(const char *path);

bool fs_exists(const char *path);

/* A file with bytes, links followed: no folder, and nothing whose opening waits for another end. */
bool fs_is_file(const char *path);

/* Is path this folder, or will it lie in it? Links are followed as far as path exists. */
bool fs_is_within(const char *path, const char *folder);

/*
 * An exclusive lock on a file, held until fs_unlock() or the end of the process. Nothing is written
 * into the file. Waits at most timeout_ms; then ERR_BUSY names the holder, as far as the kernel
 * knows it. A dead holder's lock is gone by itself (open file description locks, fcntl(2)).
 */
bool fs_lock(const char *path, int timeout_ms, int *ret_fd, struct err *err);
void fs_unlock(int *fd); /* also for CLEANUP(); -1 is no lock */
/* Does anybody hold it now? Never gets in the way of one who locks. */
bool fs_is_locked(const char *path);

/*
 * Told of each change of the disk before it is made when set (tests only). Not 0: the change fails
 * with this errno.
 */
struct fs_change {
	enum fs_change_kind {
		FS_MKDIR,
		FS_CREATE, /* an empty file: one that is there is emptied */
		FS_WRITE,  /* at its end */
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
