/*
 * Is this the same message as a server may have changed it? Pure, streaming.
 *
 * Servers store what they were given with bare LF made CRLF, CRs dropped, a line end added, NUL
 * and 8-bit bytes replaced (docs/SERVERS.md). `whole` is a digest that none of these changes:
 * without CR, without line ends at the end, NUL and every 8-bit byte taken as 'X'. `body` is the
 * same of what follows the first empty line, for servers that add header lines. `exact` is the
 * SHA-256 of the bytes themselves.
 */
#ifndef MAILSTOW_RESTORE_MATCH_FINGERPRINT_H
#define MAILSTOW_RESTORE_MATCH_FINGERPRINT_H

#include <stddef.h>
#include <stdint.h>

#include "base/crypto.h"

struct fingerprint_digests {
	uint64_t size;
	uint8_t exact[SHA256_BYTES];
	uint8_t whole[SHA256_BYTES];
	uint8_t body[SHA256_BYTES];
};

struct fingerprint; /* being taken */

struct fingerprint *fingerprint_new(void);
void fingerprint_freep(struct fingerprint **fingerprint);
void fingerprint_add(struct fingerprint *fingerprint, const uint8_t *data, size_t len);

/* The digests, and begin anew. */
void fingerprint_finish(struct fingerprint *fingerprint, struct fingerprint_digests *ret_digests);

#endif
