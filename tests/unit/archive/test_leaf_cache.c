/* The leaf cache keeps a leaf shared by several messages, as long as there is room, until the last
 * of them was read. */
#include "archive/catalogue/catalogue.h"
#include "archive/read/leaf_cache.h"
#include "support/archive/archive_fixture.h"
#include "support/archive/refs.h"
#include "support/check.h"

enum { ONCE = 1, TWICE = 2, THRICE = 3, MANY = 100, LEAF_BYTES = LEAF_CACHE_LEAF_BYTES_MAX - 1 };

#define CACHE CLEANUP(leaf_cache_freep) struct leaf_cache *

static void part(struct db *catalogue, int64_t skeleton, int64_t leaf)
{
	struct err err = ERR_INIT;

	db_bind_int(catalogue, CATALOGUE_PART_PUT, "skeleton", skeleton);
	db_bind_int(catalogue, CATALOGUE_PART_PUT, "number", leaf);
	db_bind_int(catalogue, CATALOGUE_PART_PUT, "leaf", leaf);
	CHECK_OK(db_run(catalogue, CATALOGUE_PART_PUT, &err));
}

/* Leaves that occur in one, two and three messages. */
static struct leaf_cache *make_cache(const char *name)
{
	CLEANUP(freep) char *path = fixture_archive(name);
	CLEANUP(db_freep) struct db *catalogue = NULL;
	struct archive_writer *writer = fixture_writer(path);
	struct leaf_cache *cache;
	struct err err = ERR_INIT;

	archive_writer_freep(&writer);
	CHECK_OK(catalogue_open(ref_of(path), DB_WRITE, &catalogue, &err));
	for (int64_t skeleton = 1; skeleton <= 3; skeleton++)
		for (int64_t leaf = skeleton; leaf <= THRICE; leaf++)
			part(catalogue, 1000 + skeleton, leaf);
	for (int64_t i = 0; i < MANY; i++) {
		part(catalogue, 2000, MANY + i);
		part(catalogue, 2001, MANY + i);
	}
	CHECK_OK(leaf_cache_new(catalogue, &cache, &err));
	return cache;
}

static void fill(struct leaf_cache *cache, struct cached_leaf *leaf)
{
	CHECK(leaf);
	fixture_message(&leaf->bytes, (uint32_t)leaf->id, LEAF_BYTES);
	leaf_cache_keep(cache, leaf);
}

static void only_leaves_of_several_messages_are_kept(void)
{
	CACHE cache = make_cache("several");

	CHECK(!leaf_cache_find(NULL, TWICE, 1));
	CHECK(!leaf_cache_find(cache, ONCE, 1));
	CHECK(!leaf_cache_find(cache, THRICE + 1, 1));
	CHECK(!leaf_cache_find(cache, TWICE, 0));
	CHECK(!leaf_cache_find(cache, TWICE, LEAF_CACHE_LEAF_BYTES_MAX + 1));
	CHECK_INT(leaf_cache_find(cache, TWICE, LEAF_CACHE_LEAF_BYTES_MAX)->left, 2);
	CHECK_INT(leaf_cache_find(cache, THRICE, 1)->left, 3);
}

static void a_leaf_is_dropped_after_its_last_message(void)
{
	CACHE cache = make_cache("last");
	struct cached_leaf *leaf = leaf_cache_find(cache, TWICE, LEAF_BYTES);

	fill(cache, leaf);
	leaf_cache_done(cache, leaf);
	CHECK_INT(leaf_cache_find(cache, TWICE, LEAF_BYTES)->bytes.len, LEAF_BYTES);
	leaf_cache_done(cache, leaf);
	CHECK_INT(leaf->bytes.cap, 0);
	CHECK(!leaf_cache_find(cache, TWICE,
		LEAF_BYTES)); /* one read more than counted: decompressed from the frame */
}

static void the_oldest_leaves_are_evicted_and_can_return(void)
{
	CACHE cache = make_cache("room");
	size_t kept = 0;

	for (int64_t i = 0; i < MANY; i++)
		fill(cache, leaf_cache_find(cache, MANY + i, LEAF_BYTES));
	for (int64_t i = 0; i < MANY; i++) {
		struct cached_leaf *leaf = leaf_cache_find(cache, MANY + i, LEAF_BYTES);

		kept += leaf->bytes.cap;
		CHECK((leaf->bytes.len > 0) ==
			(i >= MANY - LEAF_CACHE_BYTES_MAX / LEAF_CACHE_LEAF_BYTES_MAX));
	}
	CHECK(kept <= LEAF_CACHE_BYTES_MAX);
	fill(cache, leaf_cache_find(cache, MANY, LEAF_BYTES));
	CHECK_INT(leaf_cache_find(cache, MANY, LEAF_BYTES)->bytes.len, LEAF_BYTES);
	CHECK_INT(leaf_cache_find(cache, MANY + MANY - 1, LEAF_BYTES)->bytes.len, LEAF_BYTES);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(only_leaves_of_several_messages_are_kept),
		PROMISE(a_leaf_is_dropped_after_its_last_message),
		PROMISE(the_oldest_leaves_are_evicted_and_can_return),
	};
	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
