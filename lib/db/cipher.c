/*
 * A VFS under which every page of a database, in its file and in its WAL, is sealed with
 * AES-256-GCM. A page's last bytes, which SQLite leaves alone (reserved bytes), are nonce and tag;
 * its number, and of page 1 the first hundred bytes, which stay readable, are additional data.
 *
 * SQLite reads a WAL to recover it frame by frame, header and page at once: a page that was torn
 * becomes zeros, so that the checksum of the WAL rejects the frame as it would without us.
 * Journals other than the WAL would hold plain pages and are refused.
 */
#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rand.h"
#include "db/internal.h"

enum {
	PAGE_BYTES = DB_CIPHER_PAGE_BYTES,
	CLEAR_BYTES = 100, /* of page 1: what SQLite reads before it knows anything */
	WAL_HEADER_BYTES = 32,
	FRAME_HEADER_BYTES = 24,
	FRAME_BYTES = FRAME_HEADER_BYTES + PAGE_BYTES,
	BODY_BYTES = PAGE_BYTES - DB_CIPHER_RESERVED_BYTES,
};

static const char parameter[] = "mailstow_cipher";

struct cipher_file {
	sqlite3_file base;
	sqlite3_file *real;
	struct gcm *gcm;
	bool is_wal;
	sqlite3_int64 header_at; /* of the frame header written last, -1: none */
	uint32_t header_page;    /* that it names */
};

static struct cipher_file *cipher_of(sqlite3_file *file)
{
	return (struct cipher_file *)file;
}

/* --- one page --- */

static uint32_t number_at(const uint8_t *at)
{
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

struct page_name {
	uint8_t data[4 + 4 + CLEAR_BYTES];
	size_t len;
	size_t clear; /* bytes of the page that stay readable */
};

static struct page_name name_page(uint32_t number, const uint8_t *page)
{
	struct page_name name = {.data = "MSP1", .len = 8};

	for (size_t i = 0; i < 4; i++)
		name.data[4 + i] = (uint8_t)(number >> (24 - 8 * i));
	if (number == 1) {
		memcpy(name.data + name.len, page, CLEAR_BYTES);
		name.len += CLEAR_BYTES;
		name.clear = CLEAR_BYTES;
	}
	return name;
}

static void seal_page(struct gcm *gcm, uint32_t number, const uint8_t *page, uint8_t *out)
{
	struct page_name name = name_page(number, page);
	struct gcm_bytes in = {page + name.clear, BODY_BYTES - name.clear};
	uint8_t *nonce = out + BODY_BYTES;

	memcpy(out, page, name.clear);
	rand_bytes(nonce, GCM_NONCE_BYTES);
	gcm_seal(gcm, nonce, (struct gcm_bytes){name.data, name.len}, in, out + name.clear,
		nonce + GCM_NONCE_BYTES);
}

static bool is_hole(const uint8_t *page)
{
	return page[0] == 0 && memcmp(page, page + 1, PAGE_BYTES - 1) == 0;
}

/* In place. A page that was never written is zeros, as SQLite left it. */
bool db_cipher_open_page(struct gcm *gcm, uint32_t number, uint8_t *page)
{
	struct page_name name = name_page(number, page);
	struct gcm_bytes in = {page + name.clear, BODY_BYTES - name.clear};
	const uint8_t *nonce = page + BODY_BYTES;

	if (is_hole(page))
		return true;
	if (!gcm_open(gcm, nonce, (struct gcm_bytes){name.data, name.len}, in,
		    nonce + GCM_NONCE_BYTES, page + name.clear))
		return false;
	memset(page + BODY_BYTES, 0, DB_CIPHER_RESERVED_BYTES);
	return true;
}

/* --- reading --- */

static int real_read(struct cipher_file *file, void *data, int len, sqlite3_int64 offset)
{
	return file->real->pMethods->xRead(file->real, data, len, offset);
}

static int read_page(struct cipher_file *file, uint8_t *page, sqlite3_int64 offset)
{
	int code = real_read(file, page, PAGE_BYTES, offset);

	if (code != SQLITE_OK)
		return code;
	return db_cipher_open_page(file->gcm, (uint32_t)(offset / PAGE_BYTES + 1), page)
		       ? SQLITE_OK
		       : SQLITE_CORRUPT;
}

static int read_wal_page(struct cipher_file *file, uint8_t *page, sqlite3_int64 offset)
{
	uint8_t frame[FRAME_BYTES];
	int code = real_read(file, frame, FRAME_BYTES, offset - FRAME_HEADER_BYTES);

	memcpy(page, frame + FRAME_HEADER_BYTES, PAGE_BYTES);
	if (code != SQLITE_OK)
		return code;
	return db_cipher_open_page(file->gcm, number_at(frame), page) ? SQLITE_OK : SQLITE_CORRUPT;
}

static int recover_frame(struct cipher_file *file, uint8_t *frame, sqlite3_int64 offset)
{
	uint8_t *page = frame + FRAME_HEADER_BYTES;
	int code = real_read(file, frame, FRAME_BYTES, offset);

	if (code == SQLITE_OK && !db_cipher_open_page(file->gcm, number_at(frame), page))
		memset(page, 0, PAGE_BYTES);
	return code;
}

static int read_wal(struct cipher_file *file, void *data, int len, sqlite3_int64 offset)
{
	sqlite3_int64 within = (offset - WAL_HEADER_BYTES) % FRAME_BYTES;

	if (offset + len <= WAL_HEADER_BYTES)
		return real_read(file, data, len, offset);
	if (within == 0 && len == FRAME_BYTES)
		return recover_frame(file, data, offset);
	if (within == FRAME_HEADER_BYTES && len == PAGE_BYTES)
		return read_wal_page(file, data, offset);
	if (within >= 0 && within + len <= FRAME_HEADER_BYTES)
		return real_read(file, data, len, offset);
	return SQLITE_CORRUPT; /* only what is not ours is read in other pieces */
}

static int cipher_read(sqlite3_file *base, void *data, int len, sqlite3_int64 offset)
{
	struct cipher_file *file = cipher_of(base);

	if (file->is_wal)
		return read_wal(file, data, len, offset);
	if (offset + len <= CLEAR_BYTES)
		return real_read(file, data, len, offset);
	if (len == PAGE_BYTES && offset % PAGE_BYTES == 0)
		return read_page(file, data, offset);
	return SQLITE_CORRUPT; /* only what is not ours is read in other pieces */
}

/* --- writing --- */

static int real_write(struct cipher_file *file, const void *data, int len, sqlite3_int64 offset)
{
	return file->real->pMethods->xWrite(file->real, data, len, offset);
}

static int write_page(
	struct cipher_file *file, uint32_t number, const uint8_t *page, sqlite3_int64 offset)
{
	uint8_t sealed[PAGE_BYTES];

	seal_page(file->gcm, number, page, sealed);
	return real_write(file, sealed, PAGE_BYTES, offset);
}

/* A page that is written again in its transaction comes without its header. */
static int write_wal_page(struct cipher_file *file, const uint8_t *page, sqlite3_int64 offset)
{
	sqlite3_int64 header_at = offset - FRAME_HEADER_BYTES;
	uint32_t number = file->header_page;
	uint8_t header[4];
	int code;

	if (file->header_at != header_at) {
		code = real_read(file, header, sizeof(header), header_at);
		if (code != SQLITE_OK)
			return code;
		number = number_at(header);
	}
	return write_page(file, number, page, offset);
}

static int write_wal(struct cipher_file *file, const void *data, int len, sqlite3_int64 offset)
{
	sqlite3_int64 within = (offset - WAL_HEADER_BYTES) % FRAME_BYTES;

	if (offset == 0 && len == WAL_HEADER_BYTES)
		return real_write(file, data, len, offset);
	if (within == FRAME_HEADER_BYTES && len == PAGE_BYTES)
		return write_wal_page(file, data, offset);
	if (within != 0 || len != FRAME_HEADER_BYTES)
		return SQLITE_IOERR_WRITE;
	file->header_at = offset;
	file->header_page = number_at(data);
	return real_write(file, data, len, offset);
}

static int cipher_write(sqlite3_file *base, const void *data, int len, sqlite3_int64 offset)
{
	struct cipher_file *file = cipher_of(base);

	if (file->is_wal)
		return write_wal(file, data, len, offset);
	if (len != PAGE_BYTES || offset % PAGE_BYTES != 0)
		return SQLITE_IOERR_WRITE;
	return write_page(file, (uint32_t)(offset / PAGE_BYTES + 1), data, offset);
}

/* --- handed on --- */

static int cipher_close(sqlite3_file *base)
{
	struct cipher_file *file = cipher_of(base);

	return file->real->pMethods ? file->real->pMethods->xClose(file->real) : SQLITE_OK;
}

static int cipher_truncate(sqlite3_file *base, sqlite3_int64 size)
{
	sqlite3_file *real = cipher_of(base)->real;

	return real->pMethods->xTruncate(real, size);
}

static int cipher_sync(sqlite3_file *base, int flags)
{
	sqlite3_file *real = cipher_of(base)->real;

	return real->pMethods->xSync(real, flags);
}

static int cipher_size(sqlite3_file *base, sqlite3_int64 *ret_size)
{
	sqlite3_file *real = cipher_of(base)->real;

	return real->pMethods->xFileSize(real, ret_size);
}

static int cipher_lock(sqlite3_file *base, int level)
{
	sqlite3_file *real = cipher_of(base)->real;

	return real->pMethods->xLock(real, level);
}

static int cipher_unlock(sqlite3_file *base, int level)
{
	sqlite3_file *real = cipher_of(base)->real;

	return real->pMethods->xUnlock(real, level);
}

static int cipher_reserved(sqlite3_file *base, int *ret_reserved)
{
	sqlite3_file *real = cipher_of(base)->real;

	return real->pMethods->xCheckReservedLock(real, ret_reserved);
}

static int cipher_control(sqlite3_file *base, int what, void *argument)
{
	sqlite3_file *real = cipher_of(base)->real;

	return real->pMethods->xFileControl(real, what, argument);
}

static int cipher_sector(sqlite3_file *base)
{
	sqlite3_file *real = cipher_of(base)->real;

	return real->pMethods->xSectorSize(real);
}

static int cipher_traits(sqlite3_file *base)
{
	sqlite3_file *real = cipher_of(base)->real;

	return real->pMethods->xDeviceCharacteristics(real);
}

static int cipher_shm_map(
	sqlite3_file *base, int region, int size, int extend, void volatile **ret_memory)
{
	sqlite3_file *real = cipher_of(base)->real;

	return real->pMethods->xShmMap(real, region, size, extend, ret_memory);
}

static int cipher_shm_lock(sqlite3_file *base, int offset, int count, int flags)
{
	sqlite3_file *real = cipher_of(base)->real;

	return real->pMethods->xShmLock(real, offset, count, flags);
}

static void cipher_shm_barrier(sqlite3_file *base)
{
	sqlite3_file *real = cipher_of(base)->real;

	real->pMethods->xShmBarrier(real);
}

static int cipher_shm_unmap(sqlite3_file *base, int remove)
{
	sqlite3_file *real = cipher_of(base)->real;

	return real->pMethods->xShmUnmap(real, remove);
}

#define PLAIN_METHODS                                                                              \
	.xClose = cipher_close, .xRead = cipher_read, .xWrite = cipher_write,                      \
	.xTruncate = cipher_truncate, .xSync = cipher_sync, .xFileSize = cipher_size,              \
	.xLock = cipher_lock, .xUnlock = cipher_unlock, .xCheckReservedLock = cipher_reserved,     \
	.xFileControl = cipher_control, .xSectorSize = cipher_sector,                              \
	.xDeviceCharacteristics = cipher_traits

/* Version 2 at most: no page is ever mapped. */
static const sqlite3_io_methods methods_without_shm = {.iVersion = 1, PLAIN_METHODS};
static const sqlite3_io_methods methods_with_shm = {
	.iVersion = 2,
	PLAIN_METHODS,
	.xShmMap = cipher_shm_map,
	.xShmLock = cipher_shm_lock,
	.xShmBarrier = cipher_shm_barrier,
	.xShmUnmap = cipher_shm_unmap,
};

/* --- opening --- */

static struct gcm *find_gcm(sqlite3_filename name, int flags)
{
	const char *text;

	if (flags & SQLITE_OPEN_WAL)
		return cipher_of(sqlite3_database_file_object(name))->gcm;
	text = sqlite3_uri_parameter(name, parameter);
	return text ? (struct gcm *)(uintptr_t)strtoull(text, NULL, 16) : NULL;
}

static int cipher_open(
	sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *base, int flags, int *ret_flags)
{
	sqlite3_vfs *real_vfs = vfs->pAppData;
	struct cipher_file *file = cipher_of(base);
	int code;

	memset(file, 0, sizeof(*file));
	if (!name || !(flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)))
		return SQLITE_CANTOPEN;
	file->gcm = find_gcm(name, flags);
	if (!file->gcm)
		return SQLITE_CANTOPEN;
	file->is_wal = (flags & SQLITE_OPEN_WAL) != 0;
	file->header_at = -1;
	file->real = (sqlite3_file *)(file + 1);
	code = real_vfs->xOpen(real_vfs, name, file->real, flags, ret_flags);
	if (file->real->pMethods)
		base->pMethods = file->real->pMethods->iVersion >= 2 ? &methods_with_shm
								     : &methods_without_shm;
	return code;
}

static int cipher_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	sqlite3_vfs *real_vfs = vfs->pAppData;

	return real_vfs->xDelete(real_vfs, name, sync);
}

static int cipher_access(sqlite3_vfs *vfs, const char *name, int flags, int *ret_result)
{
	sqlite3_vfs *real_vfs = vfs->pAppData;

	return real_vfs->xAccess(real_vfs, name, flags, ret_result);
}

static int cipher_full_path(sqlite3_vfs *vfs, const char *name, int len, char *out)
{
	sqlite3_vfs *real_vfs = vfs->pAppData;

	return real_vfs->xFullPathname(real_vfs, name, len, out);
}

static sqlite3_vfs cipher_vfs = {.zName = "mailstow-cipher"};
static sqlite3_vfs cipher_peek_vfs = {.zName = "mailstow-cipher-peek"};

static void install_over(sqlite3_vfs *vfs, const char *real_name)
{
	sqlite3_vfs *real_vfs = sqlite3_vfs_find(real_name);
	const char *name = vfs->zName;

	*vfs = *real_vfs;
	vfs->pNext = NULL;
	vfs->zName = name;
	vfs->pAppData = real_vfs;
	vfs->szOsFile = (int)sizeof(struct cipher_file) + real_vfs->szOsFile;
	vfs->xOpen = cipher_open;
	vfs->xDelete = cipher_delete;
	vfs->xAccess = cipher_access;
	vfs->xFullPathname = cipher_full_path;
	(void)sqlite3_vfs_register(vfs, 0);
}

static void install(void)
{
	install_over(&cipher_vfs, NULL);
	install_over(&cipher_peek_vfs, db_peek_vfs());
}

const char *db_cipher_vfs(bool peek)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	(void)sqlite3_initialize();
	(void)pthread_once(&once, install);
	return peek ? cipher_peek_vfs.zName : cipher_vfs.zName;
}

void db_cipher_parameter(const struct gcm *gcm, char out[DB_CIPHER_PARAMETER_MAX])
{
	(void)snprintf(out, DB_CIPHER_PARAMETER_MAX, "&%s=%" PRIxPTR, parameter, (uintptr_t)gcm);
}
