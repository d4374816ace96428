/*
 * The compressor: a thread that compresses and encrypts full blocks while the packer thread hashes
 * and writes others. Blocks come back in the order they were given.
 */
#ifndef MAILSTOW_ARCHIVE_WRITE_COMPRESSOR_H
#define MAILSTOW_ARCHIVE_WRITE_COMPRESSOR_H

#include "archive/format/frame.h"

enum { COMPRESSOR_BLOCKS_MAX = 6 /* given and not yet taken back */ };

struct block {
	enum frame_kind kind;
	int64_t frame_id;
	enum frame_effort effort;
	const struct frame_cipher *cipher; /* of its volume; NULL: plain */
	struct buf raw;
	struct buf packed;
	struct frame frame; /* the result; its data points into raw or packed */
};

struct compressor;

bool compressor_start(struct compressor **ret_compressor, struct err *err);
void compressor_stopp(struct compressor **compressor); /* after finishing all given blocks */

/* Give it a block, which it owns until compressor_take(). */
void compressor_give(struct compressor *compressor, struct block *block);

/* How many blocks it holds, and their raw bytes. */
size_t compressor_count(const struct compressor *compressor);
size_t compressor_bytes(const struct compressor *compressor);

/* Wait for the oldest block and take it back. The compressor holds at least one. */
struct block *compressor_take(struct compressor *compressor);

#endif
