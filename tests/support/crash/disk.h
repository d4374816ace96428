/*
 * Every change of the disk that this process makes, told before it is made: SQLite's, through a VFS
 * that becomes the default one, and lib/base/fs's. SQLite's -shm files apart, which nobody needs
 * after a crash, and empty lock files. From any thread.
 */
#ifndef MAILSTOW_TESTS_SUPPORT_CRASH_DISK_H
#define MAILSTOW_TESTS_SUPPORT_CRASH_DISK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum disk_kind {
	DISK_MKDIR,
	DISK_CREATE, /* an empty file; one that is there is emptied */
	DISK_WRITE,
	DISK_TRUNCATE,
	DISK_CHMOD,
	DISK_SYNC,
	DISK_SYNC_FOLDER,
	DISK_RENAME,
	DISK_REMOVE,
};

enum { DISK_AT_END = -1, DISK_TEAR = -1 };

struct disk_change {
	enum disk_kind kind;
	const char *path;
	const char *to;   /* DISK_RENAME */
	const void *data; /* DISK_WRITE */
	size_t len;
	int64_t offset; /* DISK_WRITE: where, or DISK_AT_END; DISK_TRUNCATE: what is left */
	mode_t mode;    /* DISK_MKDIR, DISK_CREATE, DISK_CHMOD */
	void **own;     /* of an open file of SQLite's, for who is told; else NULL */
};

/* 0: go on; an errno: it fails with that; DISK_TEAR: half of it is done and the process is gone. */
typedef int disk_hook(const struct disk_change *change);

/* Once, before any database is opened. */
void disk_watch(disk_hook *hook);

enum { DISK_EXIT_CODE = 99 }; /* of a process that is gone */

#endif
