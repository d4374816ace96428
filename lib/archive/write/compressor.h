/*
 * The compressor: a thread that turns full blocks into frames while the packer hashes and writes
 * others. Blocks come out in the order they were given.
 */
#ifndef MAILSTOW_ARCHIVE_WRITE_COMPRESSOR_H
#define MAILSTOW_ARCHIVE_WRITE_COMPRESSOR_H

#include "archive/format/frame.h"

enum { COMPRESSOR_BLOCKS_MAX = 6 /* with it at a time */ };

struct block {
	enum frame_kind kind;
	int64_t frame_id;
	enum frame_effort effort;
	const struct frame_cipher *cipher; /* of the volume it goes to; NULL: plain */
	struct buf raw;
	struct buf packed;
	struct frame frame; /* made by the compressor; its data lies in raw or packed */
};

struct compressor;

bool compressor_start(struct compressor **ret_compressor, struct err *err);
void compressor_stopp(struct compressor **compressor); /* blocks given are finished first */

/* Hand over a block. */
void compressor_give(struct compressor *compressor, struct block *block);

/* How many were given and not taken back, and their raw bytes. */
size_t compressor_count(const struct compressor *compressor);
size_t compressor_bytes(const struct compressor *compressor);

/* Wait until the oldest block is a frame, and take it back. There is one. */
struct block *compressor_take(struct compressor *compressor);

#endif
