#include "support/archive/apart.h"

#include <string.h>

#include "base/alloc.h"
#include "mime/base64_lines.h"

enum { BYTES_MAX = 64 * 1024 * 1024 };

struct taking {
	struct apart *apart;
	struct base64_writer writer;
	enum split_what open; /* SPLIT_REST: no leaf is */
	size_t leaf_len;
};

static bool join_base64(struct taking *taking, const uint8_t *text, const struct split_span *span)
{
	CLEANUP(freep) uint8_t *decoded = xmalloc(span->len + 1);
	struct buf *joined = &taking->apart->joined;
	size_t len = base64_lines_decode(text, span->len, decoded);
	uint8_t *to;

	if (span->begins)
		taking->writer = (struct base64_writer){.line_chars = span->line_chars};
	to = buf_reserve(joined, base64_writer_room(&taking->writer, len));
	if (!to)
		return false;
	len = base64_writer_add(&taking->writer, decoded, len, to);
	joined->len += len;
	if (span->ends)
		joined->len += base64_writer_end(&taking->writer, span->crlf, to + len);
	len = base64_lines_decode(text, span->len, decoded);
	taking->leaf_len += len;
	return buf_add(&taking->apart->leaves, decoded, len);
}

static bool join_text(struct taking *taking, const uint8_t *text, const struct split_span *span)
{
	taking->leaf_len += span->len;
	return buf_add(&taking->apart->joined, text, span->len) &&
	       (span->what == SPLIT_REST || buf_add(&taking->apart->leaves, text, span->len));
}

static bool take_span(struct taking *taking, const uint8_t *text, const struct split_span *span)
{
	struct apart *apart = taking->apart;
	enum split_what expected = span->begins ? SPLIT_REST : span->what;

	if (taking->open != expected || (span->len == 0 && !span->ends))
		return false;
	if (span->begins) {
		taking->leaf_len = 0;
		apart->base64_count += span->what == SPLIT_BASE64;
		apart->text_count += span->what == SPLIT_TEXT;
	}
	if (!(span->what == SPLIT_BASE64 ? join_base64 : join_text)(taking, text, span))
		return false;
	taking->open = span->ends ? SPLIT_REST : span->what;
	return !span->ends || span->what == SPLIT_REST ||
	       taking->leaf_len >= (span->what == SPLIT_BASE64 ? (size_t)SPLIT_BASE64_BYTES_MIN
							       : (size_t)SPLIT_TEXT_BYTES_MIN);
}

void apart_take(const uint8_t *data, size_t len, size_t portion, struct apart *ret_apart)
{
	struct taking taking = {.apart = ret_apart};
	struct splitter splitter;
	struct split_span span;
	size_t from = 0, to = 0;

	*ret_apart = (struct apart){
		.joined = BUF_INIT(BYTES_MAX), .leaves = BUF_INIT(BYTES_MAX), .sound = true};
	splitter_begin(&splitter);
	while (ret_apart->sound) {
		if (splitter_next(&splitter, data + from, to - from, to == len, &span)) {
			ret_apart->sound =
				span.len <= to - from && take_span(&taking, data + from, &span);
			from += span.len;
			continue;
		}
		ret_apart->sound = to - from < SPLIT_WINDOW_BYTES_MIN;
		if (to == len)
			break;
		to += len - to < portion ? len - to : portion;
	}
	ret_apart->sound = ret_apart->sound && from == len && taking.open == SPLIT_REST;
}

void apart_free(struct apart *apart)
{
	buf_free(&apart->joined);
	buf_free(&apart->leaves);
}
