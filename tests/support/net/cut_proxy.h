/*
 * A proxy thread between a client and a TCP server on 127.0.0.1 that counts bytes and breaks the
 * connection where the test wants it.
 *
 *	struct cut_proxy *proxy = cut_proxy_new(dovecot_port);
 *	cut_proxy_arm(proxy, CUT_TO_CLIENT, 1000, CUT_RST);
 *	... connect to cut_proxy_port(proxy) ...
 *	CHECK(cut_proxy_fired(proxy));
 *	cut_proxy_freep(&proxy);
 *
 * Thread safe. Serves up to CUT_PROXY_CONNECTIONS_MAX connections at a time; more wait in the
 * backlog.
 */
#ifndef MAILSTOW_TESTS_SUPPORT_NET_CUT_PROXY_H
#define MAILSTOW_TESTS_SUPPORT_NET_CUT_PROXY_H

#include <stdbool.h>
#include <stdint.h>

enum { CUT_PROXY_CONNECTIONS_MAX = 16 };

enum cut_way { CUT_TO_CLIENT, CUT_TO_SERVER };
enum cut_end { CUT_FIN, CUT_RST, CUT_STALL };

struct cut_proxy;

struct cut_proxy *cut_proxy_new(uint16_t server_port); /* aborts when it cannot listen */
void cut_proxy_freep(struct cut_proxy **proxy);        /* drops every connection */
uint16_t cut_proxy_port(const struct cut_proxy *proxy);

/*
 * Once, after exactly `after_bytes` more bytes in that direction over all connections, breaks the
 * connection that would pass the next byte, in both directions. STALL: nothing passes any more; the
 * connection closes when the client closes it or the proxy ends.
 */
void cut_proxy_arm(
	struct cut_proxy *proxy, enum cut_way way, uint64_t after_bytes, enum cut_end end);
void cut_proxy_disarm(struct cut_proxy *proxy);
bool cut_proxy_fired(struct cut_proxy *proxy);

/* Bytes passed since the proxy began or since the last cut_proxy_arm(). */
uint64_t cut_proxy_bytes(struct cut_proxy *proxy, enum cut_way way);
unsigned cut_proxy_connections(struct cut_proxy *proxy); /* accepted so far */

#endif
