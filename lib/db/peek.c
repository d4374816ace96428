/*
 * A VFS for looking at a database that nobody writes meanwhile, its WAL included, without leaving a
 * trace: no lock is taken and no -shm made or touched. SQLite does the rest: in exclusive locking
 * mode it keeps the index of the WAL in its own memory.
 *
 * Should the WAL be begun anew all the same, reading fails rather than mixing two states.
 */
#include <pthread.h>
#include <string.h>

#include "db/internal.h"

enum { WAL_HEADER_BYTES = 32 };

static const char peek_name[] = "mailstow-peek";

struct peek_file {
	sqlite3_file base;
	sqlite3_file *real; /* NULL: a WAL that does not exist, which is an empty one */
	bool is_wal;
	bool header_known;
	uint8_t header[WAL_HEADER_BYTES];
};

static struct peek_file *peek_of(sqlite3_file *file)
{
	return (struct peek_file *)file;
}

static int peek_close(sqlite3_file *file)
{
	struct peek_file *peek = peek_of(file);

	return peek->real ? peek->real->pMethods->xClose(peek->real) : SQLITE_OK;
}

/* The header holds a salt that changes when the WAL begins anew. */
static int check_header(struct peek_file *peek)
{
	uint8_t now[WAL_HEADER_BYTES];
	int code = peek->real->pMethods->xRead(peek->real, now, sizeof(now), 0);

	if (code != SQLITE_OK)
		return code;
	if (!peek->header_known) {
		memcpy(peek->header, now, sizeof(now));
		peek->header_known = true;
	}
	return memcmp(peek->header, now, sizeof(now)) == 0 ? SQLITE_OK : SQLITE_IOERR_READ;
}

static int peek_read(sqlite3_file *file, void *data, int len, sqlite3_int64 offset)
{
	struct peek_file *peek = peek_of(file);
	int code;

	if (!peek->real) {
		memset(data, 0, (size_t)len);
		return SQLITE_IOERR_SHORT_READ;
	}
	code = peek->real->pMethods->xRead(peek->real, data, len, offset);
	if (code == SQLITE_OK && peek->is_wal && offset >= WAL_HEADER_BYTES)
		code = check_header(peek);
	return code;
}

static int peek_write(sqlite3_file *file, const void *data, int len, sqlite3_int64 offset)
{
	(void)file;
	(void)data;
	(void)len;
	(void)offset;
	return SQLITE_READONLY;
}

static int peek_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	(void)file;
	(void)size;
	return SQLITE_READONLY;
}

static int peek_sync(sqlite3_file *file, int flags)
{
	(void)file;
	(void)flags;
	return SQLITE_OK;
}

static int peek_size(sqlite3_file *file, sqlite3_int64 *ret_size)
{
	struct peek_file *peek = peek_of(file);

	*ret_size = 0;
	return peek->real ? peek->real->pMethods->xFileSize(peek->real, ret_size) : SQLITE_OK;
}

static int peek_lock(sqlite3_file *file, int level)
{
	(void)file;
	(void)level;
	return SQLITE_OK;
}

static int peek_reserved(sqlite3_file *file, int *ret_reserved)
{
	(void)file;
	*ret_reserved = 0;
	return SQLITE_OK;
}

static int peek_control(sqlite3_file *file, int what, void *argument)
{
	(void)file;
	(void)what;
	(void)argument;
	return SQLITE_NOTFOUND;
}

static int peek_sector(sqlite3_file *file)
{
	(void)file;
	return 0;
}

static int peek_traits(sqlite3_file *file)
{
	(void)file;
	return 0;
}

/* Version 1: without shared memory. */
static const sqlite3_io_methods peek_methods = {
	.iVersion = 1,
	.xClose = peek_close,
	.xRead = peek_read,
	.xWrite = peek_write,
	.xTruncate = peek_truncate,
	.xSync = peek_sync,
	.xFileSize = peek_size,
	.xLock = peek_lock,
	.xUnlock = peek_lock,
	.xCheckReservedLock = peek_reserved,
	.xFileControl = peek_control,
	.xSectorSize = peek_sector,
	.xDeviceCharacteristics = peek_traits,
};

static int peek_open(
	sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags, int *ret_flags)
{
	sqlite3_vfs *real_vfs = vfs->pAppData;
	struct peek_file *peek = peek_of(file);
	int read_flags =
		(flags & ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)) | SQLITE_OPEN_READONLY;
	int exists = 0;
	int code;

	memset(peek, 0, sizeof(*peek));
	peek->is_wal = (flags & SQLITE_OPEN_WAL) != 0;
	if (ret_flags)
		*ret_flags = read_flags;
	if (peek->is_wal &&
		real_vfs->xAccess(real_vfs, name, SQLITE_ACCESS_EXISTS, &exists) == SQLITE_OK &&
		!exists) {
		peek->base.pMethods = &peek_methods;
		return SQLITE_OK;
	}
	peek->real = (sqlite3_file *)(peek + 1);
	code = real_vfs->xOpen(real_vfs, name, peek->real, read_flags, ret_flags);
	if (code == SQLITE_OK)
		peek->base.pMethods = &peek_methods;
	return code;
}

static int peek_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	(void)vfs;
	(void)name;
	(void)sync;
	return SQLITE_OK;
}

static int peek_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret_result)
{
	sqlite3_vfs *real_vfs = vfs->pAppData;

	return real_vfs->xAccess(real_vfs, name, flags, ret_result);
}

static int peek_full_path(sqlite3_vfs *vfs, const char *name, int len, char *out)
{
	sqlite3_vfs *real_vfs = vfs->pAppData;

	return real_vfs->xFullPathname(real_vfs, name, len, out);
}

static sqlite3_vfs peek_vfs;

static void install(void)
{
	sqlite3_vfs *real_vfs = sqlite3_vfs_find(NULL);

	peek_vfs = *real_vfs;
	peek_vfs.pNext = NULL;
	peek_vfs.zName = peek_name;
	peek_vfs.pAppData = real_vfs;
	peek_vfs.szOsFile = (int)sizeof(struct peek_file) + real_vfs->szOsFile;
	peek_vfs.xOpen = peek_open;
	peek_vfs.xDelete = peek_delete;
	peek_vfs.xAccess = peek_access;
	peek_vfs.xFullPathname = peek_full_path;
	(void)sqlite3_vfs_register(&peek_vfs, 0);
}

const char *db_peek_vfs(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)sqlite3_initialize();
	(void)pthread_once(&once, install);
	return peek_name;
}
