#include "archive/read/leaf_cache.h"

#include <stdlib.h>

#include "archive/catalogue/catalogue.h"
#include "base/alloc.h"

struct leaf_cache {
	struct cached_leaf *leaves; /* by id */
	size_t count;
	size_t cap;
	size_t bytes; /* cached */
	struct cached_leaf *oldest, *newest;
};

static void drop_leaf(struct leaf_cache *cache, struct cached_leaf *leaf)
{
	cache->bytes -= leaf->bytes.cap;
	buf_free(&leaf->bytes);
}

static void add_leaf(struct leaf_cache *cache, struct db *catalogue)
{
	ARRAY_GROW(cache->leaves, cache->count, cache->cap);
	cache->leaves[cache->count++] = (struct cached_leaf){
		.id = db_int(catalogue, CATALOGUE_LEAVES_SHARED, 0),
		.left = db_int(catalogue, CATALOGUE_LEAVES_SHARED, 1),
		.bytes = BUF_INIT(LEAF_CACHE_LEAF_BYTES_MAX),
	};
}

bool leaf_cache_new(struct db *catalogue, struct leaf_cache **ret_cache, struct err *err)
{
	CLEANUP(leaf_cache_freep) struct leaf_cache *cache = xcalloc(1, sizeof(*cache));
	bool row = true;

	db_bind_int(catalogue, CATALOGUE_LEAVES_SHARED, "most", LEAF_CACHE_LEAVES_MAX);
	while (row) {
		if (!db_step(catalogue, CATALOGUE_LEAVES_SHARED, &row, err))
			return false;
		if (row)
			add_leaf(cache, catalogue);
	}
	*ret_cache = TAKE(cache);
	return true;
}

void leaf_cache_freep(struct leaf_cache **cache)
{
	struct leaf_cache *old = *cache;

	if (!old)
		return;
	for (size_t i = 0; i < old->count; i++)
		buf_free(&old->leaves[i].bytes);
	free(old->leaves);
	free(old);
	*cache = NULL;
}

static int by_id(const void *key, const void *member)
{
	const int64_t *id = key;
	const struct cached_leaf *leaf = member;

	return (*id > leaf->id) - (*id < leaf->id);
}

struct cached_leaf *leaf_cache_find(struct leaf_cache *cache, int64_t leaf, uint64_t size)
{
	struct cached_leaf *found;

	if (!cache || cache->count == 0 || size == 0 || size > LEAF_CACHE_LEAF_BYTES_MAX)
		return NULL;
	found = bsearch(&leaf, cache->leaves, cache->count, sizeof(*found), by_id);
	return found && found->left > 0 ? found : NULL;
}

void leaf_cache_keep(struct leaf_cache *cache, struct cached_leaf *leaf)
{
	leaf->next = NULL;
	if (cache->oldest)
		cache->newest->next = leaf;
	else
		cache->oldest = leaf;
	cache->newest = leaf;
	cache->bytes += leaf->bytes.cap;
	while (cache->bytes > LEAF_CACHE_BYTES_MAX && cache->oldest != leaf) {
		drop_leaf(cache, cache->oldest);
		cache->oldest = cache->oldest->next;
	}
}

void leaf_cache_done(struct leaf_cache *cache, struct cached_leaf *leaf)
{
	if (--leaf->left == 0)
		drop_leaf(cache, leaf);
}
