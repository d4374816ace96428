/*
 * The directory of a sealed volume: where its items are. It overrides the locations in the records
 * of journal and checkpoints, which never change (schema/README.md, "Table frame").
 */
#ifndef MAILSTOW_ARCHIVE_VOLUME_DIRECTORY_H
#define MAILSTOW_ARCHIVE_VOLUME_DIRECTORY_H

#include "archive/format/zstd.h"
#include "archive/volume/volume.h"

enum { DIRECTORY_BYTES_MAX = 1024 * 1024 /* of a frame, raw */ };

struct directory_entry {
	int64_t item;
	int64_t frame;
	uint64_t offset;
};

struct directory {
	int64_t sequence;                     /* of the volume */
	uint8_t replaces[ARCHIVE_UUID_BYTES]; /* the volume that it replaced */
	struct directory_entry *items;        /* by item */
	size_t count;
	size_t cap;
};

/* Read the directory of a sealed volume. ERR_CORRUPT. */
bool directory_read(
	struct volume *volume, struct zstd *zstd, struct directory *ret_directory, struct err *err);
void directory_free(struct directory *directory); /* also for CLEANUP() */

/* Sort by item; needed before finding or encoding. */
void directory_sort(struct directory *directory);

const struct directory_entry *directory_find(const struct directory *directory, int64_t item);

/* The body of the frame that starts with entry `from`. *ret_next: the first entry without room. */
void directory_encode(
	const struct directory *directory, size_t from, struct buf *ret_body, size_t *ret_next);

/* The directories of all sealed volumes in a list. */
struct directories {
	struct directory *items;
	size_t count;
	size_t cap;
};
bool directories_read(const struct archive_ref *archive, const struct volume_list *volumes,
	struct zstd *zstd, struct directories *ret_directories, struct err *err);
void directories_free(struct directories *directories); /* also for CLEANUP() */

/* NULL: that volume is not sealed. */
const struct directory *directories_of(const struct directories *directories, int64_t sequence);

#endif
