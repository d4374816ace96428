/*
 * A server in a thread of this process, TLS or plain, on a free loopback port below 32768. It takes
 * one connection at a time and passes it to `serve`, which runs in that thread and must not use
 * CHECK. Its sockets block, but no call longer than TLS_PEER_PATIENCE_S.
 *
 *	static void greet(struct tls_peer_conn *conn)
 *	{
 *		(void)tls_peer_write(conn, "* OK hello\r\n", 12);
 *	}
 *
 *	CLEANUP(tls_peer_freep) struct tls_peer *peer =
 *		tls_peer_start(&(struct tls_peer_options){.cert = server, .serve = greet});
 *	... connect to 127.0.0.1, tls_peer_port(peer) ...
 */
#ifndef MAILSTOW_TESTS_SUPPORT_NET_TLS_PEER_H
#define MAILSTOW_TESTS_SUPPORT_NET_TLS_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <openssl/ssl.h>

#include "support/net/testcert.h"

enum { TLS_PEER_PATIENCE_S = 60, TLS_PEER_NAME_MAX = 256 };

struct tls_peer;

struct tls_peer_conn {
	struct tls_peer *peer;
	int fd;
	SSL *ssl;                    /* NULL: not encrypted (yet) */
	void *context;               /* as in the options */
	bool abrupt;                 /* set by serve: close without close_notify */
	char sni[TLS_PEER_NAME_MAX]; /* what the client asked for, "" when nothing */
};

struct tls_peer_options {
	const struct testcert *cert;   /* NULL: plain. Must outlive the peer */
	const struct testcert *issuer; /* sent along with cert; NULL: none */
	int version_max;               /* TLS1_1_VERSION, ...; 0: the newest */
	bool late;                     /* serve itself calls tls_peer_secure() (STARTTLS) */
	void (*serve)(struct tls_peer_conn *conn);
	void *context;
};

struct tls_peer *tls_peer_start(const struct tls_peer_options *options);
uint16_t tls_peer_port(const struct tls_peer *peer);
unsigned tls_peer_accepted(const struct tls_peer *peer); /* connections so far */

/* Stops accepting and waits for the current connection. NULL is allowed. */
void tls_peer_freep(struct tls_peer **peer);

/* Handshake on a connection that is still plain. */
bool tls_peer_secure(struct tls_peer_conn *conn);

/* Its first step only, for tests that put their own BIO below conn->ssl. */
void tls_peer_make_ssl(struct tls_peer_conn *conn);

/* All of it or false. */
bool tls_peer_read(struct tls_peer_conn *conn, void *data, size_t len);
bool tls_peer_write(struct tls_peer_conn *conn, const void *data, size_t len);

/* A socket that listens on a free port of 127.0.0.1 between 20000 and 32000. The caller closes. */
int tls_peer_listen(int backlog, uint16_t *ret_port);

#endif
