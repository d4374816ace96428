/*
 * Leaves that several messages have, kept while all messages are read: a message that has one again
 * may lie far behind the first. Each is kept until the last message that has it, or until there is
 * no room.
 */
#ifndef MAILSTOW_ARCHIVE_SHELF_H
#define MAILSTOW_ARCHIVE_SHELF_H

#include "base/buf.h"
#include "base/err.h"
#include "db/db.h"

enum {
	SHELF_BYTES_MAX = 16 * 1024 * 1024,
	SHELF_LEAF_BYTES_MAX = 1024 * 1024, /* a larger one is not kept */
	SHELF_LEAVES_MAX = 64 * 1024,       /* that are known of; further ones are not kept */
};

struct shelf_leaf {
	int64_t id;
	int64_t left; /* times it is still to be read */
	struct buf bytes;
	struct shelf_leaf *next; /* kept after it */
};

struct shelf;

/* See from the catalogue which leaves those are; none is read yet. */
bool shelf_new(struct db *catalogue, struct shelf **ret_shelf, struct err *err);
void shelf_freep(struct shelf **shelf); /* also for CLEANUP() */

/* One that is worth keeping; its bytes are empty, to be filled, where it is not kept yet. NULL: not
 * worth it. shelf may be NULL. */
struct shelf_leaf *shelf_find(struct shelf *shelf, int64_t leaf, uint64_t size);

/* Its bytes were filled: others may make room for it. */
void shelf_keep(struct shelf *shelf, struct shelf_leaf *leaf);

/* It was read once more: its bytes may go. */
void shelf_done(struct shelf *shelf, struct shelf_leaf *leaf);

#endif
