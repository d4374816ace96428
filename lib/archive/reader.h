/*
 * Inside the room: what a struct archive is made of.
 */
#ifndef MAILSTOW_ARCHIVE_READER_H
#define MAILSTOW_ARCHIVE_READER_H

#include <stdatomic.h>

#include "archive/catalogue.h"
#include "archive/volume.h"
#include "archive/zstd.h"

enum { ARCHIVE_OPEN_VOLUMES = 2 };

struct archive {
	char *path;
	struct db *catalogue;
	enum db_mode mode; /* of the catalogue */
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

	/* The frame unpacked last: reading a folder in order meets it again and again. */
	struct buf raw;
	int64_t raw_volume;
	int64_t raw_frame; /* 0: none */
};

/* may_peek: the caller holds the writer's lock and nothing is open for writing. */
bool archive_open_view(
	const char *path, bool may_peek, struct archive **ret_archive, struct err *err);

/* Something is about to be written: peeking ends, now or when the calls under way have ended. */
bool archive_stop_peeking(struct archive *archive, struct err *err);

/* Around every call that reads: one consistent state of the catalogue. */
bool archive_enter(struct archive *archive, struct err *err);
void archive_leave(struct archive *archive);

#endif
