/*
 * Allocation that does not return NULL. Sizes asked for here are bounded by named limits of the
 * callers, so running out means the system is broken: the process says so and aborts, and the
 * archive is sound by its order of writes. (docs/decisions/0002)
 */
#ifndef MAILSTOW_BASE_ALLOC_H
#define MAILSTOW_BASE_ALLOC_H

#include <stddef.h>

void *xmalloc(size_t size_bytes);
void *xcalloc(size_t count, size_t size_bytes); /* zeroed; overflow is checked */
void *xrealloc(void *old, size_t size_bytes);
char *xstrdup(const char *text);
char *xstrndup(const char *text, size_t len);
void *xmemdup(const void *data, size_t len); /* len 0 gives a valid pointer */

/*
 * Make room for one more element in a growing array: doubles *cap when *cap == count.
 *
 *	ARRAY_GROW(list->items, list->count, list->cap);
 *	list->items[list->count++] = item;
 */
#define ARRAY_GROW(items, count, cap)                                                              \
	((items) = array_grow((items), (count), &(cap), sizeof(*(items))))

void *array_grow(void *items, size_t count, size_t *cap, size_t item_size_bytes);

#endif
