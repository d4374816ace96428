#include "fuzz/fuzz_pieces.h"

#include <assert.h>
#include <string.h>

enum { OUT_MAX = 4 * 1024 * 1024, HASH_FIRST = 5381, HASH_FACTOR = 33 };

static size_t choose_cut(const uint8_t *data, size_t len)
{
	uint64_t hash = HASH_FIRST;

	for (size_t i = 0; i < len; i++)
		hash = hash * HASH_FACTOR + data[i];
	return len ? (size_t)(hash % len) : 0;
}

void fuzz_pieces(feed_pieces *feed, const uint8_t *data, size_t len)
{
	const size_t cuts[] = {choose_cut(data, len), SIZE_MAX};
	CLEANUP(buf_free) struct buf whole = BUF_INIT(OUT_MAX);

	feed((const char *)data, len, 0, &whole);
	for (size_t i = 0; i < ARRAY_LEN(cuts); i++) {
		CLEANUP(buf_free) struct buf pieces = BUF_INIT(OUT_MAX);

		feed((const char *)data, len, cuts[i], &pieces);
		assert(strcmp(buf_str(&pieces), buf_str(&whole)) == 0);
	}
}
