#include "archive/shelf.h"

#include <stdlib.h>

#include "archive/catalogue.h"
#include "base/alloc.h"

struct shelf {
	struct shelf_leaf *leaves; /* by id */
	size_t count;
	size_t cap;
	size_t bytes; /* kept */
	struct shelf_leaf *oldest, *newest;
};

static void let_go(struct shelf *shelf, struct shelf_leaf *leaf)
{
	shelf->bytes -= leaf->bytes.cap;
	buf_free(&leaf->bytes);
}

static void add_leaf(struct shelf *shelf, struct db *catalogue)
{
	ARRAY_GROW(shelf->leaves, shelf->count, shelf->cap);
	shelf->leaves[shelf->count++] = (struct shelf_leaf){
		.id = db_int(catalogue, CATALOGUE_LEAVES_SHARED, 0),
		.left = db_int(catalogue, CATALOGUE_LEAVES_SHARED, 1),
		.bytes = BUF_INIT(SHELF_LEAF_BYTES_MAX),
	};
}

bool shelf_new(struct db *catalogue, struct shelf **ret_shelf, struct err *err)
{
	CLEANUP(shelf_freep) struct shelf *shelf = xcalloc(1, sizeof(*shelf));
	bool row = true;

	db_bind_int(catalogue, CATALOGUE_LEAVES_SHARED, "most", SHELF_LEAVES_MAX);
	while (row) {
		if (!db_step(catalogue, CATALOGUE_LEAVES_SHARED, &row, err))
			return false;
		if (row)
			add_leaf(shelf, catalogue);
	}
	*ret_shelf = TAKE(shelf);
	return true;
}

void shelf_freep(struct shelf **shelf)
{
	struct shelf *old = *shelf;

	if (!old)
		return;
	for (size_t i = 0; i < old->count; i++)
		buf_free(&old->leaves[i].bytes);
	free(old->leaves);
	free(old);
	*shelf = NULL;
}

static int by_id(const void *key, const void *member)
{
	const int64_t *id = key;
	const struct shelf_leaf *leaf = member;

	return (*id > leaf->id) - (*id < leaf->id);
}

struct shelf_leaf *shelf_find(struct shelf *shelf, int64_t leaf, uint64_t size)
{
	struct shelf_leaf *found;

	if (!shelf || shelf->count == 0 || size == 0 || size > SHELF_LEAF_BYTES_MAX)
		return NULL;
	found = bsearch(&leaf, shelf->leaves, shelf->count, sizeof(*found), by_id);
	return found && found->left > 0 ? found : NULL;
}

void shelf_keep(struct shelf *shelf, struct shelf_leaf *leaf)
{
	leaf->next = NULL;
	if (shelf->oldest)
		shelf->newest->next = leaf;
	else
		shelf->oldest = leaf;
	shelf->newest = leaf;
	shelf->bytes += leaf->bytes.cap;
	while (shelf->bytes > SHELF_BYTES_MAX && shelf->oldest != leaf) {
		let_go(shelf, shelf->oldest);
		shelf->oldest = shelf->oldest->next;
	}
}

void shelf_done(struct shelf *shelf, struct shelf_leaf *leaf)
{
	if (--leaf->left == 0)
		let_go(shelf, leaf);
}
