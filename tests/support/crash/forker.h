/*
 * A helper process, started before this one had threads, that forks itself for each order. A fork
 * of the process that runs the model server would inherit locks held by threads it does not have.
 */
#ifndef MAILSTOW_TESTS_SUPPORT_CRASH_FORKER_H
#define MAILSTOW_TESTS_SUPPORT_CRASH_FORKER_H

#include <stdbool.h>
#include <stddef.h>

enum { FORKER_ORDER_BYTES_MAX = 512 };

/* Call once, before anything else. obey() receives a copy of an order and ends with _exit(). */
bool forker_start(void (*obey)(const void *order), size_t order_bytes);

/* The exit code of obey(). Failures end the promise. */
int forker_order(const void *order);

#endif
