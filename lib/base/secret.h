/*
 * Memory for keys: on pages of its own, kept out of swap (as far as the limits of the process let
 * it) and out of core dumps, cleared when freed.
 */
#ifndef MAILSTOW_BASE_SECRET_H
#define MAILSTOW_BASE_SECRET_H

#include <stddef.h>
#include <stdint.h>

enum { SECRET_BYTES_MAX = 64 * 1024 };

struct secret {
	uint8_t *data;
	size_t len;
	size_t mapped; /* whole pages */
};

/* Zeroed; 1 to SECRET_BYTES_MAX bytes. */
struct secret *secret_new(size_t len);
struct secret *secret_copy(const void *data, size_t len);
void secret_freep(struct secret **secret);

/* No core dumps of this process, nor of those it starts; only root looks into it. What libraries
 * do with passwords, keys and mail lies outside of the pages above. */
void secret_forbid_dumps(void);

#endif
