/*
 * Tells which key a database is encrypted with before it is opened, by its first page or by the
 * first frame of its -wal. Reads through SQLite's own VFS: closing a descriptor of one's own would
 * drop the locks that other connections of this process hold (fcntl(2)).
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/fs.h"
#include "base/str.h"
#include "db/db_internal.h"
#include "db/vfs_internal.h"

enum { RESERVED_AT = 20 }; /* offset in the database header of a page's count of reserved bytes */

/* A VFS expects a name followed by the URI parameters, as sqlite3_create_filename() makes it. */
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
	uint8_t page[DB_PAGE_BYTES];

	return read_some(path, SQLITE_OPEN_MAIN_DB, page, sizeof(page), 0) &&
	       db_cipher_decrypt_page(gcm, 1, page);
}

static bool wal_fits(const char *path, struct gcm *gcm)
{
	CLEANUP(freep) char *wal = str_printf("%s-wal", path);
	uint8_t frame[DB_WAL_FRAME_HEADER_BYTES + DB_PAGE_BYTES];

	if (!fs_exists(wal) ||
		!read_some(wal, SQLITE_OPEN_WAL, frame, sizeof(frame), DB_WAL_HEADER_BYTES))
		return false;
	/* a blank page passes under any key and so tells nothing */
	return !db_page_is_blank(frame + DB_WAL_FRAME_HEADER_BYTES) &&
	       db_cipher_decrypt_page(
		       gcm, db_page_number(frame), frame + DB_WAL_FRAME_HEADER_BYTES);
}

bool db_fits_key(const char *path, const uint8_t *key, bool *ret_fits, struct err *err)
{
	CLEANUP(gcm_freep) struct gcm *gcm = key ? gcm_new(key) : NULL;
	uint8_t head[RESERVED_AT + 1];
	bool encrypted;

	(void)sqlite3_initialize();
	if (!fs_exists(path))
		return err_set(err, ERR_NOT_FOUND, "%s: no such file", path);
	if (!read_some(path, SQLITE_OPEN_MAIN_DB, head, sizeof(head), 0))
		return err_set(err, ERR_CORRUPT,
			"%s: its header cannot be read as that of a database", path);
	encrypted = head[RESERVED_AT] == DB_CIPHER_RESERVED_BYTES;
	*ret_fits =
		encrypted == (gcm != NULL) && (!gcm || page_fits(path, gcm) || wal_fits(path, gcm));
	return true;
}
