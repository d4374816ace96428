/*
 * Reports every change of the disk that this process makes, before it is made: those of SQLite,
 * through a VFS that becomes the default, and those of lib/base/fs. Leaves out SQLite's -shm
 * files, which are not needed after a crash, and empty lock files. Any thread.
 */
#ifndef MAILSTOW_TESTS_SUPPORT_CRASH_DISK_H
#define MAILSTOW_TESTS_SUPPORT_CRASH_DISK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum disk_kind {
	DISK_MKDIR,
	DISK_CREATE, /* an empty file; an existing one is truncated */
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
	int64_t offset; /* DISK_WRITE: the offset, or DISK_AT_END; DISK_TRUNCATE: the remaining size
			 */
	mode_t mode;    /* DISK_MKDIR, DISK_CREATE, DISK_CHMOD */
	void **own;     /* identifies an open file of SQLite to the hook; else NULL */
};

/* 0: make the change; an errno: fail with it; DISK_TEAR: half of the change is made and the process
 * ends. */
typedef int disk_hook(const struct disk_change *change);

/* Once, before any database is opened. */
void disk_watch(disk_hook *hook);

enum { DISK_EXIT_CODE = 99 }; /* exit code of a process that was stopped */

#endif
