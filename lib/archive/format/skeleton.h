/*
 * A skeleton: what remains of a message when its leaves are detached (schema/README.md, "Skeletons
 * and leaves"). Text with gaps, and for each gap how its leaf is written.
 *
 * Pure. Reading is safe for hostile input.
 */
#ifndef MAILSTOW_ARCHIVE_FORMAT_SKELETON_H
#define MAILSTOW_ARCHIVE_FORMAT_SKELETON_H

#include "archive/format/record.h"
#include "base/buf.h"

enum {
	SKELETON_GAP_BYTES_MAX = 16,
	SKELETON_BYTES_MAX = 4 * 1024 * 1024, /* a frame */
	SKELETON_TEXT_BYTES_MAX =
		SKELETON_BYTES_MAX - (RECORD_LEAVES_MAX + 1) * SKELETON_GAP_BYTES_MAX,
};

/* The numbers are the format's. */
enum leaf_form { LEAF_VERBATIM = 0, LEAF_BASE64 = 1 };

struct gap {
	enum leaf_form form;
	size_t line_chars; /* LEAF_BASE64 */
	bool crlf;         /* LEAF_BASE64: its last line ends in CRLF */
};

/* --- building --- */

struct skeleton_maker {
	struct buf gaps;
	struct buf text;
	size_t count;
	size_t gap_at; /* position of the last gap in the text */
};

void skeleton_maker_init(struct skeleton_maker *maker);
void skeleton_maker_reset(struct skeleton_maker *maker);
void skeleton_maker_free(struct skeleton_maker *maker);

/* How many more bytes of text fit. */
size_t skeleton_room(const struct skeleton_maker *maker);
/* At most skeleton_room() bytes, and at most RECORD_LEAVES_MAX gaps. */
void skeleton_add_text(struct skeleton_maker *maker, const uint8_t *text, size_t len);
void skeleton_add_gap(struct skeleton_maker *maker, const struct gap *gap);
/* Append the skeleton, at most SKELETON_BYTES_MAX bytes. False: out is full. */
bool skeleton_make(const struct skeleton_maker *maker, struct buf *out) MUST_USE;

/* --- reading --- */

struct skeleton {
	struct reader gaps;
	const uint8_t *text;
	const uint8_t *end;
	size_t gaps_left;
};

struct skeleton_piece {
	const uint8_t *text; /* this text, */
	size_t text_len;
	bool has_gap; /* then a leaf */
	struct gap gap;
};

/* Checks all of it. ret_skeleton points into data. False: not a skeleton. */
bool skeleton_open(const uint8_t *data, size_t len, struct skeleton *ret_skeleton);

/* The next piece; the last one has no gap. False at the end. */
bool skeleton_next(struct skeleton *skeleton, struct skeleton_piece *ret_piece);

#endif
