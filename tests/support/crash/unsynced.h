/*
 * What a power cut takes: bytes written and files created, but not synced yet. Records each write
 * with the bytes it replaced; unsynced_lose() puts those back.
 *
 * Keeps files open until the process ends, since closing one would drop SQLite's locks (fcntl(2)).
 * For short-lived processes. Any thread may call.
 */
#ifndef MAILSTOW_TESTS_SUPPORT_CRASH_UNSYNCED_H
#define MAILSTOW_TESTS_SUPPORT_CRASH_UNSYNCED_H

#include <stddef.h>
#include <sys/types.h>

struct unsynced;

/* The file at path, which others have opened; the same object for the same inode. */
struct unsynced *unsynced_track(const char *path);

/* Just before each change. A NULL file is not watched. */
void unsynced_write(struct unsynced *file, const void *data, size_t len, off_t offset);
void unsynced_truncate(struct unsynced *file, off_t size);

/* The file's bytes are durable now; its name is not. */
void unsynced_synced(struct unsynced *file);

/* A file was created here, or is about to be renamed to here. Its name is durable once its folder
 * is synced. */
void unsynced_created(const char *path);
void unsynced_folder_synced(const char *folder);

/*
 * Cut the power: lose unsynced names, and of the unsynced changes all (keep 0) or all but every
 * keep-th, since disks reorder writes. Nothing can be changed or synced afterwards: other threads
 * wait.
 */
void unsynced_lose(unsigned keep);

#endif
