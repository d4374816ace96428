#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/str.h"
#include "net/tcp.h"
#include "support/check.h"
#include "support/net/tls_peer.h"

enum { SOON_MS = 100, LONG_MS = 60000, BULK_BYTES = 8 * 1024 * 1024, CHUNK_BYTES = 64 * 1024 };

/* --- helpers --- */

/* One end as a stream, the other as a socket. */
static struct stream *make_pair(int *ret_other)
{
	int fds[2];

	CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	*ret_other = fds[1];
	return tcp_wrap(fds[0]);
}

static void *cancel_soon(void *cancel)
{
	(void)usleep(SOON_MS * 1000);
	cancel_now(cancel);
	return NULL;
}

/* A listener whose queue is full: the next connection gets no answer. */
static void make_black_hole(int fds[4], uint16_t *ret_port)
{
	struct sockaddr_storage address;
	socklen_t len = sizeof(address);

	fds[0] = tls_peer_listen(0, ret_port);
	CHECK_INT(getsockname(fds[0], (struct sockaddr *)&address, &len), 0);
	for (int i = 1; i < 4; i++) {
		fds[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
		(void)!connect(fds[i], (const struct sockaddr *)&address, len);
	}
}

static void close_all(int *fds, size_t count)
{
	for (size_t i = 0; i < count; i++)
		closep(&fds[i]);
}

static void echo(struct tls_peer_conn *conn)
{
	char byte;

	while (tls_peer_read(conn, &byte, 1) && tls_peer_write(conn, &byte, 1))
		;
}

/* --- promises --- */

static void bytes_pass_both_ways_over_tcp(void)
{
	CLEANUP(tls_peer_freep)
	struct tls_peer *peer = tls_peer_start(&(struct tls_peer_options){.serve = echo});
	CLEANUP(stream_freep) struct stream *stream = NULL;
	struct wait wait = wait_for(LONG_MS, NULL);
	struct err err = ERR_INIT;
	char got[8];
	size_t len;

	CHECK_OK(tcp_connect("127.0.0.1", tls_peer_port(peer), wait, &stream, &err));
	CHECK_OK(stream_write(stream, "x", 1, wait, &err));
	CHECK_OK(stream_read(stream, got, sizeof(got), &len, wait, &err));
	CHECK(len == 1 && got[0] == 'x');
	CHECK(!stream_is_secure(stream));
	CHECK_INT(stream_buffered(stream), 0);
	CHECK(!stream_has_input(stream));
	stream_park(stream);
}

static int option_of(const struct stream *stream, int level, int name)
{
	int value = -1;
	socklen_t len = sizeof(value);

	CHECK_INT(getsockopt(stream_fd(stream), level, name, &value, &len), 0);
	return value;
}

static void the_kernel_notices_a_vanished_peer(void)
{
	CLEANUP(tls_peer_freep)
	struct tls_peer *peer = tls_peer_start(&(struct tls_peer_options){.serve = echo});
	CLEANUP(stream_freep) struct stream *stream = NULL;
	struct err err = ERR_INIT;

	CHECK_OK(tcp_connect(
		"127.0.0.1", tls_peer_port(peer), wait_for(LONG_MS, NULL), &stream, &err));
	CHECK(option_of(stream, IPPROTO_TCP, TCP_NODELAY) > 0);
	CHECK(option_of(stream, SOL_SOCKET, SO_KEEPALIVE) > 0);
	CHECK_INT(option_of(stream, IPPROTO_TCP, TCP_KEEPIDLE), TCP_KEEPALIVE_IDLE_S);
	CHECK_INT(option_of(stream, IPPROTO_TCP, TCP_KEEPINTVL), TCP_KEEPALIVE_INTERVAL_S);
	CHECK_INT(option_of(stream, IPPROTO_TCP, TCP_KEEPCNT), TCP_KEEPALIVE_COUNT);
	CHECK_INT(option_of(stream, IPPROTO_TCP, TCP_USER_TIMEOUT), TCP_USER_TIMEOUT_MS);
}

static void localhost_falls_back_to_the_other_family(void)
{
	CLEANUP(tls_peer_freep)
	struct tls_peer *peer = tls_peer_start(&(struct tls_peer_options){.serve = echo});
	CLEANUP(stream_freep) struct stream *stream = NULL;
	struct err err = ERR_INIT;

	CHECK_OK(tcp_connect(
		"LocalHost", tls_peer_port(peer), wait_for(LONG_MS, NULL), &stream, &err));
}

static void refused_connection_says_so(void)
{
	struct stream *stream = NULL;
	struct err err = ERR_INIT;
	CLEANUP(freep) char *wanted = NULL;
	uint16_t port;
	int fd = tls_peer_listen(1, &port);

	closep(&fd);
	CHECK(!tcp_connect("localhost", port, wait_for(LONG_MS, NULL), &stream, &err));
	wanted = str_printf("localhost port %u: connection refused", (unsigned)port);
	CHECK_STR(err.text, wanted);
	CHECK_INT(err.kind, ERR_RETRY);
	CHECK(!stream);
}

static void silent_host_times_out(void)
{
	struct stream *stream = NULL;
	struct err err = ERR_INIT;
	CLEANUP(freep) char *wanted = NULL;
	uint16_t port;
	int fds[4];

	make_black_hole(fds, &port);
	CHECK(!tcp_connect("127.0.0.1", port, wait_for(1000, NULL), &stream, &err));
	wanted = str_printf("127.0.0.1 port %u: timed out after 1 s", (unsigned)port);
	CHECK_STR(err.text, wanted);
	CHECK_INT(err.kind, ERR_RETRY);
	close_all(fds, ARRAY_LEN(fds));
}

static void connecting_can_be_cancelled(void)
{
	CLEANUP(cancel_close) struct cancel cancel;
	struct stream *stream = NULL;
	struct err err = ERR_INIT;
	pthread_t thread;
	uint16_t port;
	int fds[4];

	make_black_hole(fds, &port);
	CHECK_OK(cancel_init(&cancel, &err));
	CHECK_INT(pthread_create(&thread, NULL, cancel_soon, &cancel), 0);
	CHECK(!tcp_connect("127.0.0.1", port, wait_for(LONG_MS, &cancel), &stream, &err));
	CHECK_INT(err.kind, ERR_CANCELLED);
	(void)pthread_join(thread, NULL);
	CHECK(!tcp_connect("127.0.0.1", port, wait_for(LONG_MS, &cancel), &stream, &err));
	CHECK_INT(err.kind, ERR_CANCELLED);
	close_all(fds, ARRAY_LEN(fds));
}

static void reading_ends_at_the_deadline(void)
{
	CLEANUP(closep) int other = -1;
	CLEANUP(stream_freep) struct stream *stream = make_pair(&other);
	struct err err = ERR_INIT;
	char byte;
	size_t len = 77;

	CHECK(!stream_read(stream, &byte, 1, &len, wait_for(SOON_MS, NULL), &err));
	CHECK_STR(err.text, "timed out");
	CHECK_INT(err.kind, ERR_RETRY);
	CHECK_INT(len, 77);
}

static void reading_can_be_cancelled_while_it_waits_and_before(void)
{
	CLEANUP(closep) int other = -1;
	CLEANUP(stream_freep) struct stream *stream = make_pair(&other);
	CLEANUP(cancel_close) struct cancel cancel;
	struct err err = ERR_INIT;
	pthread_t thread;
	char byte;
	size_t len;

	CHECK_OK(cancel_init(&cancel, &err));
	CHECK_INT(pthread_create(&thread, NULL, cancel_soon, &cancel), 0);
	CHECK(!stream_read(stream, &byte, 1, &len, wait_for(LONG_MS, &cancel), &err));
	CHECK_INT(err.kind, ERR_CANCELLED);
	(void)pthread_join(thread, NULL);
	CHECK_INT(write(other, "x", 1), 1);
	CHECK(!stream_read(stream, &byte, 1, &len, wait_for(LONG_MS, &cancel), &err));
	CHECK_INT(err.kind, ERR_CANCELLED);
}

static void a_deadline_of_now_takes_what_has_arrived(void)
{
	CLEANUP(closep) int other = -1;
	CLEANUP(stream_freep) struct stream *stream = make_pair(&other);
	struct err err = ERR_INIT;
	char got[8];
	size_t len;

	CHECK_INT(write(other, "abc", 3), 3);
	CHECK(stream_has_input(stream));
	CHECK_OK(stream_read(stream, got, sizeof(got), &len, wait_for(0, NULL), &err));
	CHECK_INT(len, 3);
	CHECK(!stream_has_input(stream));
}

static void end_of_stream_is_no_error(void)
{
	CLEANUP(closep) int other = -1;
	CLEANUP(stream_freep) struct stream *stream = make_pair(&other);
	struct err err = ERR_INIT;
	char byte;
	size_t len = 77;

	closep(&other);
	CHECK(stream_has_input(stream));
	CHECK_OK(stream_read(stream, &byte, 1, &len, wait_for(LONG_MS, NULL), &err));
	CHECK_INT(len, 0);
}

static void writing_to_a_closed_peer_is_an_error_not_a_signal(void)
{
	CLEANUP(closep) int other = -1;
	CLEANUP(stream_freep) struct stream *stream = make_pair(&other);
	struct err err = ERR_INIT;

	closep(&other);
	CHECK(!stream_write(stream, "x", 1, wait_for(LONG_MS, NULL), &err));
	CHECK_STR(err.text, "connection reset");
	CHECK_INT(err.kind, ERR_RETRY);
}

static void writing_to_a_peer_that_reads_nothing_ends_at_the_deadline(void)
{
	CLEANUP(closep) int other = -1;
	CLEANUP(stream_freep) struct stream *stream = make_pair(&other);
	CLEANUP(freep) char *bulk = xcalloc(1, BULK_BYTES);
	struct err err = ERR_INIT;

	CHECK(!stream_write(stream, bulk, BULK_BYTES, wait_for(SOON_MS, NULL), &err));
	CHECK_STR(err.text, "timed out");
}

static void reset(struct tls_peer_conn *conn)
{
	static const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
	char byte;

	(void)tls_peer_read(conn, &byte, 1);
	(void)setsockopt(conn->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

static void reset_connection_says_so(void)
{
	CLEANUP(tls_peer_freep)
	struct tls_peer *peer = tls_peer_start(&(struct tls_peer_options){.serve = reset});
	CLEANUP(stream_freep) struct stream *stream = NULL;
	struct wait wait = wait_for(LONG_MS, NULL);
	struct err err = ERR_INIT;
	char byte;
	size_t len;

	CHECK_OK(tcp_connect("127.0.0.1", tls_peer_port(peer), wait, &stream, &err));
	CHECK_OK(stream_write(stream, "x", 1, wait, &err));
	CHECK(!stream_read(stream, &byte, 1, &len, wait, &err));
	CHECK_STR(err.text, "connection reset");
	CHECK_INT(err.kind, ERR_RETRY);
}

static void every_socket_failure_has_its_own_text(void)
{
	struct err err = ERR_INIT;

	CHECK(!tcp_broken(&err, EPIPE));
	CHECK_STR(err.text, "connection reset");
	CHECK(!tcp_broken(&err, ETIMEDOUT));
	CHECK_STR(err.text, "connection timed out: the peer does not answer");
	CHECK(!tcp_broken(&err, EHOSTUNREACH));
	CHECK_STR(err.text, "connection broke: No route to host");
	CHECK_INT(err.kind, ERR_RETRY);
}

static void *drain(void *fd_at)
{
	static char chunk[CHUNK_BYTES];
	uint32_t sum = 0;
	ssize_t len;

	while ((len = read(*(int *)fd_at, chunk, sizeof(chunk))) > 0)
		for (ssize_t i = 0; i < len; i++)
			sum = sum * 31 + (uint8_t)chunk[i];
	*(uint32_t *)fd_at = sum;
	return NULL;
}

static void large_write_arrives_whole(void)
{
	CLEANUP(closep) int other = -1;
	CLEANUP(stream_freep) struct stream *stream = make_pair(&other);
	CLEANUP(freep) uint8_t *bulk = xmalloc(BULK_BYTES);
	struct err err = ERR_INIT;
	pthread_t thread;
	uint32_t wanted = 0;
	int fd_then_sum = other;

	for (size_t i = 0; i < BULK_BYTES; i++) {
		bulk[i] = (uint8_t)(i * 7 + i / 251);
		wanted = wanted * 31 + bulk[i];
	}
	CHECK_INT(pthread_create(&thread, NULL, drain, &fd_then_sum), 0);
	CHECK_OK(stream_write(stream, bulk, BULK_BYTES, wait_for(LONG_MS, NULL), &err));
	stream_freep(&stream);
	(void)pthread_join(thread, NULL);
	CHECK_INT((uint32_t)fd_then_sum, wanted);
}

static void only_names_of_this_machine_are_loopback(void)
{
	static const char *const yes[] = {
		"localhost", "LOCALHOST", "127.0.0.1", "127.255.0.9", "::1"};
	static const char *const no[] = {"", "localhost.example.org", "notlocalhost", "128.0.0.1",
		"10.0.0.1", "0.0.0.0", "::", "::2", "127.1", "127.0.0.1.example.org"};

	for (size_t i = 0; i < ARRAY_LEN(yes); i++)
		CHECK(tcp_is_loopback(yes[i]));
	for (size_t i = 0; i < ARRAY_LEN(no); i++)
		CHECK(!tcp_is_loopback(no[i]));
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(bytes_pass_both_ways_over_tcp),
		PROMISE(the_kernel_notices_a_vanished_peer),
		PROMISE(localhost_falls_back_to_the_other_family),
		PROMISE(refused_connection_says_so),
		PROMISE(silent_host_times_out),
		PROMISE(connecting_can_be_cancelled),
		PROMISE(reading_ends_at_the_deadline),
		PROMISE(reading_can_be_cancelled_while_it_waits_and_before),
		PROMISE(a_deadline_of_now_takes_what_has_arrived),
		PROMISE(end_of_stream_is_no_error),
		PROMISE(writing_to_a_closed_peer_is_an_error_not_a_signal),
		PROMISE(writing_to_a_peer_that_reads_nothing_ends_at_the_deadline),
		PROMISE(reset_connection_says_so),
		PROMISE(every_socket_failure_has_its_own_text),
		PROMISE(large_write_arrives_whole),
		PROMISE(only_names_of_this_machine_are_loopback),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
