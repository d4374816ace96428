/*
 * Host names to addresses. getaddrinfo(3) cannot be interrupted, so it runs in a thread of its own;
 * whoever waits may leave at the deadline or when cancelled, and the thread cleans up behind itself
 * whenever the system's resolver gives up. Room-internal: everybody else uses net/tcp.h.
 */
#ifndef MAILSTOW_NET_RESOLVE_H
#define MAILSTOW_NET_RESOLVE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/wait.h"
#include "net/tcp.h"

enum { RESOLVE_UNDER_WAY_MAX = 256 }; /* lookups, those that nobody waits for included */

struct address {
	struct sockaddr_storage sockaddr;
	socklen_t len;
};

struct address_list {
	struct address items[TCP_ADDRESSES_MAX];
	size_t count;
};

/*
 * The addresses of host in the order to try them: as the system sorted them (RFC 6724), families
 * alternating (RFC 8305 section 4). Literal addresses and "localhost" need no lookup. At least one
 * address on success; errors are ERR_RETRY or ERR_CANCELLED.
 */
bool resolve(const char *host, uint16_t port, struct wait wait, struct address_list *ret_list,
	struct err *err);

#endif
