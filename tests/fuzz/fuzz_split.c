/* Any bytes as a message, in any portions: the parts of a split message reassemble exactly. */
#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "support/archive/apart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const size_t portions[] = {SIZE_MAX, 1000, 77};

	for (size_t i = 0; i < ARRAY_LEN(portions); i++) {
		CLEANUP(apart_free) struct apart apart;

		apart_take(data, len, portions[i], &apart);
		assert(apart.sound);
		assert(apart.joined.len == len);
		assert(len == 0 || memcmp(apart.joined.data, data, len) == 0);
	}
	return 0;
}
