/*
 * Allocation that never returns NULL. Callers limit sizes by named maxima, so running out of memory
 * means the system is broken: the process prints so and aborts. The archive stays sound by its
 * order of writes. (docs/decisions/0002)
 */
#ifndef MAILSTOW_BASE_ALLOC_H
#define MAILSTOW_BASE_ALLOC_H

#include <stddef.h>

#define NEVER_NULL __attribute__((returns_nonnull))

NEVER_NULL void *xmalloc(size_t size_bytes);
NEVER_NULL void *xcalloc(size_t count, size_t size_bytes); /* zeroed; overflow is checked */
NEVER_NULL void *xrealloc(void *old, size_t size_bytes);
NEVER_NULL char *xstrdup(const char *text);
NEVER_NULL char *xstrndup(const char *text, size_t len);
NEVER_NULL void *xmemdup(const void *data, size_t len); /* len 0 gives a valid pointer */

/*
 * Makes room for one more element in a growing array: doubles *cap when *cap == count.
 *
 *	ARRAY_GROW(list->items, list->count, list->cap);
 *	list->items[list->count++] = item;
 */
#define ARRAY_GROW(items, count, cap)                                                              \
	((items) = array_grow((items), (count), &(cap), sizeof(*(items))))

NEVER_NULL void *array_grow(void *items, size_t count, size_t *cap, size_t item_size_bytes);

#endif
