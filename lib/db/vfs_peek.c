/*
 * A VFS that reads a database, its WAL included, without leaving a trace while nobody writes: it
 * takes no lock and neither creates nor touches a -shm. SQLite does the rest: in exclusive locking
 * mode it keeps the index of the WAL in its own memory.
 *
 * If a writer restarts the WAL all the same, reads fail instead of mixing two states.
 */
#include <pthread.h>
#include <string.h>

#include "db/vfs_internal.h"
#include "db/vfs_shim_internal.h"

struct peek_file {
	struct shim_file shim; /* real is NULL for a WAL that does not exist: it reads as empty */
	bool is_wal;
	bool header_known;
	uint8_t header[DB_WAL_HEADER_BYTES];
};

static sqlite3_io_methods peek_methods;

/* The header holds a salt, which changes when a writer restarts the WAL. */
static int check_header_unchanged(struct peek_file *peek)
{
	uint8_t now[DB_WAL_HEADER_BYTES];
	int code = shim_methods.xRead(&peek->shim.base, now, sizeof(now), 0);

	if (code != SQLITE_OK)
		return code;
	if (!peek->header_known) {
		memcpy(peek->header, now, sizeof(now));
		peek->header_known = true;
	}
	return memcmp(peek->header, now, sizeof(now)) == 0 ? SQLITE_OK : SQLITE_IOERR_READ;
}

/* Checks the header after the read: a restart before it shows, one after it does not matter. */
static int peek_read(sqlite3_file *file, void *data, int len, sqlite3_int64 offset)
{
	struct peek_file *peek = (struct peek_file *)file;
	int code;

	if (!peek->shim.real) {
		memset(data, 0, (size_t)len);
		return SQLITE_IOERR_SHORT_READ;
	}
	code = shim_methods.xRead(file, data, len, offset);
	if (code == SQLITE_OK && peek->is_wal && offset >= DB_WAL_HEADER_BYTES)
		code = check_header_unchanged(peek);
	return code;
}

static int peek_write(sqlite3_file *file, const void *data, int len, sqlite3_int64 offset)
{
	(void)file, (void)data, (void)len, (void)offset;
	return SQLITE_READONLY;
}

static int peek_truncate(sqlite3_file *file, sqlite3_int64 size)
{
	(void)file, (void)size;
	return SQLITE_READONLY;
}

static int peek_sync(sqlite3_file *file, int flags)
{
	(void)file, (void)flags;
	return SQLITE_OK;
}

static int peek_lock(sqlite3_file *file, int level)
{
	(void)file, (void)level;
	return SQLITE_OK;
}

static int peek_reserved(sqlite3_file *file, int *ret_reserved)
{
	(void)file;
	*ret_reserved = 0;
	return SQLITE_OK;
}

static int peek_control(sqlite3_file *file, int operation, void *argument)
{
	(void)file, (void)operation, (void)argument;
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

static int peek_open(
	sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *file, int flags, int *ret_flags)
{
	struct peek_file *peek = (struct peek_file *)file;
	int read_flags =
		(flags & ~(SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE)) | SQLITE_OPEN_READONLY;
	int code = SQLITE_OK;

	memset(peek, 0, sizeof(*peek));
	peek->is_wal = (flags & SQLITE_OPEN_WAL) != 0;
	if (ret_flags)
		*ret_flags = read_flags;
	if (!peek->is_wal || shim_exists(vfs, name))
		code = shim_open(vfs, name, &peek->shim, sizeof(*peek), read_flags, ret_flags);
	if (code == SQLITE_OK)
		file->pMethods = &peek_methods;
	return code;
}

static int peek_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	(void)vfs, (void)name, (void)sync;
	return SQLITE_OK;
}

static sqlite3_vfs peek_vfs = {
	.zName = "mailstow-peek",
	.szOsFile = sizeof(struct peek_file),
	.xOpen = peek_open,
	.xDelete = peek_delete,
};

static void install(void)
{
	peek_methods = shim_methods;
	peek_methods.iVersion = 1; /* without shared memory */
	peek_methods.xRead = peek_read;
	peek_methods.xWrite = peek_write;
	peek_methods.xTruncate = peek_truncate;
	peek_methods.xSync = peek_sync;
	peek_methods.xLock = peek_lock;
	peek_methods.xUnlock = peek_lock;
	peek_methods.xCheckReservedLock = peek_reserved;
	peek_methods.xFileControl = peek_control;
	peek_methods.xSectorSize = peek_sector;
	peek_methods.xDeviceCharacteristics = peek_traits;
	shim_register(&peek_vfs, NULL);
}

const char *db_peek_vfs(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)sqlite3_initialize();
	(void)pthread_once(&once, install);
	return peek_vfs.zName;
}
