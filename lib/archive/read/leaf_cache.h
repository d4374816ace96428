/*
 * Leaves that several messages have, kept while all messages are read: a message that has one again
 * may lie far behind the first. Each is kept until the last message that has it, or until there is
 * no room.
 */
#ifndef MAILSTOW_ARCHIVE_READ_LEAF_CACHE_H
#define MAILSTOW_ARCHIVE_READ_LEAF_CACHE_H

#include "base/buf.h"
#include "base/err.h"
#include "db/db.h"

enum {
	LEAF_CACHE_BYTES_MAX = 16 * 1024 * 1024,
	LEAF_CACHE_LEAF_BYTES_MAX = 1024 * 1024, /* a larger one is not kept */
	LEAF_CACHE_LEAVES_MAX = 64 * 1024,       /* that are known of; further ones are not kept */
};

struct cached_leaf {
	int64_t id;
	int64_t left; /* times it is still to be read */
	struct buf bytes;
	struct cached_leaf *next; /* kept after it */
};

struct leaf_cache;

/* See from the catalogue which leaves those are; none is read yet. */
bool leaf_cache_new(struct db *catalogue, struct leaf_cache **ret_cache, struct err *err);
void leaf_cache_freep(struct leaf_cache **cache); /* also for CLEANUP() */

/* One that is worth keeping; its bytes are empty, to be filled, where it is not kept yet. NULL: not
 * worth it. cache may be NULL. */
struct cached_leaf *leaf_cache_find(struct leaf_cache *cache, int64_t leaf, uint64_t size);

/* Its bytes were filled: others may make room for it. */
void leaf_cache_keep(struct leaf_cache *cache, struct cached_leaf *leaf);

/* It was read once more: its bytes may go. */
void leaf_cache_done(struct leaf_cache *cache, struct cached_leaf *leaf);

#endif
