#include "support/growth.h"

#include <stdbool.h>
#include <time.h>

enum { ROUNDS_MIN = 3, ROUNDS_MAX = 40 };

static double seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double quicker(double best, const struct growth *growth, const char *text, size_t len)
{
	double from = seconds(), took;

	growth->read(growth->context, text, len);
	took = seconds() - from;
	return took < best ? took : best;
}

double growth_of(const struct growth *growth)
{
	double once = 1e9, twice = 1e9, ratio = 1e9;

	for (int round = 0; round < ROUNDS_MIN || (round < ROUNDS_MAX && ratio >= GROWTH_MAX);
		round++) {
		once = quicker(once, growth, growth->once, growth->once_len);
		twice = quicker(twice, growth, growth->twice, growth->twice_len);
		ratio = twice / once;
	}
	return ratio;
}
