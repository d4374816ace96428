/*
 * A VFS that encrypts every page with AES-256-GCM, in the database file and in its WAL. The last
 * bytes of a page, which SQLite leaves alone (reserved bytes), hold nonce and tag. The additional
 * data are the page number and, of page 1, its first hundred bytes, which stay readable.
 *
 * To recover a WAL, SQLite reads it frame by frame, header and page at once. A torn page becomes
 * zeros there, so that the WAL's checksum rejects the frame as it would without encryption.
 * Journals other than the WAL would hold plain pages and are refused.
 */
#include <assert.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/rand.h"
#include "db/vfs_internal.h"
#include "db/vfs_shim_internal.h"

enum {
	PAGE_BYTES = DB_PAGE_BYTES,
	CLEAR_BYTES = 100, /* of page 1: SQLite reads them before it knows the page size */
	WAL_HEADER_BYTES = DB_WAL_HEADER_BYTES,
	FRAME_HEADER_BYTES = DB_WAL_FRAME_HEADER_BYTES,
	FRAME_BYTES = FRAME_HEADER_BYTES + PAGE_BYTES,
	BODY_BYTES = PAGE_BYTES - DB_CIPHER_RESERVED_BYTES,
};

static const char parameter[] = "mailstow_cipher";

struct cipher_file {
	struct shim_file shim;
	struct gcm *gcm;
	bool is_wal;
	sqlite3_int64 header_at; /* offset of the last frame header written; -1: none */
	uint32_t header_page;    /* the page it announces */
};

/* --- one page --- */

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

static void encrypt_page(struct gcm *gcm, uint32_t number, const uint8_t *page, uint8_t *out)
{
	struct page_name name = name_page(number, page);
	struct gcm_bytes in = {page + name.clear, BODY_BYTES - name.clear};
	uint8_t *nonce = out + BODY_BYTES;

	memcpy(out, page, name.clear);
	rand_bytes(nonce, GCM_NONCE_BYTES);
	gcm_encrypt(gcm, nonce, (struct gcm_bytes){name.data, name.len}, in, out + name.clear,
		nonce + GCM_NONCE_BYTES);
}

/* SQLite leaves a page that it never wrote as zeros. */
bool db_cipher_decrypt_page(struct gcm *gcm, uint32_t number, uint8_t *page)
{
	struct page_name name = name_page(number, page);
	struct gcm_bytes in = {page + name.clear, BODY_BYTES - name.clear};
	const uint8_t *nonce = page + BODY_BYTES;

	if (db_page_is_blank(page))
		return true;
	if (!gcm_decrypt(gcm, nonce, (struct gcm_bytes){name.data, name.len}, in,
		    nonce + GCM_NONCE_BYTES, page + name.clear))
		return false;
	memset(page + BODY_BYTES, 0, DB_CIPHER_RESERVED_BYTES);
	return true;
}

/* --- reading --- */

static int read_page(struct cipher_file *file, uint8_t *page, sqlite3_int64 offset)
{
	int code = shim_methods.xRead(&file->shim.base, page, PAGE_BYTES, offset);

	if (code != SQLITE_OK)
		return code;
	return db_cipher_decrypt_page(file->gcm, (uint32_t)(offset / PAGE_BYTES + 1), page)
		       ? SQLITE_OK
		       : SQLITE_CORRUPT;
}

static int read_wal_page(struct cipher_file *file, uint8_t *page, sqlite3_int64 offset)
{
	uint8_t frame[FRAME_BYTES];
	int code = shim_methods.xRead(
		&file->shim.base, frame, FRAME_BYTES, offset - FRAME_HEADER_BYTES);

	memcpy(page, frame + FRAME_HEADER_BYTES, PAGE_BYTES);
	if (code != SQLITE_OK)
		return code;
	return db_cipher_decrypt_page(file->gcm, db_page_number(frame), page) ? SQLITE_OK
									      : SQLITE_CORRUPT;
}

static int recover_frame(struct cipher_file *file, uint8_t *frame, sqlite3_int64 offset)
{
	uint8_t *page = frame + FRAME_HEADER_BYTES;
	int code = shim_methods.xRead(&file->shim.base, frame, FRAME_BYTES, offset);

	if (code == SQLITE_OK && !db_cipher_decrypt_page(file->gcm, db_page_number(frame), page))
		memset(page, 0, PAGE_BYTES);
	return code;
}

static int read_wal(struct cipher_file *file, void *data, int len, sqlite3_int64 offset)
{
	sqlite3_int64 within = (offset - WAL_HEADER_BYTES) % FRAME_BYTES;

	if (offset + len <= WAL_HEADER_BYTES)
		return shim_methods.xRead(&file->shim.base, data, len, offset);
	if (within == 0 && len == FRAME_BYTES)
		return recover_frame(file, data, offset);
	if (within == FRAME_HEADER_BYTES && len == PAGE_BYTES)
		return read_wal_page(file, data, offset);
	if (within >= 0 && within + len <= FRAME_HEADER_BYTES)
		return shim_methods.xRead(&file->shim.base, data, len, offset);
	return SQLITE_CORRUPT; /* SQLite reads a database of ours in no other pieces */
}

static int cipher_read(sqlite3_file *base, void *data, int len, sqlite3_int64 offset)
{
	struct cipher_file *file = (struct cipher_file *)base;

	if (file->is_wal)
		return read_wal(file, data, len, offset);
	if (offset + len <= CLEAR_BYTES)
		return shim_methods.xRead(&file->shim.base, data, len, offset);
	if (len == PAGE_BYTES && offset % PAGE_BYTES == 0)
		return read_page(file, data, offset);
	return SQLITE_CORRUPT; /* SQLite reads a database of ours in no other pieces */
}

/* --- writing --- */

static int write_page(
	struct cipher_file *file, uint32_t number, const uint8_t *page, sqlite3_int64 offset)
{
	uint8_t encrypted[PAGE_BYTES];

	encrypt_page(file->gcm, number, page, encrypted);
	return shim_methods.xWrite(&file->shim.base, encrypted, PAGE_BYTES, offset);
}

/* SQLite rewrites a page within its transaction without writing the frame header again. */
static int write_wal_page(struct cipher_file *file, const uint8_t *page, sqlite3_int64 offset)
{
	sqlite3_int64 header_at = offset - FRAME_HEADER_BYTES;
	uint32_t number = file->header_page;
	uint8_t header[4];
	int code;

	if (file->header_at != header_at) {
		code = shim_methods.xRead(&file->shim.base, header, sizeof(header), header_at);
		if (code != SQLITE_OK)
			return code;
		number = db_page_number(header);
	}
	return write_page(file, number, page, offset);
}

static int write_wal(struct cipher_file *file, const void *data, int len, sqlite3_int64 offset)
{
	sqlite3_int64 within = (offset - WAL_HEADER_BYTES) % FRAME_BYTES;

	if (offset == 0 && len == WAL_HEADER_BYTES)
		return shim_methods.xWrite(&file->shim.base, data, len, offset);
	if (within == FRAME_HEADER_BYTES && len == PAGE_BYTES)
		return write_wal_page(file, data, offset);
	if (within != 0 || len != FRAME_HEADER_BYTES)
		return SQLITE_IOERR_WRITE;
	file->header_at = offset;
	file->header_page = db_page_number(data);
	return shim_methods.xWrite(&file->shim.base, data, len, offset);
}

static int cipher_write(sqlite3_file *base, const void *data, int len, sqlite3_int64 offset)
{
	struct cipher_file *file = (struct cipher_file *)base;

	if (file->is_wal)
		return write_wal(file, data, len, offset);
	if (len != PAGE_BYTES || offset % PAGE_BYTES != 0)
		return SQLITE_IOERR_WRITE;
	return write_page(file, (uint32_t)(offset / PAGE_BYTES + 1), data, offset);
}

/* --- opening --- */

static sqlite3_io_methods methods_with_shm, methods_without_shm;

static struct gcm *find_gcm(sqlite3_filename name, int flags)
{
	const char *text;

	if (flags & SQLITE_OPEN_WAL)
		return ((struct cipher_file *)sqlite3_database_file_object(name))->gcm;
	text = sqlite3_uri_parameter(name, parameter);
	return text ? (struct gcm *)(uintptr_t)strtoull(text, NULL, 16) : NULL;
}

static int cipher_open(
	sqlite3_vfs *vfs, sqlite3_filename name, sqlite3_file *base, int flags, int *ret_flags)
{
	struct cipher_file *file = (struct cipher_file *)base;
	int code;

	memset(file, 0, sizeof(*file));
	if (!name || !(flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)))
		return SQLITE_CANTOPEN;
	file->gcm = find_gcm(name, flags);
	if (!file->gcm)
		return SQLITE_CANTOPEN;
	file->is_wal = (flags & SQLITE_OPEN_WAL) != 0;
	file->header_at = -1;
	code = shim_open(vfs, name, &file->shim, sizeof(*file), flags, ret_flags);
	if (file->shim.real->pMethods)
		base->pMethods = file->shim.real->pMethods->iVersion >= 2 ? &methods_with_shm
									  : &methods_without_shm;
	return code;
}

static sqlite3_vfs cipher_vfs = {
	.zName = "mailstow-cipher", .szOsFile = sizeof(struct cipher_file), .xOpen = cipher_open};
static sqlite3_vfs cipher_peek_vfs = {.zName = "mailstow-cipher-peek",
	.szOsFile = sizeof(struct cipher_file),
	.xOpen = cipher_open};

static void install(void)
{
	methods_with_shm = shim_methods;
	methods_with_shm.xRead = cipher_read;
	methods_with_shm.xWrite = cipher_write;
	methods_without_shm = methods_with_shm;
	methods_without_shm.iVersion = 1;
	shim_register(&cipher_vfs, NULL);
	shim_register(&cipher_peek_vfs, db_peek_vfs());
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
