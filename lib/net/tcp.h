/*
 * TCP: name resolution with a deadline (in a thread, as getaddrinfo(3) cannot be interrupted),
 * happy eyeballs (RFC 8305: next address after 250 ms, families alternating), TCP_NODELAY,
 * keepalive and TCP_USER_TIMEOUT, on a non-blocking socket.
 *
 * Every failure has its own text:
 *	imap.example.org: no such host name
 *	imap.example.org: name lookup failed temporarily
 *	imap.example.org: name lookup timed out after 30 s
 *	imap.example.org port 993: connection refused
 *	imap.example.org port 993: timed out after 30 s
 *	imap.example.org port 993: no route to host
 *	imap.example.org port 993: network unreachable
 * All of these are ERR_RETRY. If addresses fail in different ways, the text reports a refusal
 * rather than an unreachable network.
 */
#ifndef MAILSTOW_NET_TCP_H
#define MAILSTOW_NET_TCP_H

#include "net/stream.h"

enum {
	TCP_ATTEMPT_DELAY_MS = 250, /* RFC 8305 section 8 */
	TCP_ADDRESSES_MAX = 16,     /* addresses of one name to try */
	TCP_KEEPALIVE_IDLE_S = 120,
	TCP_KEEPALIVE_INTERVAL_S = 30,
	TCP_KEEPALIVE_COUNT = 4,
	TCP_USER_TIMEOUT_MS = 120 * 1000,
};

/*
 * Connects to host. "localhost" is ::1 and 127.0.0.1 without a lookup, so that the promise of
 * tcp_is_loopback() holds for the connection.
 */
bool tcp_connect(const char *host, uint16_t port, struct wait wait, struct stream **ret_stream,
	struct err *err);

/* Wraps a connected socket; the stream owns it and makes it non-blocking. */
struct stream *tcp_wrap(int fd);

/* Sets err for a socket that failed with this errno: "connection reset", ... Returns false. */
bool tcp_broken(struct err *err, int errno_value);

/* Does host mean this machine only ("localhost", 127.0.0.0/8, ::1)? Does not use the network. */
bool tcp_is_loopback(const char *host);

#endif
