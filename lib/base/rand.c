#include "base/rand.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

void rand_bytes(void *out, size_t len)
{
	uint8_t *at = out;

	while (len > 0) {
		ssize_t got = getrandom(at, len, 0);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			abort();
		at += got;
		len -= (size_t)got;
	}
}

uint32_t rand_below(uint32_t below)
{
	uint32_t value, limit;

	assert(below > 0);
	limit = UINT32_MAX - UINT32_MAX % below;
	do
		rand_bytes(&value, sizeof(value));
	while (value >= limit);
	return value % below;
}
