/*
 * How the cost of a reader grows with what it reads: quadratic work is how a server makes a client
 * busy for hours.
 */
#ifndef MAILSTOW_TESTS_SUPPORT_ARCHIVE_GROWTH_H
#define MAILSTOW_TESTS_SUPPORT_ARCHIVE_GROWTH_H

#include <stddef.h>

/* Twice the bytes may take this many times as long; what is quadratic takes four times. */
#define GROWTH_MAX 2.5

struct growth {
	const char *once, *twice; /* texts, the second of twice the length */
	size_t once_len, twice_len;
	void (*read)(void *context, const char *text, size_t len);
	void *context;
};

/*
 * How many times as long the second text takes, in processor time: the middle of some pairs of
 * runs, and of more of them while it looks like more than GROWTH_MAX, as others use the machine.
 */
double growth_of(const struct growth *growth);

#endif
