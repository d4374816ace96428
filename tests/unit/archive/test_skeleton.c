#include <string.h>

#include "archive/format/skeleton.h"
#include "base/alloc.h"
#include "support/check.h"

static const struct gap gaps[] = {
	{.form = LEAF_BASE64, .line_chars = 76, .crlf = true},
	{.form = LEAF_VERBATIM},
	{.form = LEAF_BASE64, .line_chars = 4096},
};
static const char *const texts[] = {"head\r\n\r\n", "", "between", "after"};

static void make(struct buf *out)
{
	struct skeleton_maker maker;

	skeleton_maker_init(&maker);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		skeleton_add_text(&maker, (const uint8_t *)texts[i], strlen(texts[i]));
		if (i < ARRAY_LEN(gaps))
			skeleton_add_gap(&maker, &gaps[i]);
	}
	CHECK(skeleton_make(&maker, out));
	skeleton_maker_free(&maker);
}

static void texts_and_gaps_come_back_in_order(void)
{
	CLEANUP(buf_free) struct buf out = BUF_INIT(SKELETON_BYTES_MAX);
	struct skeleton skeleton;
	struct skeleton_piece piece;

	make(&out);
	CHECK(skeleton_open(out.data, out.len, &skeleton));
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		CHECK(skeleton_next(&skeleton, &piece));
		CHECK_INT(piece.text_len, strlen(texts[i]));
		CHECK(memcmp(piece.text, texts[i], piece.text_len) == 0);
		CHECK_INT(piece.has_gap, i < ARRAY_LEN(gaps));
		if (!piece.has_gap)
			continue;
		CHECK_INT(piece.gap.form, gaps[i].form);
		CHECK_INT(piece.gap.line_chars, gaps[i].line_chars);
		CHECK_INT(piece.gap.crlf, gaps[i].crlf);
	}
	CHECK(!skeleton_next(&skeleton, &piece));
}

static void bytes_that_are_not_a_skeleton_are_refused(void)
{
	static const struct {
		uint8_t bytes[8];
		size_t len;
	} cases[] = {
		{{0}, 0},                                    /* without a count */
		{{1, 5, 0, 'a'}, 4},                         /* a gap beyond the end of the text */
		{{1, 0, 2}, 3},                              /* an undefined form */
		{{1, 0, 1, 3, 0}, 5},                        /* lines of three characters */
		{{1, 0, 1, 4, 2}, 5},                        /* an undefined bit */
		{{1, 0, 1, 0x84, 0x40, 0}, 6},               /* lines too long */
		{{2, 0, 0}, 3},                              /* a gap is missing */
		{{0xff, 0xff, 0xff, 0xff, 0x0f, 0, 0, 0}, 8} /* too many gaps */
	};
	struct skeleton skeleton;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(freep) uint8_t *exact = xmemdup(cases[i].bytes, cases[i].len);

		CHECK(!skeleton_open(exact, cases[i].len, &skeleton));
	}
}

static void damaged_skeletons_are_read_without_harm(void)
{
	CLEANUP(buf_free) struct buf out = BUF_INIT(SKELETON_BYTES_MAX);

	make(&out);
	for (size_t i = 0; i < out.len * 256; i++) {
		CLEANUP(freep) uint8_t *bytes = xmemdup(out.data, out.len);
		struct skeleton skeleton;
		struct skeleton_piece piece;
		size_t text_len = 0;

		bytes[i / 256] = (uint8_t)i;
		if (!skeleton_open(bytes, out.len, &skeleton))
			continue;
		while (skeleton_next(&skeleton, &piece))
			text_len += piece.text_len;
		CHECK(text_len < out.len);
	}
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(texts_and_gaps_come_back_in_order),
		PROMISE(bytes_that_are_not_a_skeleton_are_refused),
		PROMISE(damaged_skeletons_are_read_without_harm),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
