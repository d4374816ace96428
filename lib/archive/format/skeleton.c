#include "archive/format/skeleton.h"

#include <assert.h>

#include "mime/base64_lines.h"

/* --- building --- */

void skeleton_maker_init(struct skeleton_maker *maker)
{
	*maker = (struct skeleton_maker){0};
	buf_init(&maker->gaps, RECORD_LEAVES_MAX * SKELETON_GAP_BYTES_MAX);
	buf_init(&maker->text, SKELETON_TEXT_BYTES_MAX);
}

void skeleton_maker_reset(struct skeleton_maker *maker)
{
	buf_reset(&maker->gaps);
	buf_reset(&maker->text);
	maker->count = 0;
	maker->gap_at = 0;
}

void skeleton_maker_free(struct skeleton_maker *maker)
{
	buf_free(&maker->gaps);
	buf_free(&maker->text);
}

size_t skeleton_room(const struct skeleton_maker *maker)
{
	return SKELETON_TEXT_BYTES_MAX - maker->text.len;
}

void skeleton_add_text(struct skeleton_maker *maker, const uint8_t *text, size_t len)
{
	bool fits = buf_add(&maker->text, text, len);

	assert(fits);
}

void skeleton_add_gap(struct skeleton_maker *maker, const struct gap *gap)
{
	bool fits = put_uint(&maker->gaps, maker->text.len - maker->gap_at) &&
		    put_uint(&maker->gaps, gap->form) &&
		    (gap->form != LEAF_BASE64 || (put_uint(&maker->gaps, gap->line_chars) &&
							 put_uint(&maker->gaps, gap->crlf)));

	assert(fits && maker->count < RECORD_LEAVES_MAX);
	maker->gap_at = maker->text.len;
	maker->count++;
}

bool skeleton_make(const struct skeleton_maker *maker, struct buf *out)
{
	return put_uint(out, maker->count) && buf_add(out, maker->gaps.data, maker->gaps.len) &&
	       buf_add(out, maker->text.data, maker->text.len);
}

/* --- reading --- */

static size_t get_gap(struct reader *in, struct gap *gap)
{
	size_t text_len = get_uint_max(in, SKELETON_BYTES_MAX);

	*gap = (struct gap){.form = (enum leaf_form)get_uint_max(in, LEAF_BASE64)};
	if (gap->form == LEAF_BASE64) {
		gap->line_chars = get_uint_max(in, BASE64_LINE_CHARS_MAX);
		gap->crlf = get_uint_max(in, 1);
		if (gap->line_chars == 0 || gap->line_chars % BASE64_GROUP_CHARS != 0)
			in->bad = true;
	}
	return text_len;
}

bool skeleton_open(const uint8_t *data, size_t len, struct skeleton *ret_skeleton)
{
	struct reader in = {.at = data, .end = data + len};
	struct skeleton skeleton = {.gaps_left = get_uint_max(&in, RECORD_LEAVES_MAX)};
	size_t text_len = 0;
	struct gap gap;

	skeleton.gaps = in;
	for (size_t i = 0; i < skeleton.gaps_left && !in.bad; i++)
		text_len += get_gap(&in, &gap);
	if (in.bad || text_len > (size_t)(in.end - in.at))
		return false;
	skeleton.gaps.end = in.at;
	skeleton.text = in.at;
	skeleton.end = in.end;
	*ret_skeleton = skeleton;
	return true;
}

bool skeleton_next(struct skeleton *skeleton, struct skeleton_piece *ret_piece)
{
	struct skeleton_piece piece = {.text = skeleton->text};

	if (!skeleton->text)
		return false;
	piece.text_len = (size_t)(skeleton->end - skeleton->text);
	piece.has_gap = skeleton->gaps_left > 0;
	if (piece.has_gap) {
		piece.text_len = get_gap(&skeleton->gaps, &piece.gap);
		skeleton->gaps_left--;
	}
	skeleton->text = piece.has_gap ? skeleton->text + piece.text_len : NULL;
	*ret_piece = piece;
	return true;
}
