#include "support/imap/pieces.h"

#include <stdint.h>

#include "support/check.h"

enum { PIECES_OUT_MAX = 1024 * 1024, CUTS_MAX = 4096 };

size_t piece_len(size_t at, size_t len, size_t cut)
{
	if (cut == SIZE_MAX)
		return 1;
	return at < cut && cut < len ? cut - at : len - at;
}

void check_pieces(feed_pieces *feed, const char *data, size_t len, const char *wanted)
{
	CLEANUP(buf_free) struct buf whole = BUF_INIT(PIECES_OUT_MAX);
	CLEANUP(buf_free) struct buf pieces = BUF_INIT(PIECES_OUT_MAX);
	size_t step = 1 + len / CUTS_MAX;

	feed(data, len, 0, &whole);
	if (wanted)
		CHECK_STR(buf_str(&whole), wanted);
	for (size_t cut = 1; cut < len; cut += step) {
		buf_reset(&pieces);
		feed(data, len, cut, &pieces);
		CHECK_STR(buf_str(&pieces), buf_str(&whole));
	}
	buf_reset(&pieces);
	feed(data, len, SIZE_MAX, &pieces);
	CHECK_STR(buf_str(&pieces), buf_str(&whole));
}
