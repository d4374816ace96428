#include "support/crash_vfs.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "support/unsynced.h"

enum { KEEP_EVERY = 2 };

static atomic_long count;
static atomic_long stop_at;
static atomic_int mode_now;

struct crash_file {
	sqlite3_file base;
	sqlite3_file *real;
	struct unsynced *unsynced; /* NULL: no power is cut */
	bool is_wal;
	const char *name; /* SQLite's, as long as the file is open */
};

static struct crash_file *crash_of(sqlite3_file *file)
{
	return (struct crash_file *)file;
}

static sqlite3_file *real_of(sqlite3_file *file)
{
	return ((struct crash_file *)file)->real;
}

static bool cuts_power(enum crash_mode mode)
{
	return mode == CRASH_POWER || mode == CRASH_POWER_MIXED;
}

static void lose(enum crash_mode mode)
{
	unsynced_lose(mode == CRASH_POWER_MIXED ? KEEP_EVERY : 0);
}

/* True: this change must fail. tear: whether to be told of CRASH_TEAR rather than stopped. */
static bool change(bool *tear)
{
	long number = atomic_fetch_add(&count, 1) + 1;
	long at = atomic_load(&stop_at);
	enum crash_mode mode = (enum crash_mode)atomic_load(&mode_now);

	if (mode == CRASH_TEAR && number == at && tear) {
		*tear = true;
		return false;
	}
	if (cuts_power(mode) && number >= at)
		lose(mode);
	if (mode <= CRASH_POWER_MIXED && mode != CRASH_OFF && number >= at)
		_exit(CRASH_EXIT_CODE);
	return (mode == CRASH_FULL && number >= at) || (mode == CRASH_FAIL_ONCE && number == at);
}

static bool is_full_disk(void)
{
	return atomic_load(&mode_now) == CRASH_FULL;
}

static int crash_close(sqlite3_file *file)
{
	return real_of(file)->pMethods->xClose(real_of(file));
}

static int crash_read(sqlite3_file *file, void *data, int len, sqlite3_int64 offset)
{
	return real_of(file)->pMethods->xRead(real_of(file), data, len, offset);
}

static int crash_write(sqlite3_file *file, const void *data, int len, sqlite3_int64 offset)
{
	bool tear = false;

	if (change(&tear))
		return is_full_disk() ? SQLITE_FULL : SQLITE_IOERR_WRITE;
	if (tear) {
		(void)real_of(file)->pMethods->xWrite(real_of(file), data, len / 2, offset);
		_exit(CRASH_EXIT_CODE);
	}
	unsynced_write(crash_of(file)->unsynced, data, (size_t)len, offset);
	return real_of(file)->pMethods->xWrite(real_of(file), data, len, offset);
}

static int crash_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	if (change(NULL) && !is_full_disk())
		return SQLITE_IOERR_TRUNCATE;
	unsynced_truncate(crash_of(file)->unsynced, size);
	return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static void folder_synced(const char *path)
{
	CLEANUP(freep) char *folder = xstrndup(path, (size_t)(strrchr(path, '/') - path));

	unsynced_folder_synced(folder);
}

static int crash_sync(sqlite3_file *file, int flags)
{
	struct crash_file *crash = crash_of(file);
	int code;

	if (change(NULL) && !is_full_disk())
		return SQLITE_IOERR_FSYNC;
	code = real_of(file)->pMethods->xSync(real_of(file), flags);
	if (code != SQLITE_OK || !crash->unsynced)
		return code;
	unsynced_synced(crash->unsynced);
	if (crash->is_wal) /* SQLite syncs the folder of a new one as well */
		folder_synced(crash->name);
	return SQLITE_OK;
}

static int crash_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
	return real_of(file)->pMethods->xFileSize(real_of(file), ret_size);
}

static int crash_lock(sqlite3_file *file, int level)
{
	return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int crash_unlock(sqlite3_file *file, int level)
{
	return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int crash_reserved(sqlite3_file *file, int *ret_reserved)
{
	return real_of(file)->pMethods->xCheckReservedLock(real_of(file), ret_reserved);
}

static int crash_control(sqlite3_file *file, int what, void *argument)
{
	return real_of(file)->pMethods->xFileControl(real_of(file), what, argument);
}

static int crash_sector(sqlite3_file *file)
{
	return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int crash_traits(sqlite3_file *file)
{
	return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int crash_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **ret)
{
	return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, ret);
}

static int crash_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
	return real_of(file)->pMethods->xShmLock(real_of(file), offset, n, flags);
}

static void crash_shm_barrier(sqlite3_file *file)
{
	real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int crash_shm_unmap(sqlite3_file *file, int remove)
{
	return real_of(file)->pMethods->xShmUnmap(real_of(file), remove);
}

static const sqlite3_io_methods crash_methods = {
	.iVersion = 2,
	.xClose = crash_close,
	.xRead = crash_read,
	.xWrite = crash_write,
	.xTruncate = crash_truncate,
	.xSync = crash_sync,
	.xFileSize = crash_size,
	.xLock = crash_lock,
	.xUnlock = crash_unlock,
	.xCheckReservedLock = crash_reserved,
	.xFileControl = crash_control,
	.xSectorSize = crash_sector,
	.xDeviceCharacteristics = crash_traits,
	.xShmMap = crash_shm_map,
	.xShmLock = crash_shm_lock,
	.xShmBarrier = crash_shm_barrier,
	.xShmUnmap = crash_shm_unmap,
};

static void watch(struct crash_file *crash, const char *name, int flags, int exists)
{
	crash->name = name;
	crash->is_wal = (flags & SQLITE_OPEN_WAL) != 0;
	crash->unsynced = unsynced_track(name);
	if (!exists)
		unsynced_created(name);
}

static int crash_open(
	sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags, int *ret_flags)
{
	sqlite3_vfs *real_vfs = vfs->pAppData;
	struct crash_file *crash = (struct crash_file *)file;
	int exists = 1;
	int code;

	memset(crash, 0, sizeof(*crash));
	crash->real = (sqlite3_file *)(crash + 1);
	if (name && (flags & SQLITE_OPEN_CREATE))
		(void)real_vfs->xAccess(real_vfs, name, SQLITE_ACCESS_EXISTS, &exists);
	if (!exists && change(NULL))
		return is_full_disk() ? SQLITE_FULL : SQLITE_CANTOPEN;
	code = real_vfs->xOpen(real_vfs, name, crash->real, flags, ret_flags);
	if (code != SQLITE_OK)
		return code;
	crash->base.pMethods = &crash_methods;
	if (name && cuts_power((enum crash_mode)atomic_load(&mode_now)))
		watch(crash, name, flags, exists);
	return SQLITE_OK;
}

static int crash_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	sqlite3_vfs *real_vfs = vfs->pAppData;

	if (change(NULL) && !is_full_disk())
		return SQLITE_IOERR_DELETE;
	return real_vfs->xDelete(real_vfs, name, sync);
}

static int crash_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret_result)
{
	sqlite3_vfs *real_vfs = vfs->pAppData;

	return real_vfs->xAccess(real_vfs, name, flags, ret_result);
}

static int crash_full_path(sqlite3_vfs *vfs, const char *name, int len, char *out)
{
	sqlite3_vfs *real_vfs = vfs->pAppData;

	return real_vfs->xFullPathname(real_vfs, name, len, out);
}

/* Names need room, what is synced, removed or marked does not. */
static bool needs_room(const char *what)
{
	return strcmp(what, "write") == 0 || strcmp(what, "mkdir") == 0;
}

static int fs_changes(void *context, const char *what, const char *path)
{
	(void)context;
	if (change(NULL)) {
		if (!is_full_disk())
			return EIO;
		return needs_room(what) ? ENOSPC : 0;
	}
	if (!cuts_power((enum crash_mode)atomic_load(&mode_now)))
		return 0;
	if (strcmp(what, "fsync") == 0)
		unsynced_folder_synced(path);
	else if (strcmp(what, "rename") == 0 && !fs_exists(path))
		unsynced_created(path);
	return 0;
}

void crash_vfs_install(void)
{
	static sqlite3_vfs crash_vfs;
	sqlite3_vfs *real_vfs;

	(void)sqlite3_initialize();
	real_vfs = sqlite3_vfs_find(NULL);
	crash_vfs = *real_vfs;
	crash_vfs.pNext = NULL;
	crash_vfs.zName = "crash";
	crash_vfs.pAppData = real_vfs;
	crash_vfs.szOsFile = (int)sizeof(struct crash_file) + real_vfs->szOsFile;
	crash_vfs.xOpen = crash_open;
	crash_vfs.xDelete = crash_delete;
	crash_vfs.xAccess = crash_access;
	crash_vfs.xFullPathname = crash_full_path;
	(void)sqlite3_vfs_register(&crash_vfs, 1);
	fs_set_hook(fs_changes, NULL);
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
