/*
 * Digests that recognise a message on a server that may have changed it. Pure, streaming.
 *
 * Some servers turn bare LF into CRLF, drop CRs, add a line end, or replace NUL and 8-bit bytes
 * (docs/SERVERS.md). `whole` is a digest none of these changes: CRs and line ends at the end are
 * left out, NUL and every 8-bit byte count as 'X'. `body` is the same digest of what follows the
 * first empty line, for servers that add header lines. `exact` is the SHA-256 of the bytes.
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

struct fingerprint; /* being computed */

struct fingerprint *fingerprint_new(void);
void fingerprint_freep(struct fingerprint **fingerprint);
void fingerprint_add(struct fingerprint *fingerprint, const uint8_t *data, size_t len);

/* Returns the digests and starts over, for the next message. */
void fingerprint_finish(struct fingerprint *fingerprint, struct fingerprint_digests *ret_digests);

#endif
