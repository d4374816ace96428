#include "daemon/backoff.h"

#include <assert.h>

enum { DOUBLINGS_MAX = 10, JITTER_WHOLE = 1000 };

int64_t backoff_ms(unsigned failures, enum err_kind kind, uint32_t jitter)
{
	int64_t wait_ms = BACKOFF_FIRST_MS;

	assert(failures >= 1 && jitter <= JITTER_WHOLE);
	if (kind == ERR_AUTH || kind == ERR_CONFIG)
		return BACKOFF_AUTH_MS;
	for (unsigned i = 1; i < failures && i < DOUBLINGS_MAX; i++)
		wait_ms *= 2;
	if (wait_ms > BACKOFF_MAX_MS)
		wait_ms = BACKOFF_MAX_MS;
	return wait_ms / 2 + wait_ms / 2 * jitter / JITTER_WHOLE;
}
