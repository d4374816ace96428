/* Random numbers from the kernel (getrandom(2)) for tags, nonces, uuids and jitter. Aborts if the
 * kernel has none. */
#ifndef MAILSTOW_BASE_RAND_H
#define MAILSTOW_BASE_RAND_H

#include <stddef.h>
#include <stdint.h>

void rand_bytes(void *out, size_t len);

/* Uniform in [0, below); below > 0. */
uint32_t rand_below(uint32_t below);

#endif
