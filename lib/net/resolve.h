/*
 * Host names to addresses. getaddrinfo(3) cannot be interrupted, so it runs in its own thread. The
 * caller may leave at the deadline or when cancelled; the thread frees everything when the system's
 * resolver returns. Only net/connect.c uses this; other code uses net/tcp.h.
 */
#ifndef MAILSTOW_NET_RESOLVE_H
#define MAILSTOW_NET_RESOLVE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/wait.h"
#include "net/tcp.h"

enum { RESOLVE_UNDER_WAY_MAX = 256 }; /* lookups, abandoned ones included */

struct address {
	struct sockaddr_storage sockaddr;
	socklen_t len;
};

struct address_list {
	struct address items[TCP_ADDRESSES_MAX];
	size_t count;
};

/*
 * Finds the addresses of host in the order to try them: as the system sorts them (RFC 6724), with
 * families alternating (RFC 8305 section 4). Literal addresses and "localhost" need no lookup. At
 * least one address on success; errors are ERR_RETRY or ERR_CANCELLED.
 */
bool resolve(const char *host, uint16_t port, struct wait wait, struct address_list *ret_list,
	struct err *err);

#endif
