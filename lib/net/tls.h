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
 *	certificate says it is issued by "Test CA" but is not
 *	certificate is self-signed and not trusted
 *	server's key is not the pinned one (its pin is sha256 BASE64)
 *	server speaks no TLS 1.2 or later
 *	TLS handshake failed: OPENSSL'S REASON
 * A connection that breaks during the handshake is ERR_RETRY. A CA file or pin that cannot be used
 *is ERR_CONFIG. After the handshake a record that was tampered with is ERR_SECURITY, an alert of
 *the server ERR_RETRY, and a server that keeps sending records without data ERR_PROTOCOL.
 */
#ifndef MAILSTOW_NET_TLS_H
#define MAILSTOW_NET_TLS_H

#include "net/stream.h"

/* Bytes of records without data (tickets, key updates) taken between two bytes of data. */
enum { TLS_HOUSEKEEPING_MAX_BYTES = 1024 * 1024 };

struct tls_options {
	const char *host;    /* name or address to verify against */
	const char *ca_file; /* PEM; NULL: the system's */
	const char
		*pin_sha256; /* base64 or hex of SHA-256 of the SubjectPublicKeyInfo; NULL: none */
};

/*
 * A pin holds when it is of the server's key, or of the self-signed certificate its chain ends in.
 * It counts in addition to the chain, not in place of it; only a self-signed certificate whose key
 * is the pinned one needs nobody else to vouch for it. Names and dates are verified in any case.
 */

/*
 * Handshake on lower, which must have nothing buffered (STARTTLS injection: a byte that came before
 * the switch, read or still in the kernel, is ERR_SECURITY; what the caller itself has read and not
 * used is the caller's to check). Records go over stream_fd(lower): a wire log below sees no more.
 * On success *ret_stream owns lower and *lower is NULL; on failure lower is still the caller's and
 * only good for freeing.
 */
bool tls_start(struct stream **lower, const struct tls_options *options, struct wait wait,
	struct stream **ret_stream, struct err *err);

/* Load a CA file to see that it can be used, for configuration checks. */
bool tls_check_ca_file(const char *path, struct err *err);

#endif
