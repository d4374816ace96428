/*
 * Shared by the TLS tests: a CA, a certificate for "imap.example.org" signed by it, a self-signed
 * one, and a client that connects to a tls_peer. Uses CHECK: call it from the promise.
 */
#ifndef MAILSTOW_TESTS_SUPPORT_NET_TLS_FIXTURE_H
#define MAILSTOW_TESTS_SUPPORT_NET_TLS_FIXTURE_H

#include "net/tls.h"
#include "support/net/testcert.h"
#include "support/net/tls_peer.h"

enum { TLS_FIXTURE_LONG_MS = 60000 };

struct tls_fixture {
	const char *host;
	struct testcert *ca; /* "Test CA" */
	struct testcert *server;
	struct testcert *self_signed;
	char *ca_file;
};

extern struct tls_fixture tls_fixture;

void tls_fixture_open(void);
void tls_fixture_close(void);

/* A path in the folder of this test. The caller frees. */
char *tls_fixture_file(const char *name);

/* For a peer: sends "hello", waits for "ok". And the client's half. */
void tls_fixture_greet(struct tls_peer_conn *conn);
void tls_fixture_check_greeting(struct stream *stream);

/* Connect and tls_start(). */
bool tls_fixture_secure(const struct tls_peer *peer, const struct tls_options *options,
	struct stream **ret_stream, struct err *err);

#endif
