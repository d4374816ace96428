/*
 * Memory for keys: on its own pages, kept out of swap (as far as RLIMIT_MEMLOCK allows) and out of
 * core dumps, cleared when freed.
 */
#ifndef MAILSTOW_BASE_SECRET_H
#define MAILSTOW_BASE_SECRET_H

#include <stddef.h>
#include <stdint.h>

enum { SECRET_BYTES_MAX = 64 * 1024 };

struct secret {
	uint8_t *data;
	size_t len;
	size_t mapped; /* bytes of whole pages */
};

/* Zeroed; 1 to SECRET_BYTES_MAX bytes. */
struct secret *secret_new(size_t len);
struct secret *secret_copy(const void *data, size_t len);
void secret_freep(struct secret **secret);

/* Turns off core dumps of this process and its children; only root can trace it. Needed as
 * libraries keep passwords, keys and mail outside of the pages above. */
void secret_forbid_dumps(void);

#endif
