/*
 * TLS 1.2 and later by OpenSSL. Certificate chain and host name (RFC 9525; IP addresses by their
 * SAN) are always verified; there is no way to turn that off. SNI is sent for names. No
 * renegotiation, no compression, session cache off, SSL_MODE_RELEASE_BUFFERS on.
 *
 * Failures are ERR_SECURITY with words of their own:
 *	certificate is for other.example.org, not imap.example.org
 *	certificate expired on 2026-01-02
 *	certificate is not valid before 2027-01-02
 *	certificate is issued by somebody not trusted: "Test CA"
 *	certificate is self-signed and not trusted
 *	server's key is not the pinned one (its pin is sha256 BASE64)
 *	server speaks no TLS 1.2 or later
 * A connection that breaks during the handshake is ERR_RETRY.
 */
#ifndef MAILSTOW_NET_TLS_H
#define MAILSTOW_NET_TLS_H

#include "net/stream.h"

struct tls_options {
	const char *host;       /* name or address to verify against */
	const char *ca_file;    /* PEM; NULL: the system's */
	const char *pin_sha256; /* base64 or hex of SHA-256 of the SubjectPublicKeyInfo; NULL: none.
				   In addition to, not in place of, the chain, unless the chain ends
				   in a self-signed certificate whose key is the pinned one. */
};

/*
 * Handshake on lower, which must have nothing buffered (STARTTLS injection: a byte read before the
 * switch is ERR_SECURITY). On success *ret_stream owns lower and *lower is NULL; on failure lower
 * is still the caller's and only good for freeing.
 */
bool tls_start(struct stream **lower, const struct tls_options *options, struct wait wait,
	struct stream **ret_stream, struct err *err);

/* Load a CA file to see that it can be used, for configuration checks. */
bool tls_check_ca_file(const char *path, struct err *err);

#endif
