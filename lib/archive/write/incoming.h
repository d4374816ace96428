/*
 * The message that arrives at the packer. It waits in a window; what of it is a leaf goes into the
 * item block, and from there into a pack or parts; the rest into the skeleton. A message that fits
 * the window is still there when all of it was taken apart, and stored as it is where taking apart
 * found nothing, or would not give the same bytes.
 */
#ifndef MAILSTOW_ARCHIVE_WRITE_INCOMING_H
#define MAILSTOW_ARCHIVE_WRITE_INCOMING_H

#include "archive/format/record.h"
#include "archive/format/skeleton.h"
#include "base/crypto.h"
#include "mime/base64_lines.h"
#include "mime/split.h"
#include "mime/summary.h"

/* Frames an item was handed over in: first ... last. 0: none yet. */
struct pieces {
	int64_t first;
	int64_t last;
};

/* A leaf under way. Its last bytes are in the item block. */
struct open_leaf {
	uint64_t size;
	struct pieces pieces;
	struct base64_writer writer; /* writes it again, as a reader will */
};

/* A leaf of this message: `item` is its record unless it was there before. */
struct taken_leaf {
	bool is_new;
	struct record_item item;
	struct pieces pieces;
};

struct incoming {
	bool open;
	int64_t folder;
	uint64_t size;
	bool summarised;
	struct mime_summary summary;

	struct buf window;
	size_t taken;  /* of the window, apart */
	bool streamed; /* it is longer than the window */
	struct splitter splitter;
	struct skeleton_maker skeleton;
	struct sha256 *again; /* of what a reader will put together, if there are leaves */

	struct open_leaf leaf;
	struct sha256 *leaf_digest;
	struct taken_leaf *leaves;
	size_t leaves_count;
	size_t leaves_cap;
};

void incoming_init(struct incoming *incoming);
void incoming_free(struct incoming *incoming);
void incoming_begin(struct incoming *incoming, int64_t folder);
void incoming_end(struct incoming *incoming);

#endif
