/*
 * What is left of a message when its leaves are taken out (schema/README.md, "Skeletons and
 * leaves"): text with gaps, and for each gap how the leaf that fills it is written.
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
enum leaf_form { LEAF_AS_IT_IS = 0, LEAF_BASE64 = 1 };

struct gap {
	enum leaf_form form;
	size_t line_chars; /* LEAF_BASE64 */
	bool crlf;         /* LEAF_BASE64: its last line ends so */
};

/* --- making one --- */

struct skeleton_maker {
	struct buf gaps;
	struct buf text;
	size_t count;
	size_t gap_at; /* where in the text the last gap is */
};

void skeleton_maker_init(struct skeleton_maker *maker);
void skeleton_maker_reset(struct skeleton_maker *maker);
void skeleton_maker_free(struct skeleton_maker *maker);

/* How much more text there may be. */
size_t skeleton_room(const struct skeleton_maker *maker);
/* At most that much; at most RECORD_LEAVES_MAX gaps. */
void skeleton_add_text(struct skeleton_maker *maker, const uint8_t *text, size_t len);
void skeleton_add_gap(struct skeleton_maker *maker, const struct gap *gap);
/* Appended to out, which has a maximum of SKELETON_BYTES_MAX or is empty enough. */
bool skeleton_make(const struct skeleton_maker *maker, struct buf *out) MUST_USE;

/* --- reading one --- */

struct skeleton {
	struct reader gaps;
	const uint8_t *text;
	const uint8_t *end;
	size_t gaps_left;
};

struct skeleton_piece {
	const uint8_t *text; /* first this, */
	size_t text_len;
	bool has_gap; /* then a leaf */
	struct gap gap;
};

/* False: it is none. What it says was checked as a whole. It points into data. */
bool skeleton_open(const uint8_t *data, size_t len, struct skeleton *ret_skeleton);

/* Its pieces in order; the last one has no gap. False at the end. */
bool skeleton_next(struct skeleton *skeleton, struct skeleton_piece *ret_piece);

#endif
