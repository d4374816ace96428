#include "net/tcp.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/str.h"

struct tcp {
	struct stream stream;
	int fd;
};

static const struct tcp *tcp_of(const struct stream *stream)
{
	return (const struct tcp *)stream;
}

bool tcp_broken(struct err *err, int errno_value)
{
	switch (errno_value) {
	case ECONNRESET:
	case EPIPE:
		return err_set(err, ERR_RETRY, "connection reset");
	case ETIMEDOUT:
		return err_set(err, ERR_RETRY, "connection timed out: the peer does not answer");
	default:
		return err_errno(err, ERR_RETRY, errno_value, "connection broke");
	}
}

static bool tcp_read(struct stream *stream, void *data, size_t max, size_t *ret_len,
	struct wait wait, struct err *err)
{
	int fd = tcp_of(stream)->fd;

	for (;;) {
		ssize_t len = recv(fd, data, max, MSG_DONTWAIT);

		if (len >= 0) {
			*ret_len = (size_t)len;
			return true;
		}
		if (errno != EAGAIN && errno != EINTR)
			return tcp_broken(err, errno);
		if (errno == EAGAIN && !wait_fd(fd, POLLIN, wait, err))
			return false;
	}
}

static bool tcp_write(
	struct stream *stream, const void *data, size_t len, struct wait wait, struct err *err)
{
	int fd = tcp_of(stream)->fd;
	const char *at = data;

	while (len > 0) {
		ssize_t sent = send(fd, at, len, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (sent >= 0) {
			at += sent;
			len -= (size_t)sent;
			continue;
		}
		if (errno != EAGAIN && errno != EINTR)
			return tcp_broken(err, errno);
		if (errno == EAGAIN && !wait_fd(fd, POLLOUT, wait, err))
			return false;
	}
	return true;
}

static int tcp_fd(const struct stream *stream)
{
	return tcp_of(stream)->fd;
}

static void tcp_free(struct stream *stream)
{
	closep(&((struct tcp *)stream)->fd);
	free(stream);
}

static const struct stream_class tcp_class = {
	.name = "tcp",
	.read = tcp_read,
	.write = tcp_write,
	.fd = tcp_fd,
	.free = tcp_free,
};

/* Failures, as with a socket pair, do not matter: the options are not needed for correctness. */
static void set_options(int fd)
{
	static const struct {
		int level, name, value;
	} options[] = {
		{IPPROTO_TCP, TCP_NODELAY, 1},
		{SOL_SOCKET, SO_KEEPALIVE, 1},
		{IPPROTO_TCP, TCP_KEEPIDLE, TCP_KEEPALIVE_IDLE_S},
		{IPPROTO_TCP, TCP_KEEPINTVL, TCP_KEEPALIVE_INTERVAL_S},
		{IPPROTO_TCP, TCP_KEEPCNT, TCP_KEEPALIVE_COUNT},
		{IPPROTO_TCP, TCP_USER_TIMEOUT, TCP_USER_TIMEOUT_MS},
	};

	for (size_t i = 0; i < ARRAY_LEN(options); i++)
		(void)setsockopt(fd, options[i].level, options[i].name, &options[i].value,
			sizeof(options[i].value));
}

struct stream *tcp_wrap(int fd)
{
	struct tcp *tcp = xcalloc(1, sizeof(*tcp));
	int flags = fcntl(fd, F_GETFL);

	assert(flags >= 0);
	(void)fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	set_options(fd);
	*tcp = (struct tcp){.stream = {.class = &tcp_class}, .fd = fd};
	return &tcp->stream;
}

bool tcp_is_loopback(const char *host)
{
	struct in_addr v4;
	struct in6_addr v6;

	if (inet_pton(AF_INET, host, &v4) == 1)
		return (ntohl(v4.s_addr) >> IN_CLASSA_NSHIFT) == IN_LOOPBACKNET;
	if (inet_pton(AF_INET6, host, &v6) == 1)
		return IN6_IS_ADDR_LOOPBACK(&v6);
	return str_equal_case(host, "localhost");
}
