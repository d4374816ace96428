#include "db/vfs_shim_internal.h"

static sqlite3_file *real_of(sqlite3_file *file)
{
	return ((struct shim_file *)file)->real;
}

static int shim_close(sqlite3_file *file)
{
	sqlite3_file *real = real_of(file);

	return real && real->pMethods ? real->pMethods->xClose(real) : SQLITE_OK;
}

static int shim_read(sqlite3_file *file, void *data, int len, sqlite3_int64 offset)
{
	sqlite3_file *real = real_of(file);

	return real->pMethods->xRead(real, data, len, offset);
}

static int shim_write(sqlite3_file *file, const void *data, int len, sqlite3_int64 offset)
{
	sqlite3_file *real = real_of(file);

	return real->pMethods->xWrite(real, data, len, offset);
}

static int shim_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	sqlite3_file *real = real_of(file);

	return real->pMethods->xTruncate(real, size);
}

static int shim_sync(sqlite3_file *file, int flags)
{
	sqlite3_file *real = real_of(file);

	return real->pMethods->xSync(real, flags);
}

static int shim_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
	sqlite3_file *real = real_of(file);

	*ret_size = 0;
	return real ? real->pMethods->xFileSize(real, ret_size) : SQLITE_OK;
}

static int shim_lock(sqlite3_file *file, int level)
{
	sqlite3_file *real = real_of(file);

	return real->pMethods->xLock(real, level);
}

static int shim_unlock(sqlite3_file *file, int level)
{
	sqlite3_file *real = real_of(file);

	return real->pMethods->xUnlock(real, level);
}

static int shim_reserved(sqlite3_file *file, int *ret_reserved)
{
	sqlite3_file *real = real_of(file);

	return real->pMethods->xCheckReservedLock(real, ret_reserved);
}

static int shim_control(sqlite3_file *file, int operation, void *argument)
{
	sqlite3_file *real = real_of(file);

	return real->pMethods->xFileControl(real, operation, argument);
}

static int shim_sector(sqlite3_file *file)
{
	sqlite3_file *real = real_of(file);

	return real->pMethods->xSectorSize(real);
}

static int shim_traits(sqlite3_file *file)
{
	sqlite3_file *real = real_of(file);

	return real->pMethods->xDeviceCharacteristics(real);
}

static int shim_shm_map(
	sqlite3_file *file, int region, int size, int extend, void volatile **ret_memory)
{
	sqlite3_file *real = real_of(file);

	return real->pMethods->xShmMap(real, region, size, extend, ret_memory);
}

static int shim_shm_lock(sqlite3_file *file, int offset, int count, int flags)
{
	sqlite3_file *real = real_of(file);

	return real->pMethods->xShmLock(real, offset, count, flags);
}

static void shim_shm_barrier(sqlite3_file *file)
{
	sqlite3_file *real = real_of(file);

	real->pMethods->xShmBarrier(real);
}

static int shim_shm_unmap(sqlite3_file *file, int remove)
{
	sqlite3_file *real = real_of(file);

	return real->pMethods->xShmUnmap(real, remove);
}

const sqlite3_io_methods shim_methods = {
	.iVersion = 2,
	.xClose = shim_close,
	.xRead = shim_read,
	.xWrite = shim_write,
	.xTruncate = shim_truncate,
	.xSync = shim_sync,
	.xFileSize = shim_size,
	.xLock = shim_lock,
	.xUnlock = shim_unlock,
	.xCheckReservedLock = shim_reserved,
	.xFileControl = shim_control,
	.xSectorSize = shim_sector,
	.xDeviceCharacteristics = shim_traits,
	.xShmMap = shim_shm_map,
	.xShmLock = shim_shm_lock,
	.xShmBarrier = shim_shm_barrier,
	.xShmUnmap = shim_shm_unmap,
};

int shim_open(sqlite3_vfs *vfs, sqlite3_filename name, struct shim_file *file, size_t file_bytes,
	int flags, int *ret_flags)
{
	sqlite3_vfs *below = vfs->pAppData;

	file->real = (sqlite3_file *)((char *)file + file_bytes);
	return below->xOpen(below, name, file->real, flags, ret_flags);
}

bool shim_exists(sqlite3_vfs *vfs, const char *name)
{
	sqlite3_vfs *below = vfs->pAppData;
	int exists = 1;

	return below->xAccess(below, name, SQLITE_ACCESS_EXISTS, &exists) != SQLITE_OK || exists;
}

static int shim_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	sqlite3_vfs *below = vfs->pAppData;

	return below->xDelete(below, name, sync);
}

static int shim_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret_result)
{
	sqlite3_vfs *below = vfs->pAppData;

	return below->xAccess(below, name, flags, ret_result);
}

static int shim_full_path(sqlite3_vfs *vfs, const char *name, int len, char *out)
{
	sqlite3_vfs *below = vfs->pAppData;

	return below->xFullPathname(below, name, len, out);
}

void shim_register(sqlite3_vfs *vfs, const char *below_name)
{
	sqlite3_vfs *below = sqlite3_vfs_find(below_name);
	sqlite3_vfs own = *vfs;

	*vfs = *below;
	vfs->pNext = NULL;
	vfs->zName = own.zName;
	vfs->pAppData = below;
	vfs->szOsFile = own.szOsFile + below->szOsFile;
	vfs->xOpen = own.xOpen;
	vfs->xDelete = own.xDelete ? own.xDelete : shim_delete;
	vfs->xAccess = shim_access;
	vfs->xFullPathname = shim_full_path;
	(void)sqlite3_vfs_register(vfs, 0);
}
