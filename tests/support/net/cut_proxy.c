#include "support/net/cut_proxy.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/cleanup.h"
#include "support/model/model_internal.h"

enum { PIPE_BYTES = 16 * 1024, FDS_MAX = 2 + 2 * CUT_PROXY_CONNECTIONS_MAX };

/* Bytes read from one side and not yet written to the other. */
struct pipe {
	uint8_t data[PIPE_BYTES];
	size_t at, len;
	bool ended;  /* the reading side is at its end */
	bool passed; /* and the other side was shut down */
};

struct link {
	int fds[2];           /* client, server */
	struct pipe pipes[2]; /* by enum cut_way: to the client, to the server */
	enum { LINK_PASSES, LINK_STALLS, LINK_DRAINS } state;
};

struct cut_proxy {
	pthread_mutex_t lock; /* guards the fields up to the thread */
	bool armed, fired;
	enum cut_way way;
	enum cut_end end;
	uint64_t left;
	uint64_t bytes[2];
	unsigned connections;

	pthread_t thread;
	uint16_t server_port, port;
	int listen_fd, stop_fd;
	struct link *links[CUT_PROXY_CONNECTIONS_MAX]; /* the thread's own */
};

static int dial(uint16_t port)
{
	struct sockaddr_in address = {.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd >= 0 && connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		closep(&fd);
	if (fd >= 0)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return fd;
}

static void link_close(struct link **link, bool reset)
{
	struct linger at_once = {.l_onoff = 1, .l_linger = 0};

	for (size_t i = 0; i < 2; i++) {
		if (reset)
			(void)setsockopt(
				(*link)->fds[i], SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		closep(&(*link)->fds[i]);
	}
	free(*link);
	*link = NULL;
}

static void accept_one(struct cut_proxy *proxy)
{
	int fd = accept4(proxy->listen_fd, NULL, NULL, SOCK_CLOEXEC), on = 1;
	struct link *link;

	if (fd < 0)
		return;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	(void)pthread_mutex_lock(&proxy->lock);
	proxy->connections++;
	(void)pthread_mutex_unlock(&proxy->lock);
	link = xcalloc(1, sizeof(*link));
	link->fds[CUT_TO_CLIENT] = fd;
	link->fds[CUT_TO_SERVER] = dial(proxy->server_port);
	for (size_t i = 0; i < CUT_PROXY_CONNECTIONS_MAX && link; i++)
		if (!proxy->links[i])
			proxy->links[i] = TAKE(link);
}

/* How many of len bytes may pass that way. 0: the cut is here. */
static size_t allowed(struct cut_proxy *proxy, enum cut_way way, size_t len)
{
	(void)pthread_mutex_lock(&proxy->lock);
	if (proxy->armed && proxy->way == way) {
		len = proxy->left < len ? (size_t)proxy->left : len;
		proxy->left -= len;
		proxy->fired = len == 0;
		proxy->armed = len != 0;
	}
	proxy->bytes[way] += len;
	(void)pthread_mutex_unlock(&proxy->lock);
	return len;
}

static void cut(struct cut_proxy *proxy, struct link **link)
{
	(void)pthread_mutex_lock(&proxy->lock);
	enum cut_end end = proxy->end;
	(void)pthread_mutex_unlock(&proxy->lock);

	switch (end) {
	case CUT_FIN:
		/* Not close(): unread bytes would make it a reset. */
		for (size_t i = 0; i < 2; i++)
			(void)shutdown((*link)->fds[i], SHUT_WR);
		(*link)->state = LINK_DRAINS;
		break;
	case CUT_RST:
		link_close(link, true);
		break;
	case CUT_STALL:
		(*link)->state = LINK_STALLS;
		break;
	}
}

static bool would_block(ssize_t done)
{
	return done < 0 && (errno == EAGAIN || errno == EINTR);
}

/* False: the link is gone. */
static bool fill(struct link *link, enum cut_way way)
{
	struct pipe *pipe = &link->pipes[way];
	ssize_t got = recv(link->fds[!way], pipe->data, PIPE_BYTES, MSG_DONTWAIT);

	if (got < 0 && !would_block(got))
		return false;
	pipe->at = 0;
	pipe->len = got > 0 ? (size_t)got : 0;
	pipe->ended = got == 0;
	return true;
}

enum outcome { GOES_ON, CUT_HERE, BROKEN };

static enum outcome empty(struct cut_proxy *proxy, struct link *link, enum cut_way way)
{
	struct pipe *pipe = &link->pipes[way];

	while (pipe->at < pipe->len) {
		size_t len = allowed(proxy, way, pipe->len - pipe->at), done = 0;

		if (len == 0)
			return CUT_HERE;
		while (done < len) {
			ssize_t sent = send(
				link->fds[way], pipe->data + pipe->at, len - done, MSG_NOSIGNAL);

			if (sent < 0 && errno != EINTR)
				return BROKEN;
			done += sent > 0 ? (size_t)sent : 0;
			pipe->at += sent > 0 ? (size_t)sent : 0;
		}
	}
	if (pipe->ended && !pipe->passed)
		(void)shutdown(link->fds[way], SHUT_WR);
	pipe->passed = pipe->ended;
	return GOES_ON;
}

/* Discards all input until both sides have ended. */
static void serve_draining(struct link **link, const struct pollfd fds[2])
{
	uint8_t waste[PIPE_BYTES];

	for (size_t side = 0; side < 2; side++) {
		ssize_t got;

		if (!fds[side].revents)
			continue;
		got = recv((*link)->fds[side], waste, sizeof(waste), MSG_DONTWAIT);
		if (got <= 0 && !would_block(got))
			(*link)->pipes[!side].ended = true;
	}
	if ((*link)->pipes[0].ended && (*link)->pipes[1].ended)
		link_close(link, false);
}

static void serve(struct cut_proxy *proxy, struct link **link, const struct pollfd fds[2])
{
	static const enum cut_way ways[] = {CUT_TO_SERVER, CUT_TO_CLIENT};

	if ((*link)->state == LINK_STALLS) {
		if (fds[CUT_TO_CLIENT].revents)
			link_close(link, false);
		return;
	}
	if ((*link)->state == LINK_DRAINS) {
		serve_draining(link, fds);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(ways); i++) {
		enum cut_way way = ways[i];
		enum outcome outcome;

		if (!fds[!way].revents || (*link)->pipes[way].ended)
			continue;
		outcome = fill(*link, way) ? empty(proxy, *link, way) : BROKEN;
		if (outcome == CUT_HERE)
			cut(proxy, link);
		else if (outcome == BROKEN)
			link_close(link, true);
		if (outcome != GOES_ON)
			return;
	}
	if ((*link)->pipes[0].passed && (*link)->pipes[1].passed)
		link_close(link, false);
}

static size_t free_links(const struct cut_proxy *proxy)
{
	size_t count = 0;

	for (size_t i = 0; i < CUT_PROXY_CONNECTIONS_MAX; i++)
		count += !proxy->links[i];
	return count;
}

/* A stalled link only waits for its client to close. */
static void set_events(const struct link *link, struct pollfd fds[2])
{
	bool stalls = link && link->state == LINK_STALLS;

	for (size_t side = 0; side < 2; side++) {
		bool deaf = !link || link->pipes[!side].ended || (stalls && side == CUT_TO_SERVER);

		fds[side] = (struct pollfd){.fd = deaf ? -1 : link->fds[side],
			.events = (short)(stalls ? POLLRDHUP : POLLIN)};
	}
}

static void *proxy_run(void *context)
{
	struct cut_proxy *proxy = context;
	struct pollfd fds[FDS_MAX];

	for (;;) {
		fds[0] = (struct pollfd){.fd = proxy->stop_fd, .events = POLLIN};
		fds[1] = (struct pollfd){
			.fd = free_links(proxy) ? proxy->listen_fd : -1, .events = POLLIN};
		for (size_t i = 0; i < CUT_PROXY_CONNECTIONS_MAX; i++)
			set_events(proxy->links[i], &fds[2 + 2 * i]);
		if (poll(fds, FDS_MAX, -1) < 0 && errno != EINTR)
			return NULL;
		if (fds[0].revents)
			return NULL;
		for (size_t i = 0; i < CUT_PROXY_CONNECTIONS_MAX; i++)
			if (proxy->links[i] && (fds[2 + 2 * i].revents || fds[3 + 2 * i].revents))
				serve(proxy, &proxy->links[i], &fds[2 + 2 * i]);
		if (fds[1].revents)
			accept_one(proxy);
	}
}

struct cut_proxy *cut_proxy_new(uint16_t server_port)
{
	struct cut_proxy *proxy = xcalloc(1, sizeof(*proxy));

	proxy->server_port = server_port;
	proxy->stop_fd = eventfd(0, EFD_CLOEXEC);
	proxy->listen_fd = wire_listen(&proxy->port);
	if (proxy->stop_fd < 0 || proxy->listen_fd < 0 ||
		pthread_mutex_init(&proxy->lock, NULL) != 0 ||
		pthread_create(&proxy->thread, NULL, proxy_run, proxy) != 0) {
		perror("cut_proxy");
		abort();
	}
	return proxy;
}

void cut_proxy_freep(struct cut_proxy **proxy)
{
	struct cut_proxy *old = *proxy;
	uint64_t one = 1;

	*proxy = NULL;
	if (!old)
		return;
	(void)!write(old->stop_fd, &one, sizeof(one));
	(void)pthread_join(old->thread, NULL);
	for (size_t i = 0; i < CUT_PROXY_CONNECTIONS_MAX; i++)
		if (old->links[i])
			link_close(&old->links[i], false);
	closep(&old->listen_fd);
	closep(&old->stop_fd);
	(void)pthread_mutex_destroy(&old->lock);
	free(old);
}

uint16_t cut_proxy_port(const struct cut_proxy *proxy)
{
	return proxy->port;
}

void cut_proxy_arm(
	struct cut_proxy *proxy, enum cut_way way, uint64_t after_bytes, enum cut_end end)
{
	(void)pthread_mutex_lock(&proxy->lock);
	proxy->armed = true;
	proxy->fired = false;
	proxy->way = way;
	proxy->end = end;
	proxy->left = after_bytes;
	proxy->bytes[0] = 0;
	proxy->bytes[1] = 0;
	(void)pthread_mutex_unlock(&proxy->lock);
}

void cut_proxy_disarm(struct cut_proxy *proxy)
{
	(void)pthread_mutex_lock(&proxy->lock);
	proxy->armed = false;
	(void)pthread_mutex_unlock(&proxy->lock);
}

bool cut_proxy_fired(struct cut_proxy *proxy)
{
	(void)pthread_mutex_lock(&proxy->lock);
	bool fired = proxy->fired;
	(void)pthread_mutex_unlock(&proxy->lock);
	return fired;
}

uint64_t cut_proxy_bytes(struct cut_proxy *proxy, enum cut_way way)
{
	(void)pthread_mutex_lock(&proxy->lock);
	uint64_t bytes = proxy->bytes[way];
	(void)pthread_mutex_unlock(&proxy->lock);
	return bytes;
}

unsigned cut_proxy_connections(struct cut_proxy *proxy)
{
	(void)pthread_mutex_lock(&proxy->lock);
	unsigned connections = proxy->connections;
	(void)pthread_mutex_unlock(&proxy->lock);
	return connections;
}
