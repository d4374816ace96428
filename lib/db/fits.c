/*
 * Which key a database is sealed under, before it is opened: by its first page, or by the first
 * frame of its -wal. Files are read through SQLite's own VFS, which knows what other connections of
 * this process have locked.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"
#include "db/internal.h"

enum {
	RESERVED_AT = 20, /* in the header: reserved bytes of a page */
	WAL_HEADER_BYTES = 32,
	FRAME_HEADER_BYTES = 24,
};

/* SQLite wants a name that is followed by the list of parameters of a URI. */
static bool read_some(const char *path, int kind, void *out, int len, sqlite3_int64 offset)
{
	sqlite3_vfs *vfs = sqlite3_vfs_find(NULL);
	CLEANUP(freep) sqlite3_file *file = xcalloc(1, (size_t)vfs->szOsFile);
	char *name = (char *)sqlite3_create_filename(path, "", "", 0, NULL);
	bool good;

	if (!name)
		abort();
	good = vfs->xOpen(vfs, name, file, SQLITE_OPEN_READONLY | kind, NULL) == SQLITE_OK &&
	       file->pMethods->xRead(file, out, len, offset) == SQLITE_OK;
	if (file->pMethods)
		(void)file->pMethods->xClose(file);
	sqlite3_free_filename(name);
	return good;
}

static bool page_fits(const char *path, struct gcm *gcm)
{
	uint8_t page[DB_CIPHER_PAGE_BYTES];

	return read_some(path, SQLITE_OPEN_MAIN_DB, page, sizeof(page), 0) &&
	       db_cipher_open_page(gcm, 1, page);
}

/* Zeros, which stand for a page that was never written, open under any key. */
static bool is_blank(const uint8_t *page)
{
	return page[0] == 0 && memcmp(page, page + 1, DB_CIPHER_PAGE_BYTES - 1) == 0;
}

static bool wal_fits(const char *path, struct gcm *gcm)
{
	CLEANUP(freep) char *wal = str_printf("%s-wal", path);
	uint8_t frame[FRAME_HEADER_BYTES + DB_CIPHER_PAGE_BYTES];
	uint32_t number;

	if (!fs_exists(wal) ||
		!read_some(wal, SQLITE_OPEN_WAL, frame, sizeof(frame), WAL_HEADER_BYTES))
		return false;
	number = (uint32_t)frame[0] << 24 | (uint32_t)frame[1] << 16 | (uint32_t)frame[2] << 8 |
		 frame[3];
	return !is_blank(frame + FRAME_HEADER_BYTES) &&
	       db_cipher_open_page(gcm, number, frame + FRAME_HEADER_BYTES);
}

bool db_fits_key(const char *path, const uint8_t *key, bool *ret_fits, struct err *err)
{
	CLEANUP(gcm_freep) struct gcm *gcm = key ? gcm_new(key) : NULL;
	uint8_t head[RESERVED_AT + 1];
	bool sealed;

	(void)sqlite3_initialize();
	if (!fs_exists(path))
		return err_set(err, ERR_NOT_FOUND, "%s: no such file", path);
	if (!read_some(path, SQLITE_OPEN_MAIN_DB, head, sizeof(head), 0))
		return err_set(err, ERR_CORRUPT, "%s: cannot be read", path);
	sealed = head[RESERVED_AT] == DB_CIPHER_RESERVED_BYTES;
	*ret_fits =
		sealed == (gcm != NULL) && (!gcm || page_fits(path, gcm) || wal_fits(path, gcm));
	return true;
}
