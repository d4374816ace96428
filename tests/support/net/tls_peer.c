#include "support/net/tls_peer.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <openssl/err.h>

#include "base/alloc.h"
#include "base/wait.h"

enum { PORT_FIRST = 20000, PORT_COUNT = 12000, BACKLOG = 16 };

struct tls_peer {
	struct tls_peer_options options;
	SSL_CTX *context; /* NULL: plain */
	int listen_fd;
	uint16_t port;
	struct cancel stop;
	pthread_t thread;
	atomic_uint accepted;
};

static void must(bool done, const char *what)
{
	if (done)
		return;
	(void)fprintf(stderr, "tls_peer: %s failed\n", what);
	abort();
}

int tls_peer_listen(int backlog, uint16_t *ret_port)
{
	unsigned begin = (unsigned)getpid() * 31U;

	for (unsigned i = 0; i < PORT_COUNT; i++) {
		uint16_t port = (uint16_t)(PORT_FIRST + (begin + i) % PORT_COUNT);
		struct sockaddr_in address = {
			.sin_family = AF_INET,
			.sin_port = htons(port),
			.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
		};
		int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

		must(fd >= 0, "socket");
		if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) == 0 &&
			listen(fd, backlog) == 0) {
			*ret_port = port;
			return fd;
		}
		(void)close(fd);
	}
	must(false, "finding a free port");
	return -1;
}

bool tls_peer_read(struct tls_peer_conn *conn, void *data, size_t len)
{
	char *at = data;

	while (len > 0) {
		int part = len > INT32_MAX ? INT32_MAX : (int)len;
		ssize_t got =
			conn->ssl ? SSL_read(conn->ssl, at, part) : recv(conn->fd, at, len, 0);

		if (got <= 0)
			return false;
		at += got;
		len -= (size_t)got;
	}
	return true;
}

bool tls_peer_write(struct tls_peer_conn *conn, const void *data, size_t len)
{
	const char *at = data;

	while (len > 0) {
		int part = len > INT32_MAX ? INT32_MAX : (int)len;
		ssize_t sent = conn->ssl ? SSL_write(conn->ssl, at, part)
					 : send(conn->fd, at, len, MSG_NOSIGNAL);

		if (sent <= 0)
			return false;
		at += sent;
		len -= (size_t)sent;
	}
	return true;
}

void tls_peer_make_ssl(struct tls_peer_conn *conn)
{
	ERR_clear_error();
	conn->ssl = SSL_new(conn->peer->context);
	must(conn->ssl != NULL, "SSL_new");
}

bool tls_peer_secure(struct tls_peer_conn *conn)
{
	const char *name;

	tls_peer_make_ssl(conn);
	must(SSL_set_fd(conn->ssl, conn->fd) == 1, "SSL_set_fd");
	if (SSL_accept(conn->ssl) != 1) {
		conn->abrupt = true;
		return false;
	}
	name = SSL_get_servername(conn->ssl, TLSEXT_NAMETYPE_host_name);
	(void)snprintf(conn->sni, sizeof(conn->sni), "%s", name ? name : "");
	return true;
}

static void serve(struct tls_peer *peer, int fd)
{
	static const struct timeval patience = {.tv_sec = TLS_PEER_PATIENCE_S};
	static const int on = 1;
	struct tls_peer_conn conn = {.peer = peer, .fd = fd, .context = peer->options.context};

	(void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	(void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof(patience));
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	atomic_fetch_add(&peer->accepted, 1);
	if (!peer->context || peer->options.late || tls_peer_secure(&conn))
		peer->options.serve(&conn);
	if (conn.ssl && !conn.abrupt)
		(void)SSL_shutdown(conn.ssl);
	SSL_free(conn.ssl);
	(void)close(fd);
}

static void *run(void *argument)
{
	struct tls_peer *peer = argument;
	sigset_t pipe_signal;

	sigemptyset(&pipe_signal);
	sigaddset(&pipe_signal, SIGPIPE);
	(void)pthread_sigmask(SIG_BLOCK, &pipe_signal, NULL);
	for (;;) {
		struct pollfd fds[] = {
			{.fd = peer->listen_fd, .events = POLLIN},
			{.fd = peer->stop.fd, .events = POLLIN},
		};
		int fd;

		if (poll(fds, ARRAY_LEN(fds), -1) < 0)
			continue;
		if (fds[1].revents)
			return NULL;
		fd = accept4(peer->listen_fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			serve(peer, fd);
	}
}

static SSL_CTX *make_context(const struct tls_peer_options *options)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());

	must(context, "SSL_CTX_new");
	if (options->version_max && options->version_max < TLS1_2_VERSION)
		SSL_CTX_set_security_level(context, 0);
	must(SSL_CTX_set_min_proto_version(context, TLS1_VERSION) == 1, "lowest version");
	must(SSL_CTX_set_max_proto_version(context, options->version_max) == 1, "version");
	must(SSL_CTX_use_certificate(context, options->cert->certificate) == 1, "certificate");
	must(SSL_CTX_use_PrivateKey(context, options->cert->key) == 1, "key");
	if (options->issuer)
		must(SSL_CTX_add1_chain_cert(context, options->issuer->certificate) == 1, "chain");
	return context;
}

struct tls_peer *tls_peer_start(const struct tls_peer_options *options)
{
	struct tls_peer *peer = xcalloc(1, sizeof(*peer));

	peer->options = *options;
	peer->context = options->cert ? make_context(options) : NULL;
	peer->listen_fd = tls_peer_listen(BACKLOG, &peer->port);
	must(cancel_init(&peer->stop, NULL), "eventfd");
	must(pthread_create(&peer->thread, NULL, run, peer) == 0, "thread");
	return peer;
}

uint16_t tls_peer_port(const struct tls_peer *peer)
{
	return peer->port;
}

unsigned tls_peer_accepted(const struct tls_peer *peer)
{
	return atomic_load(&peer->accepted);
}

void tls_peer_freep(struct tls_peer **peer)
{
	if (!*peer)
		return;
	cancel_now(&(*peer)->stop);
	(void)pthread_join((*peer)->thread, NULL);
	cancel_close(&(*peer)->stop);
	(void)close((*peer)->listen_fd);
	SSL_CTX_free((*peer)->context);
	free(*peer);
	*peer = NULL;
}
