#include "daemon/backoff.h"

#include <assert.h>

enum { DOUBLINGS_MAX = 10, JITTER_WHOLE = 1000 };

static int64_t doubled(int64_t first_ms, unsigned times, int64_t max_ms)
{
	int64_t wait_ms = first_ms;

	for (unsigned i = 1; i < times && i < DOUBLINGS_MAX; i++)
		wait_ms *= 2;
	return wait_ms < max_ms ? wait_ms : max_ms;
}

int64_t backoff_ms(unsigned failures, enum err_kind kind, uint32_t jitter)
{
	int64_t wait_ms = doubled(BACKOFF_FIRST_MS, failures, BACKOFF_MAX_MS);

	assert(failures >= 1 && jitter <= JITTER_WHOLE);
	if (kind == ERR_AUTH || kind == ERR_CONFIG)
		return BACKOFF_AUTH_MS;
	return wait_ms / 2 + wait_ms / 2 * jitter / JITTER_WHOLE;
}

int64_t restless_ms(unsigned turns, int64_t max_ms)
{
	assert(turns >= 1);
	return doubled(RESTLESS_FIRST_MS, turns, max_ms);
}
