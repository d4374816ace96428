/*
 * Whom TLS believes: contexts with their CA certificates, checks of one handshake, and words for
 * what is wrong with a certificate. Room-internal, for net/tls.c.
 */
#ifndef MAILSTOW_NET_TLS_TRUST_H
#define MAILSTOW_NET_TLS_TRUST_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "base/crypto.h"
#include "base/err.h"
#include "net/tls.h"

enum { TLS_CONTEXTS_MAX = 64 }; /* kept for reuse, one for each CA file */

/*
 * The context of this CA file (NULL: the system's), shared by all connections and loaded anew when
 * the file changed. Thread safe. The caller frees its reference. ERR_CONFIG.
 */
bool tls_context(const char *ca_file, SSL_CTX **ret_context, struct err *err);

/* What one handshake must meet, and what was found wrong. Lives as long as the handshake. */
struct tls_trust {
	char *host; /* without the dot of the root */
	bool has_pin;
	uint8_t pin[SHA256_BYTES];
	struct err err; /* why verification failed; ERR_NONE: it did not */
};

/* Make ssl verify host and chain, and send SNI. ERR_CONFIG. */
bool tls_trust_begin(
	struct tls_trust *trust, const struct tls_options *options, SSL *ssl, struct err *err);

/* After the handshake: does the pin hold? ERR_SECURITY. */
bool tls_trust_pinned(const struct tls_trust *trust, SSL *ssl, struct err *err);

void tls_trust_free(struct tls_trust *trust); /* also for CLEANUP() */

#endif
