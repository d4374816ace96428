/*
 * Inside lib/db: the VFSes, and the pages and WAL frames that pass through them. Knows no struct
 * db.
 */
#ifndef MAILSTOW_DB_VFS_INTERNAL_H
#define MAILSTOW_DB_VFS_INTERNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/crypto.h"

/* --- pages and WAL frames (https://sqlite.org/fileformat2.html) --- */

enum {
	DB_PAGE_BYTES = 4096,
	DB_WAL_HEADER_BYTES = 32,
	DB_WAL_FRAME_HEADER_BYTES = 24, /* begins with the page number */
};

static inline uint32_t db_page_number(const uint8_t *frame_header)
{
	return (uint32_t)frame_header[0] << 24 | (uint32_t)frame_header[1] << 16 |
	       (uint32_t)frame_header[2] << 8 | frame_header[3];
}

/* A page that was never written is all zeros. */
static inline bool db_page_is_blank(const uint8_t *page)
{
	return page[0] == 0 && memcmp(page, page + 1, DB_PAGE_BYTES - 1) == 0;
}

/* --- vfs_peek.c --- */

/* Name of the VFS for databases that nobody writes: no locks, no -shm. */
const char *db_peek_vfs(void);

/* --- vfs_cipher.c --- */

enum {
	DB_CIPHER_RESERVED_BYTES = GCM_NONCE_BYTES + GCM_TAG_BYTES, /* at the end of each page */
	DB_CIPHER_PARAMETER_MAX = 64,
};

/* Name of the VFS that encrypts pages, over the peek VFS or over SQLite's default. */
const char *db_cipher_vfs(bool peek);

/* URI parameter by which the VFS finds its key, to be put after the mode. gcm must outlive the
 * connection. */
void db_cipher_parameter(const struct gcm *gcm, char out[DB_CIPHER_PARAMETER_MAX]);

/* Decrypts a page of DB_PAGE_BYTES in place; a blank page stays as it is. False: another key,
 * another page's content, or damage. */
bool db_cipher_decrypt_page(struct gcm *gcm, uint32_t number, uint8_t *page);

#endif
