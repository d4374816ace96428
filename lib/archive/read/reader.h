/*
 * Inside the room: what a struct archive is made of.
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
	ARCHIVE_CACHED_BYTES = 12 * 1024 * 1024, /* of them, the one in use aside */
	MESSAGE_LINES_BYTES_MAX = 128 * 1024,    /* of a base64 leaf, written at a time */
};

/* A frame that was unpacked: reading a folder in order meets it again and again. */
struct cached_frame {
	int64_t volume;
	int64_t frame; /* 0: none */
	uint64_t used; /* when; the lowest goes first */
	struct buf raw;
};

struct archive {
	struct archive_ref ref; /* with a path of its own */
	struct db *catalogue;
	enum db_mode mode; /* of the catalogue */
	ino_t inode;       /* of its file: another one may take its place (rebuild.h) */
	int depth;         /* calls under way: one may be made from another's callback */

	/*
	 * A writer's view peeks (DB_PEEK, DB_IMMUTABLE) until the writer begins to write; then it
	 * is asked to open anew, the way others read, at its next call.
	 */
	bool may_peek;
	bool reopen;
	atomic_bool peeks;

	struct volume volumes[ARCHIVE_OPEN_VOLUMES]; /* last used first */
	struct zstd *zstd;

	struct cached_frame frames[ARCHIVE_CACHED_FRAMES];
	uint64_t uses;
	struct leaf_cache *leaf_cache; /* of who reads everything; NULL: none */

	/* the message that is read */
	struct buf skeleton;
	struct buf lines;
	struct buf whole;
};

/* may_peek: the caller holds the writer's lock and nothing is open for writing. */
bool archive_open_view(const struct archive_ref *ref, bool may_peek, struct archive **ret_archive,
	struct err *err);

/* How to open a file of the archive to read. */
enum db_mode archive_reading_mode(const char *archive_path, const char *db_path, bool may_peek);

/* --- bytes (items.c) --- */

struct byte_sink {
	bool (*each)(void *context, const uint8_t *data, size_t len, struct err *err);
	void *context;
};

/* A volume by its sequence, open until another one is asked for. ERR_CORRUPT. */
bool archive_use_volume(
	struct archive *archive, int64_t sequence, struct volume **ret_volume, struct err *err);

bool item_find(struct archive *archive, int64_t item, struct item_row *ret_item, struct err *err);

/* Its bytes, a frame's at a time; they are valid until the next frame is read. */
bool item_read(struct archive *archive, const struct item_row *item, struct byte_sink sink,
	struct err *err);

/* The same for a leaf, which may lie in the leaf cache. */
bool leaf_read(struct archive *archive, const struct item_row *item, struct byte_sink sink,
	struct err *err);

/* Something is about to be written: peeking ends, now or when the calls under way have ended. */
bool archive_stop_peeking(struct archive *archive, struct err *err);

/* Around every call that reads: one consistent state of the catalogue. */
bool archive_enter(struct archive *archive, struct err *err);
void archive_leave(struct archive *archive);

#endif
