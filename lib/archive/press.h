/*
 * The compressor: a thread that turns full blocks into frames while the packer hashes and writes
 * others. Blocks come out in the order they were given.
 */
#ifndef MAILSTOW_ARCHIVE_PRESS_H
#define MAILSTOW_ARCHIVE_PRESS_H

#include "archive/frame.h"

enum { PRESS_BLOCKS_MAX = 6 /* with it at a time */ };

struct block {
	enum frame_kind kind;
	int64_t frame_id;
	enum frame_effort effort;
	const struct frame_cipher *cipher; /* of the volume it goes to; NULL: plain */
	struct buf raw;
	struct buf packed;
	struct frame frame; /* made by the press; its data lies in raw or packed */
};

struct press;

bool press_start(struct press **ret_press, struct err *err);
void press_stopp(struct press **press); /* blocks given are finished first */

/* Hand over a block. */
void press_give(struct press *press, struct block *block);

/* How many were given and not taken back, and their raw bytes. */
size_t press_count(const struct press *press);
size_t press_bytes(const struct press *press);

/* Wait until the oldest block is a frame, and take it back. There is one. */
struct block *press_take(struct press *press);

#endif
