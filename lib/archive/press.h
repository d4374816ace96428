/*
 * The compressor: a thread that turns full blocks into frames while the packer hashes and writes
 * others. One block at a time is with it.
 */
#ifndef MAILSTOW_ARCHIVE_PRESS_H
#define MAILSTOW_ARCHIVE_PRESS_H

#include "archive/frame.h"

struct block {
	enum frame_kind kind;
	int64_t frame_id;
	const struct frame_cipher *cipher; /* of the volume it goes to; NULL: plain */
	struct buf raw;
	struct buf packed;
	struct frame frame; /* made by the press; its data lies in raw or packed */
};

struct press;

bool press_start(struct press **ret_press, struct err *err);
void press_stopp(struct press **press); /* a block given is finished first */

/* Hand over a block. None may be with the press. */
void press_give(struct press *press, struct block *block);

/* Wait until the block given last is a frame; with none there, at once. */
void press_wait(struct press *press);

#endif
