/*
 * The leaf cache: leaves that several messages share, kept while every message is read, because two
 * messages with the same leaf may be stored far apart. A leaf is kept until its last message has
 * been read, or until room is needed.
 */
#ifndef MAILSTOW_ARCHIVE_READ_LEAF_CACHE_H
#define MAILSTOW_ARCHIVE_READ_LEAF_CACHE_H

#include "base/buf.h"
#include "base/err.h"
#include "db/db.h"

enum {
	LEAF_CACHE_BYTES_MAX = 16 * 1024 * 1024,
	LEAF_CACHE_LEAF_BYTES_MAX = 1024 * 1024, /* larger ones are not cached */
	LEAF_CACHE_LEAVES_MAX = 64 * 1024,       /* shared ones; further ones are not cached */
};

struct cached_leaf {
	int64_t id;
	int64_t left; /* how often it will still be read */
	struct buf bytes;
	struct cached_leaf *next; /* cached after it */
};

struct leaf_cache;

/* Finds the shared leaves in the catalogue; reads none of them yet. */
bool leaf_cache_new(struct db *catalogue, struct leaf_cache **ret_cache, struct err *err);
void leaf_cache_freep(struct leaf_cache **cache); /* also for CLEANUP() */

/* A leaf to cache; its bytes are empty if the caller is to fill them. NULL: not cached. cache may
 * be NULL. */
struct cached_leaf *leaf_cache_find(struct leaf_cache *cache, int64_t leaf, uint64_t size);

/* The caller filled its bytes: others are dropped to make room. */
void leaf_cache_keep(struct leaf_cache *cache, struct cached_leaf *leaf);

/* It was read once more; after the last time its bytes are dropped. */
void leaf_cache_done(struct leaf_cache *cache, struct cached_leaf *leaf);

#endif
