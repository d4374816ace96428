/*
 * A process that was made before this one had threads, and forks itself for each order: a fork of
 * a process with a model server in it would have the locks of threads that it has not.
 */
#ifndef MAILSTOW_TESTS_SUPPORT_CRASH_FORKER_H
#define MAILSTOW_TESTS_SUPPORT_CRASH_FORKER_H

#include <stdbool.h>
#include <stddef.h>

enum { FORKER_ORDER_BYTES_MAX = 512 };

/* Once, at the very beginning. obey() is called with a copy of an order and _exit()s. */
bool forker_start(void (*obey)(const void *order), size_t order_bytes);

/* What it _exit()ed with. Failures end the promise. */
int forker_order(const void *order);

#endif
