/*
 * What a power cut takes: bytes written and files made, but not synced yet. Every write is noted
 * with what it replaced; unsynced_lose() puts that back.
 *
 * Files are kept open until the process ends, as closing one would drop SQLite's locks (fcntl(2)).
 * For a process that ends soon. Any thread may call.
 */
#ifndef MAILSTOW_TESTS_SUPPORT_CRASH_UNSYNCED_H
#define MAILSTOW_TESTS_SUPPORT_CRASH_UNSYNCED_H

#include <stddef.h>
#include <sys/types.h>

struct unsynced;

/* The file at path, which was opened by others; one and the same for one inode. */
struct unsynced *unsynced_track(const char *path);

/* Just before each change. A NULL file is not watched. */
void unsynced_write(struct unsynced *file, const void *data, size_t len, off_t offset);
void unsynced_truncate(struct unsynced *file, off_t size);

/* This file is durable now; its name is not. */
void unsynced_synced(struct unsynced *file);

/* A file was made, or is about to come here under a new name: its name is durable when its folder
 * was synced. */
void unsynced_created(const char *path);
void unsynced_folder_synced(const char *folder);

/*
 * The power is cut: names go, and of the changes every one (keep 0) or all but every keep-th, as
 * disks write in an order of their own. Nothing can be changed or synced afterwards: others wait.
 */
void unsynced_lose(unsigned keep);

#endif
