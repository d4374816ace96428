#include "support/archive/growth.h"

#include <stdbool.h>
#include <stdlib.h>
#include <time.h>

enum { ROUNDS_MIN = 5, ROUNDS_MAX = 41 /* odd, for the one in the middle */ };

static double seconds(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static double takes(const struct growth *growth, const char *text, size_t len)
{
	double from = seconds();

	growth->read(growth->context, text, len);
	return seconds() - from;
}

static int by_size(const void *a, const void *b)
{
	const double *left = a;
	const double *right = b;

	return (*left > *right) - (*left < *right);
}

/* One after the other, so that what else the machine does slows down both; and then the one in the
 * middle, as what it does begins and ends. */
double growth_of(const struct growth *growth)
{
	double ratios[ROUNDS_MAX];
	int count = 0;

	do {
		for (int i = 0; i < (count ? 2 : ROUNDS_MIN); i++) {
			double once = takes(growth, growth->once, growth->once_len);

			ratios[count++] = takes(growth, growth->twice, growth->twice_len) / once;
		}
		qsort(ratios, (size_t)count, sizeof(*ratios), by_size);
	} while (ratios[count / 2] >= GROWTH_MAX && count < ROUNDS_MAX);
	return ratios[count / 2];
}
