/*
 * TLS 1.2 and later by OpenSSL. Certificate chain and host name (RFC 9525; IP addresses by their
 * SAN) are always verified; there is no way to turn that off. SNI is sent for names. No
 * renegotiation, no compression, session cache off, SSL_MODE_RELEASE_BUFFERS on.
 *
 * Failures are ERR_SECURITY, each with its own text:
 *	certificate is for other.example.org, not imap.example.org
 *	certificate expired on 2026-01-02
 *	certificate is not valid before 2027-01-02
 *	certificate's issuer is not trusted: "Test CA"
 *	certificate names "Test CA" as its issuer, but the signature is not that CA's
 *	certificate is self-signed and not trusted
 *	server's key is not the pinned one (its pin is sha256 BASE64)
 *	server does not support TLS 1.2 or later
 *	TLS handshake failed: OPENSSL'S REASON
 * A connection that breaks during the handshake is ERR_RETRY, an unusable CA file or pin
 * ERR_CONFIG. After the handshake, a forged record is ERR_SECURITY, an alert of the server
 * ERR_RETRY, and a server that keeps sending records without data ERR_PROTOCOL.
 */
#ifndef MAILSTOW_NET_TLS_H
#define MAILSTOW_NET_TLS_H

#include "net/stream.h"

/* Bytes of records without data (tickets, key updates) allowed between two bytes of data. */
enum { TLS_HOUSEKEEPING_MAX_BYTES = 1024 * 1024 };

struct tls_options {
	const char *host;    /* name or address to verify against */
	const char *ca_file; /* PEM; NULL: the system's */
	const char
		*pin_sha256; /* base64 or hex of SHA-256 of the SubjectPublicKeyInfo; NULL: none */
};

/*
 * A pin must match the server's key, or the key of the self-signed certificate that ends its chain.
 * It is checked in addition to the chain. Only a self-signed certificate with the pinned key needs
 * no trusted issuer. Names and dates are verified in any case.
 */

/*
 * Runs the handshake on lower, which must hold no bytes: one that arrived before the switch, in a
 * layer or in the kernel, is ERR_SECURITY (STARTTLS injection). The caller checks what it has read
 * itself. Records go straight over stream_fd(lower), so a wire log below TLS sees nothing further.
 * On success *ret_stream owns lower and *lower is NULL; on failure the caller keeps lower and may
 * only free it.
 */
bool tls_start(struct stream **lower, const struct tls_options *options, struct wait wait,
	struct stream **ret_stream, struct err *err);

/* Loads a CA file to check that it is usable, for checks of the configuration. */
bool tls_check_ca_file(const char *path, struct err *err);

#endif
