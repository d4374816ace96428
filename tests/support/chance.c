/* Linked in front of base/rand.h and base/clock.h by ld's --wrap. */
#include "support/chance.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stddef.h>
#include <stdint.h>

void __wrap_rand_bytes(void *out, size_t len);
int64_t __wrap_clock_wall_ms(void);

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static uint64_t state;
static int64_t now_ms;

void chance_begin(void)
{
	(void)pthread_mutex_lock(&mutex);
	state = 1;
	now_ms = 1700000000000;
	(void)pthread_mutex_unlock(&mutex);
	(void)sqlite3_test_control(SQLITE_TESTCTRL_PRNG_SEED, 1, NULL);
}

void __wrap_rand_bytes(void *out, size_t len)
{
	uint8_t *at = out;

	(void)pthread_mutex_lock(&mutex);
	for (; len > 0; len--) {
		state = state * 6364136223846793005U + 1442695040888963407U;
		*at++ = (uint8_t)(state >> 56);
	}
	(void)pthread_mutex_unlock(&mutex);
}

int64_t __wrap_clock_wall_ms(void)
{
	int64_t ms;

	(void)pthread_mutex_lock(&mutex);
	ms = ++now_ms;
	(void)pthread_mutex_unlock(&mutex);
	return ms;
}
