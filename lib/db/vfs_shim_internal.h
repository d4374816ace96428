/*
 * A VFS that forwards every call to another one, as the base of those that change a few of them
 * (vfs_peek.c, vfs_cipher.c).
 */
#ifndef MAILSTOW_DB_VFS_SHIM_INTERNAL_H
#define MAILSTOW_DB_VFS_SHIM_INTERNAL_H

#include <stdbool.h>
#include <stddef.h>

#include <sqlite3.h>

/* The beginning of the caller's own file struct, which the real file follows in memory. */
struct shim_file {
	sqlite3_file base;
	sqlite3_file *real; /* NULL: an empty file that does not exist on disk */
};

/* Forwards everything. Copy it and replace what differs. Version 2: pages are never mapped. */
extern const sqlite3_io_methods shim_methods;

/* Opens name in the VFS below. file_bytes: size of the struct that begins with file. */
int shim_open(sqlite3_vfs *vfs, sqlite3_filename name, struct shim_file *file, size_t file_bytes,
	int flags, int *ret_flags);

/* Does name exist, as the VFS below sees it? */
bool shim_exists(sqlite3_vfs *vfs, const char *name);

/*
 * Registers vfs over the VFS named `below` (NULL: the default one). The caller sets zName, szOsFile
 * (of its own struct), xOpen and, where it differs, xDelete.
 */
void shim_register(sqlite3_vfs *vfs, const char *below);

#endif
