/*
 * The message being received by the packer thread. Its bytes collect in a window. Splitting moves
 * leaves into the item block, and from there into a pack or parts, and the rest into the skeleton.
 * A message that fits the window is still complete after splitting, and is stored whole if there
 * are no leaves or if they would not reassemble to the same bytes.
 */
#ifndef MAILSTOW_ARCHIVE_WRITE_INCOMING_H
#define MAILSTOW_ARCHIVE_WRITE_INCOMING_H

#include "archive/format/record.h"
#include "archive/format/skeleton.h"
#include "base/crypto.h"
#include "mime/base64_lines.h"
#include "mime/split.h"
#include "mime/summary.h"

/* The frames with earlier pieces of an item: first to last. 0: none yet. */
struct pieces {
	int64_t first;
	int64_t last;
};

/* The leaf being collected. Its last bytes are in the item block. */
struct open_leaf {
	uint64_t size;
	struct pieces pieces;
	struct base64_writer writer; /* re-encodes it, as a reader will */
};

/* A leaf of this message. `item` is its record; if not new, only its id. */
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
	size_t taken;  /* bytes of the window that were split */
	bool streamed; /* the message is longer than the window */
	struct splitter splitter;
	struct skeleton_maker skeleton;
	struct sha256 *again; /* digest of the reassembled message, if it has leaves */

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
