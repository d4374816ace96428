/* Any bytes as a message: every leaf found in it encodes again to the same text. */
#include <assert.h>
#include <string.h>

#include "mime/split.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_leaf(const uint8_t *data, const struct split_leaf *leaf)
{
	CLEANUP(buf_free) struct buf decoded = BUF_INIT(leaf->decoded_len);
	CLEANUP(buf_free) struct buf encoded = BUF_INIT(leaf->end - leaf->start);
	bool fits =
		split_decode(data, leaf, &decoded) && split_encode(decoded.data, leaf, &encoded);

	assert(fits);
	assert(encoded.len == leaf->end - leaf->start);
	assert(memcmp(encoded.data, data + leaf->start, encoded.len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct split_leaf leaf;

	for (size_t at = 0; split_next(data, len, at, &leaf); at = leaf.end) {
		assert(leaf.start >= at && leaf.start < leaf.end && leaf.end <= len);
		assert(leaf.decoded_len >= SPLIT_LEAF_BYTES_MIN);
		check_leaf(data, &leaf);
	}
	return 0;
}
