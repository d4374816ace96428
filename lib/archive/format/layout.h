/*
 * The files of an archive: every path, name and mode on disk.
 *
 *	ARCHIVE/catalogue.db          the index; -wal and -shm beside it while it is written
 *	        lock                  the writer lock
 *	        sealing               the lock of whoever repacks volumes or changes the master key
 *	        keyring               encrypted archives only
 *	        copied                copies only: heads that copying brought (catalogue/ancestry.h)
 *	        forgotten.new         a forget is under way or was interrupted (forget.h)
 *	        volumes/<sequence>-<uuid>.vol
 *
 * A file is written under a name that ends in .new and renamed when it is complete and durable.
 * What ends in .new without a writer was left by an interrupted one and may be removed.
 */
#ifndef MAILSTOW_ARCHIVE_FORMAT_LAYOUT_H
#define MAILSTOW_ARCHIVE_FORMAT_LAYOUT_H

#include <stdbool.h>
#include <stdint.h>

#include "archive/archive.h"
#include "base/err.h"
#include "base/str.h"

enum {
	LAYOUT_FOLDER_MODE = 0700,
	LAYOUT_FILE_MODE = 0600,
	LAYOUT_CLOSED_VOLUME_MODE = 0444, /* full or sealed: never written again */
};

/* A volume's name in words: its place in the archive and its own identity. */
struct volume_id {
	int64_t sequence; /* from 1 on */
	uint8_t uuid[ARCHIVE_UUID_BYTES];
};

/* The caller frees each path. */
char *layout_catalogue_path(const char *archive_path);
char *layout_lock_path(const char *archive_path);
char *layout_sealing_path(const char *archive_path);
char *layout_keyring_path(const char *archive_path);
char *layout_copied_path(const char *archive_path);
char *layout_forgotten_path(const char *archive_path);
char *layout_volumes_path(const char *archive_path);
char *layout_volume_path(const char *archive_path, const struct volume_id *id);

/* The unfinished file that takes the place of `path`, and the one a copy stages there
 * (volume/staged.h). */
char *layout_unfinished_path(const char *path);
char *layout_staged_path(const char *path);
extern const char layout_staged_end[];

/* Is name the name of a volume, followed by `ending`? Accepts only names layout_volume_path()
 * writes. */
bool layout_parse_volume_name(const char *name, const char *ending, struct volume_id *ret_id);

/* May this name be left of an archive that was never completed? An archive can be created in a
 * folder that holds nothing else. */
bool layout_is_leftover(const char *name);

/* Remove unfinished files from a folder of the archive, other people's files excepted. The caller
 * makes sure that nobody is writing one. */
bool layout_remove_leftovers(const char *folder, struct err *err);
/* The same, except for the names in `kept`. */
bool layout_remove_leftovers_but(const char *folder, const struct str_list *kept, struct err *err);

#endif
