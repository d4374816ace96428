#include "support/crash/disk.h"

#include <assert.h>
#include <errno.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "base/fs.h"

static disk_hook *told;

struct disk_file {
	sqlite3_file base;
	sqlite3_file *real;
	const char *name; /* owned by SQLite while the file is open; NULL: a temporary file */
	void *own;
	bool syncs_folder; /* a WAL: SQLite syncs its folder with its first sync */
};

static struct disk_file *disk_of(sqlite3_file *file)
{
	return (struct disk_file *)file;
}

static sqlite3_file *real_of(sqlite3_file *file)
{
	return disk_of(file)->real;
}

/* --- what is told --- */

static int tell(sqlite3_file *file, struct disk_change change)
{
	change.path = disk_of(file)->name;
	change.own = &disk_of(file)->own;
	return change.path ? told(&change) : 0;
}

static int tell_name(enum disk_kind kind, const char *name)
{
	return told(&(struct disk_change){.kind = kind, .path = name, .mode = 0600});
}

/* SQLite ignores an error of this call. */
static void tell_folder_of(const char *name)
{
	CLEANUP(freep) char *folder = xstrndup(name, (size_t)(strrchr(name, '/') - name));

	(void)tell_name(DISK_SYNC_FOLDER, folder);
}

/* --- one file --- */

static int disk_close(sqlite3_file *file)
{
	return real_of(file)->pMethods->xClose(real_of(file));
}

static int disk_read(sqlite3_file *file, void *data, int len, sqlite3_int64 offset)
{
	return real_of(file)->pMethods->xRead(real_of(file), data, len, offset);
}

static int disk_write(sqlite3_file *file, const void *data, int len, sqlite3_int64 offset)
{
	int code = tell(file, (struct disk_change){DISK_WRITE, .data = data, .len = (size_t)len,
				      .offset = offset});

	if (code == DISK_TEAR) {
		(void)real_of(file)->pMethods->xWrite(real_of(file), data, len / 2, offset);
		_exit(DISK_EXIT_CODE);
	}
	if (code != 0)
		return code == ENOSPC ? SQLITE_FULL : SQLITE_IOERR_WRITE;
	return real_of(file)->pMethods->xWrite(real_of(file), data, len, offset);
}

static int disk_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	if (tell(file, (struct disk_change){DISK_TRUNCATE, .offset = size}) != 0)
		return SQLITE_IOERR_TRUNCATE;
	return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int disk_sync(sqlite3_file *file, int flags)
{
	int code;

	if (tell(file, (struct disk_change){DISK_SYNC}) != 0)
		return SQLITE_IOERR_FSYNC;
	code = real_of(file)->pMethods->xSync(real_of(file), flags);
	if (code == SQLITE_OK && disk_of(file)->syncs_folder)
		tell_folder_of(disk_of(file)->name);
	disk_of(file)->syncs_folder = false;
	return code;
}

static int disk_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
	return real_of(file)->pMethods->xFileSize(real_of(file), ret_size);
}

static int disk_lock(sqlite3_file *file, int level)
{
	return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int disk_unlock(sqlite3_file *file, int level)
{
	return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int disk_reserved(sqlite3_file *file, int *ret_reserved)
{
	return real_of(file)->pMethods->xCheckReservedLock(real_of(file), ret_reserved);
}

static int disk_control(sqlite3_file *file, int what, void *argument)
{
	return real_of(file)->pMethods->xFileControl(real_of(file), what, argument);
}

static int disk_sector(sqlite3_file *file)
{
	return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int disk_traits(sqlite3_file *file)
{
	return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static int disk_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **ret)
{
	return real_of(file)->pMethods->xShmMap(real_of(file), page, size, extend, ret);
}

static int disk_shm_lock(sqlite3_file *file, int offset, int n, int flags)
{
	return real_of(file)->pMethods->xShmLock(real_of(file), offset, n, flags);
}

static void disk_shm_barrier(sqlite3_file *file)
{
	real_of(file)->pMethods->xShmBarrier(real_of(file));
}

static int disk_shm_unmap(sqlite3_file *file, int remove)
{
	return real_of(file)->pMethods->xShmUnmap(real_of(file), remove);
}

static const sqlite3_io_methods disk_methods = {
	.iVersion = 2,
	.xClose = disk_close,
	.xRead = disk_read,
	.xWrite = disk_write,
	.xTruncate = disk_truncate,
	.xSync = disk_sync,
	.xFileSize = disk_size,
	.xLock = disk_lock,
	.xUnlock = disk_unlock,
	.xCheckReservedLock = disk_reserved,
	.xFileControl = disk_control,
	.xSectorSize = disk_sector,
	.xDeviceCharacteristics = disk_traits,
	.xShmMap = disk_shm_map,
	.xShmLock = disk_shm_lock,
	.xShmBarrier = disk_shm_barrier,
	.xShmUnmap = disk_shm_unmap,
};

/* --- files by name --- */

static int disk_open(
	sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags, int *ret_flags)
{
	sqlite3_vfs *real_vfs = vfs->pAppData;
	struct disk_file *disk = disk_of(file);
	bool may_create = name && (flags & SQLITE_OPEN_CREATE);
	int exists = 1;
	int code;

	memset(disk, 0, sizeof(*disk));
	disk->real = (sqlite3_file *)(disk + 1);
	if (may_create)
		(void)real_vfs->xAccess(real_vfs, name, SQLITE_ACCESS_EXISTS, &exists);
	code = exists ? 0 : tell_name(DISK_CREATE, name);
	if (code != 0)
		return code == ENOSPC ? SQLITE_FULL : SQLITE_CANTOPEN;
	code = real_vfs->xOpen(real_vfs, name, disk->real, flags, ret_flags);
	if (code != SQLITE_OK)
		return code;
	disk->base.pMethods = &disk_methods;
	disk->name = name;
	disk->syncs_folder = may_create && (flags & SQLITE_OPEN_WAL);
	return SQLITE_OK;
}

static int disk_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	sqlite3_vfs *real_vfs = vfs->pAppData;
	int code;

	if (tell_name(DISK_REMOVE, name) != 0)
		return SQLITE_IOERR_DELETE;
	code = real_vfs->xDelete(real_vfs, name, sync);
	if (code == SQLITE_OK && sync)
		tell_folder_of(name);
	return code;
}

static int disk_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret_result)
{
	sqlite3_vfs *real_vfs = vfs->pAppData;

	return real_vfs->xAccess(real_vfs, name, flags, ret_result);
}

static int disk_full_path(sqlite3_vfs *vfs, const char *name, int len, char *out)
{
	sqlite3_vfs *real_vfs = vfs->pAppData;

	return real_vfs->xFullPathname(real_vfs, name, len, out);
}

/* --- lib/base/fs --- */

static int fs_changes(void *context, const struct fs_change *change)
{
	static const enum disk_kind kinds[] = {
		[FS_MKDIR] = DISK_MKDIR,
		[FS_CREATE] = DISK_CREATE,
		[FS_WRITE] = DISK_WRITE,
		[FS_CHMOD] = DISK_CHMOD,
		[FS_SYNC] = DISK_SYNC,
		[FS_SYNC_FOLDER] = DISK_SYNC_FOLDER,
		[FS_RENAME] = DISK_RENAME,
		[FS_REMOVE] = DISK_REMOVE,
	};
	int code = told(&(struct disk_change){
		.kind = kinds[change->kind],
		.path = change->path,
		.to = change->to,
		.data = change->data,
		.len = change->len,
		.offset = DISK_AT_END,
		.mode = change->mode,
	});

	(void)context;
	if (code == DISK_TEAR)
		_exit(DISK_EXIT_CODE);
	return code;
}

void disk_watch(disk_hook *hook)
{
	static sqlite3_vfs disk_vfs;
	sqlite3_vfs *real_vfs;

	assert(!told);
	told = hook;
	(void)sqlite3_initialize();
	real_vfs = sqlite3_vfs_find(NULL);
	disk_vfs = *real_vfs;
	disk_vfs.pNext = NULL;
	disk_vfs.zName = "disk";
	disk_vfs.pAppData = real_vfs;
	disk_vfs.szOsFile = (int)sizeof(struct disk_file) + real_vfs->szOsFile;
	disk_vfs.xOpen = disk_open;
	disk_vfs.xDelete = disk_delete;
	disk_vfs.xAccess = disk_access;
	disk_vfs.xFullPathname = disk_full_path;
	(void)sqlite3_vfs_register(&disk_vfs, 1);
	fs_set_hook(fs_changes, NULL);
}
