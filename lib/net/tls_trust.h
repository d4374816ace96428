/*
 * Trust: TLS contexts with their CA certificates, the checks of one handshake, and error texts for
 * a bad certificate. Only net/tls.c uses this.
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
 * The context of this CA file (NULL: the system's), shared by all connections and reloaded when the
 * file has changed. Thread safe. The caller frees its reference. ERR_CONFIG.
 */
bool tls_context(const char *ca_file, SSL_CTX **ret_context, struct err *err);

/* What one handshake requires, and what was wrong. Must live as long as the handshake. */
struct tls_trust {
	char *host; /* without a trailing dot */
	bool has_pin;
	uint8_t pin[SHA256_BYTES];
	struct err err; /* why verification failed; ERR_NONE: it did not */
};

/* Makes ssl verify host and chain, and send SNI. ERR_CONFIG. */
bool tls_trust_begin(
	struct tls_trust *trust, const struct tls_options *options, SSL *ssl, struct err *err);

/* Checks the pin after the handshake. ERR_SECURITY. */
bool tls_trust_pinned(const struct tls_trust *trust, SSL *ssl, struct err *err);

void tls_trust_free(struct tls_trust *trust); /* also for CLEANUP() */

#endif
