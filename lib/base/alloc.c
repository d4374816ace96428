#include "base/alloc.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARRAY_CAP_FIRST = 8 };

static void *never_null(void *memory)
{
	if (!memory) {
		(void)fputs("mailstow: out of memory\n", stderr);
		abort();
	}
	return memory;
}

void *xmalloc(size_t size_bytes)
{
	return never_null(malloc(size_bytes ? size_bytes : 1));
}

void *xcalloc(size_t count, size_t size_bytes)
{
	return never_null(calloc(count ? count : 1, size_bytes ? size_bytes : 1));
}

void *xrealloc(void *old, size_t size_bytes)
{
	return never_null(realloc(old, size_bytes ? size_bytes : 1));
}

char *xstrdup(const char *text)
{
	return never_null(strdup(text));
}

char *xstrndup(const char *text, size_t len)
{
	return never_null(strndup(text, len));
}

void *xmemdup(const void *data, size_t len)
{
	void *copy = xmalloc(len);

	if (len)
		memcpy(copy, data, len);
	return copy;
}

void *array_grow(void *items, size_t count, size_t *cap, size_t item_size_bytes)
{
	size_t wanted;

	if (count < *cap)
		return items;
	wanted = *cap ? *cap * 2 : ARRAY_CAP_FIRST;
	if (wanted > SIZE_MAX / item_size_bytes)
		(void)never_null(NULL);
	*cap = wanted;
	return xrealloc(items, wanted * item_size_bytes);
}
