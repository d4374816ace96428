#include "support/crash/crash_vfs.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <unistd.h>

#include "base/fs.h"
#include "support/crash/disk.h"
#include "support/crash/unsynced.h"

enum { KEEP_EVERY = 2 };

static atomic_long count;
static atomic_long stop_at;
static atomic_int mode_now;

static bool cuts_power(enum crash_mode mode)
{
	return mode == CRASH_POWER || mode == CRASH_POWER_MIXED;
}

static void lose(enum crash_mode mode)
{
	unsynced_lose(mode == CRASH_POWER_MIXED ? KEEP_EVERY : 0);
}

/* Syncing, removing and truncating need no space. */
static bool needs_room(enum disk_kind kind)
{
	return kind == DISK_MKDIR || kind == DISK_CREATE || kind == DISK_WRITE;
}

static struct unsynced *file_of(const struct disk_change *change)
{
	if (change->own && !*change->own)
		*change->own = unsynced_track(change->path);
	return change->own ? *change->own : NULL;
}

static void note(const struct disk_change *change)
{
	switch (change->kind) {
	case DISK_CREATE:
		if (!fs_exists(change->path))
			unsynced_created(change->path);
		break;
	case DISK_WRITE:
		unsynced_write(file_of(change), change->data, change->len, change->offset);
		break;
	case DISK_TRUNCATE:
		unsynced_truncate(file_of(change), change->offset);
		break;
	case DISK_SYNC:
		unsynced_synced(file_of(change));
		break;
	case DISK_SYNC_FOLDER:
		unsynced_folder_synced(change->path);
		break;
	case DISK_RENAME:
		if (!fs_exists(change->to))
			unsynced_created(change->to);
		break;
	case DISK_MKDIR:
	case DISK_CHMOD:
	case DISK_REMOVE:
		break;
	}
}

static int crash_at(const struct disk_change *change)
{
	long number = atomic_fetch_add(&count, 1) + 1;
	long at = atomic_load(&stop_at);
	enum crash_mode mode = (enum crash_mode)atomic_load(&mode_now);

	if (mode == CRASH_TEAR && number == at && change->kind == DISK_WRITE)
		return DISK_TEAR;
	if (cuts_power(mode) && number >= at)
		lose(mode);
	if (mode <= CRASH_POWER_MIXED && mode != CRASH_OFF && number >= at)
		_exit(CRASH_EXIT_CODE);
	if (mode == CRASH_FULL && number >= at)
		return needs_room(change->kind) ? ENOSPC : 0;
	if (mode == CRASH_FAIL_ONCE && number == at)
		return EIO;
	if (cuts_power(mode))
		note(change);
	return 0;
}

void crash_vfs_install(void)
{
	disk_watch(crash_at);
}

void crash_vfs_arm(long n, enum crash_mode mode)
{
	atomic_store(&mode_now, CRASH_OFF);
	atomic_store(&count, 0);
	atomic_store(&stop_at, n);
	atomic_store(&mode_now, mode);
}

long crash_vfs_count(void)
{
	return atomic_load(&count);
}

void crash_vfs_cut_power(void)
{
	lose((enum crash_mode)atomic_load(&mode_now));
}
