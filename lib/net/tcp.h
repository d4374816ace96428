/*
 * TCP: name resolution with a deadline (own thread, as getaddrinfo(3) cannot be interrupted), happy
 * eyeballs (RFC 8305: next address after 250 ms, families alternating), TCP_NODELAY, keepalive and
 * TCP_USER_TIMEOUT, non-blocking socket underneath.
 *
 * Every way to fail has its own words:
 *	imap.example.org: no such host name
 *	imap.example.org port 993: connection refused
 *	imap.example.org port 993: timed out after 30 s
 *	imap.example.org port 993: no route / network unreachable
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

bool tcp_connect(const char *host, uint16_t port, struct wait wait, struct stream **ret_stream,
	struct err *err);

/* A connected socket that somebody else made (tests); the stream owns it and makes it non-blocking.
 */
struct stream *tcp_wrap(int fd);

/* Does the name mean this machine only ("localhost", 127.0.0.0/8, ::1)? Decides without the
 * network. */
bool tcp_is_loopback(const char *host);

#endif
