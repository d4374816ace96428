/*
 * Inside the room: an archive opened for reading.
 */
#ifndef MAILSTOW_ARCHIVE_READ_READER_H
#define MAILSTOW_ARCHIVE_READ_READER_H

#include <stdatomic.h>
#include <sys/types.h>

#include "archive/catalogue/catalogue.h"
#include "archive/format/skeleton.h"
#include "archive/format/zstd.h"
#include "archive/read/leaf_cache.h"
#include "archive/volume/volume.h"

enum {
	ARCHIVE_OPEN_VOLUMES = 2,
	ARCHIVE_CACHED_FRAMES = 32,
	ARCHIVE_CACHED_BYTES = 12 * 1024 * 1024, /* of them, without the one in use */
	MESSAGE_LINES_BYTES_MAX = 128 * 1024,    /* of a base64 leaf, written at a time */
};

/* A decompressed frame: reading a folder in order needs it again and again. */
struct cached_frame {
	int64_t volume;
	int64_t frame; /* 0: none */
	uint64_t used; /* at which use; the lowest is dropped first */
	struct buf raw;
};

struct archive {
	struct archive_ref ref; /* with a path of its own */
	struct db *catalogue;
	enum db_mode mode; /* of the catalogue */
	ino_t inode;       /* of its file: a rebuild replaces it */
	int depth;         /* calls under way: a callback may make another call */

	/*
	 * A writer's view peeks (DB_PEEK, DB_IMMUTABLE) until the writer starts to write. Then it
	 * is reopened with locks, like any reader, at its next call.
	 */
	bool may_peek;
	bool reopen;
	atomic_bool peeks;

	struct volume volumes[ARCHIVE_OPEN_VOLUMES]; /* last used first */
	struct zstd *zstd;

	struct cached_frame frames[ARCHIVE_CACHED_FRAMES];
	uint64_t uses;
	struct leaf_cache *leaf_cache; /* while every message is read; else NULL */

	/* the message being read */
	struct buf skeleton;
	struct buf lines;
	struct buf whole;
};

/* may_peek: the caller holds the writer lock and has nothing open for writing. */
bool archive_open_view(const struct archive_ref *ref, bool may_peek, struct archive **ret_archive,
	struct err *err);

/* The mode to open a file of the archive in to read it. */
enum db_mode archive_reading_mode(const char *archive_path, const char *db_path, bool may_peek);

/* --- bytes (items) --- */

struct byte_sink {
	bool (*each)(void *context, const uint8_t *data, size_t len, struct err *err);
	void *context;
};

/* The volume with this sequence; it stays open until the next call. ERR_CORRUPT. */
bool archive_use_volume(
	struct archive *archive, int64_t sequence, struct volume **ret_volume, struct err *err);

bool item_find(struct archive *archive, int64_t item, struct item_row *ret_item, struct err *err);

/* Gives its bytes, one frame's at a time; they are valid until the next frame is read. */
bool item_read(struct archive *archive, const struct item_row *item, struct byte_sink sink,
	struct err *err);

/* The same for a leaf, through the leaf cache. */
bool leaf_read(struct archive *archive, const struct item_row *item, struct byte_sink sink,
	struct err *err);

/* The writer starts to write: stop peeking, now or once the calls under way have ended. */
bool archive_stop_peeking(struct archive *archive, struct err *err);

/* Around every call that reads: it sees one consistent state of the catalogue. */
bool archive_enter(struct archive *archive, struct err *err);
void archive_leave(struct archive *archive);

#endif
