/*
 * TCP: name resolution with a deadline (own thread, as getaddrinfo(3) cannot be interrupted), happy
 * eyeballs (RFC 8305: next address after 250 ms, families alternating), TCP_NODELAY, keepalive and
 * TCP_USER_TIMEOUT, non-blocking socket underneath.
 *
 * Every way to fail has its own words:
 *	imap.example.org: no such host name
 *	imap.example.org: name lookup failed for now
 *	imap.example.org: name lookup timed out after 30 s
 *	imap.example.org port 993: connection refused
 *	imap.example.org port 993: timed out after 30 s
 *	imap.example.org port 993: no route
 *	imap.example.org port 993: network unreachable
 * All of these are ERR_RETRY. When addresses fail in different ways, a refusal is told rather than
 * an unreachable network.
 */
#ifndef MAILSTOW_NET_TCP_H
#define MAILSTOW_NET_TCP_H

#include "net/stream.h"

enum {
	TCP_ATTEMPT_DELAY_MS = 250, /* RFC 8305 section 8 */
	TCP_ADDRESSES_MAX = 16,     /* of one name that are tried */
	TCP_KEEPALIVE_IDLE_S = 120,
	TCP_KEEPALIVE_INTERVAL_S = 30,
	TCP_KEEPALIVE_COUNT = 4,
	TCP_USER_TIMEOUT_MS = 120 * 1000,
};

/*
 * "localhost" is ::1 and 127.0.0.1 without asking anybody, so that what tcp_is_loopback() promises
 * holds for the connection too.
 */
bool tcp_connect(const char *host, uint16_t port, struct wait wait, struct stream **ret_stream,
	struct err *err);

/* A connected socket that somebody else made (tests); the stream owns it and makes it non-blocking.
 */
struct stream *tcp_wrap(int fd);

/* Words for a socket that broke with this errno: "connection reset", ... Returns false. */
bool tcp_broken(struct err *err, int errno_value);

/* Does the name mean this machine only ("localhost", 127.0.0.0/8, ::1)? Decides without the
 * network. */
bool tcp_is_loopback(const char *host);

#endif
