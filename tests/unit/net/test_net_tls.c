#include <poll.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/str.h"
#include "net/tcp.h"
#include "support/check.h"
#include "support/net/tls_fixture.h"

enum {
	SOON_MS = 100,
	BULK_BYTES = 8 * 1024 * 1024,
	CHUNK_BYTES = 64 * 1024,
	RECORD_BYTES = 16 * 1024,
};

static atomic_bool sent; /* the peer has written all it has to say */
static int closed[2];    /* a pipe: the client has closed */

/* Over loopback, bytes the peer has written are in the client's socket. */
static void wait_until_sent(void)
{
	while (!atomic_load(&sent))
		(void)usleep(1000);
	atomic_store(&sent, false);
}

static struct tls_peer *start(const struct testcert *cert, void (*serve)(struct tls_peer_conn *))
{
	return tls_peer_start(&(struct tls_peer_options){.cert = cert, .serve = serve});
}

static struct stream *open_stream(const struct tls_peer *peer)
{
	struct tls_options options = {.host = tls_fixture.host, .ca_file = tls_fixture.ca_file};
	struct stream *stream = NULL;
	struct err err = ERR_INIT;

	CHECK_OK(tls_fixture_secure(peer, &options, &stream, &err));
	return stream;
}

static void say_nothing(struct tls_peer_conn *conn)
{
	char byte;

	while (tls_peer_read(conn, &byte, 1))
		;
}

static void close_cleanly(struct tls_peer_conn *conn)
{
	(void)tls_peer_write(conn, "bye", 3);
}

static void close_abruptly(struct tls_peer_conn *conn)
{
	(void)tls_peer_write(conn, "bye", 3);
	conn->abrupt = true;
}

static void clean_close_is_the_end(void)
{
	CLEANUP(tls_peer_freep) struct tls_peer *peer = start(tls_fixture.server, close_cleanly);
	CLEANUP(stream_freep) struct stream *stream = open_stream(peer);
	struct wait wait = wait_for(TLS_FIXTURE_LONG_MS, NULL);
	struct err err = ERR_INIT;
	char got[16];
	size_t len;

	CHECK_OK(stream_read(stream, got, sizeof(got), &len, wait, &err));
	CHECK_INT(len, 3);
	CHECK_OK(stream_read(stream, got, sizeof(got), &len, wait, &err));
	CHECK_INT(len, 0);
	CHECK_OK(stream_read(stream, got, sizeof(got), &len, wait, &err));
	CHECK_INT(len, 0);
	CHECK(stream_has_input(stream));
}

static void closing_without_close_notify_is_an_error(void)
{
	CLEANUP(tls_peer_freep) struct tls_peer *peer = start(tls_fixture.server, close_abruptly);
	CLEANUP(stream_freep) struct stream *stream = open_stream(peer);
	struct wait wait = wait_for(TLS_FIXTURE_LONG_MS, NULL);
	struct err err = ERR_INIT;
	char got[16];
	size_t len;

	CHECK_OK(stream_read(stream, got, sizeof(got), &len, wait, &err));
	CHECK_INT(len, 3);
	for (int i = 0; i < 2; i++) {
		CHECK(!stream_read(stream, got, sizeof(got), &len, wait, &err));
		CHECK_STR(err.text, "connection closed without TLS close_notify, possibly cut off");
		CHECK_INT(err.kind, ERR_RETRY);
	}
}

static void writing_tls_to_a_closed_peer_is_an_error_not_a_signal(void)
{
	CLEANUP(tls_peer_freep) struct tls_peer *peer = start(tls_fixture.server, close_abruptly);
	CLEANUP(stream_freep) struct stream *stream = open_stream(peer);
	struct wait wait = wait_for(TLS_FIXTURE_LONG_MS, NULL);
	struct err err = ERR_INIT;
	char chunk[RECORD_BYTES] = {0};

	tls_peer_freep(&peer);
	for (int i = 0; i < 100; i++)
		if (!stream_write(stream, chunk, sizeof(chunk), wait, &err))
			break;
	CHECK_STR(err.text, "connection reset");
	CHECK_INT(err.kind, ERR_RETRY);
}

static void reading_tls_can_be_cancelled_and_ends_at_the_deadline(void)
{
	CLEANUP(tls_peer_freep) struct tls_peer *peer = start(tls_fixture.server, say_nothing);
	CLEANUP(stream_freep) struct stream *stream = open_stream(peer);
	CLEANUP(cancel_close) struct cancel cancel;
	struct err err = ERR_INIT;
	char byte;
	size_t len;

	CHECK(!stream_read(stream, &byte, 1, &len, wait_for(SOON_MS, NULL), &err));
	CHECK_STR(err.text, "timed out");
	CHECK_OK(cancel_init(&cancel, &err));
	cancel_now(&cancel);
	CHECK(!stream_read(stream, &byte, 1, &len, wait_for(TLS_FIXTURE_LONG_MS, &cancel), &err));
	CHECK_INT(err.kind, ERR_CANCELLED);
	CHECK(!stream_write(stream, "x", 1, wait_for(TLS_FIXTURE_LONG_MS, &cancel), &err));
	CHECK_INT(err.kind, ERR_CANCELLED);
}

/* Reads nothing until the client has closed. */
static void read_nothing(struct tls_peer_conn *conn)
{
	char byte;

	(void)conn;
	(void)!read(closed[0], &byte, 1);
}

static void closing_never_waits(void)
{
	int made = pipe(closed);
	CLEANUP(tls_peer_freep)
	struct tls_peer *peer = start(tls_fixture.server, read_nothing);
	struct stream *stream = open_stream(peer);
	CLEANUP(freep) char *bulk = xcalloc(1, 2 * BULK_BYTES);
	struct err err = ERR_INIT;

	CHECK_INT(made, 0);
	CHECK(!stream_write(stream, bulk, 2 * BULK_BYTES, wait_for(SOON_MS, NULL), &err));
	CHECK_STR(err.text, "timed out");
	stream_freep(&stream); /* if it waited for the peer, both would wait forever */
	CHECK(write(closed[1], "x", 1) == 1);
	tls_peer_freep(&peer);
	(void)close(closed[0]);
	(void)close(closed[1]);
}

static uint8_t bulk_byte(size_t i)
{
	return (uint8_t)(i * 7 + i / 251);
}

static void mirror_bulk(struct tls_peer_conn *conn)
{
	CLEANUP(freep) uint8_t *bulk = xmalloc(BULK_BYTES);

	if (tls_peer_read(conn, bulk, BULK_BYTES))
		(void)tls_peer_write(conn, bulk, BULK_BYTES);
}

static void large_transfers_arrive_whole_both_ways(void)
{
	CLEANUP(tls_peer_freep) struct tls_peer *peer = start(tls_fixture.server, mirror_bulk);
	CLEANUP(stream_freep) struct stream *stream = open_stream(peer);
	CLEANUP(freep) uint8_t *bulk = xmalloc(BULK_BYTES);
	CLEANUP(freep) uint8_t *chunk = xmalloc(CHUNK_BYTES);
	struct wait wait = wait_for(TLS_FIXTURE_LONG_MS, NULL);
	struct err err = ERR_INIT;
	size_t at = 0;
	size_t len;

	for (size_t i = 0; i < BULK_BYTES; i++)
		bulk[i] = bulk_byte(i);
	CHECK_OK(stream_write(stream, bulk, BULK_BYTES, wait, &err));
	while (at < BULK_BYTES) {
		CHECK_OK(stream_read(stream, chunk, CHUNK_BYTES, &len, wait, &err));
		CHECK(len > 0 && len <= BULK_BYTES - at);
		CHECK(memcmp(chunk, bulk + at, len) == 0);
		at += len;
	}
	CHECK_OK(stream_read(stream, chunk, CHUNK_BYTES, &len, wait, &err));
	CHECK_INT(len, 0);
}

static void send_four_records(struct tls_peer_conn *conn)
{
	char record[RECORD_BYTES] = {0};
	char byte;

	for (int i = 0; i < 4; i++)
		(void)tls_peer_write(conn, record, sizeof(record));
	atomic_store(&sent, true);
	(void)tls_peer_read(conn, &byte, 1);
}

static void one_read_takes_all_records_that_arrived(void)
{
	CLEANUP(tls_peer_freep)
	struct tls_peer *peer = start(tls_fixture.server, send_four_records);
	CLEANUP(stream_freep) struct stream *stream = open_stream(peer);
	CLEANUP(freep) char *chunk = xmalloc(2 * CHUNK_BYTES);
	struct err err = ERR_INIT;
	size_t len;

	wait_until_sent();
	CHECK_OK(stream_read(
		stream, chunk, 2 * CHUNK_BYTES, &len, wait_for(TLS_FIXTURE_LONG_MS, NULL), &err));
	CHECK_INT(len, 4 * RECORD_BYTES);
	CHECK_INT(stream_buffered(stream), 0);
	CHECK(!stream_has_input(stream));
}

static void the_rest_of_a_record_is_buffered(void)
{
	CLEANUP(tls_peer_freep)
	struct tls_peer *peer = start(tls_fixture.server, tls_fixture_greet);
	CLEANUP(stream_freep) struct stream *stream = open_stream(peer);
	struct wait wait = wait_for(TLS_FIXTURE_LONG_MS, NULL);
	struct err err = ERR_INIT;
	char got[5];
	size_t len;

	CHECK_OK(stream_read(stream, got, 2, &len, wait, &err));
	CHECK_INT(len, 2);
	CHECK_INT(stream_buffered(stream), 3);
	CHECK(stream_has_input(stream));
	CHECK_OK(stream_read(stream, got, 3, &len, wait, &err));
	CHECK_INT(len, 3);
	CHECK_INT(stream_buffered(stream), 0);
	stream_park(stream);
	CHECK_INT(stream_buffered(stream), 0);
	CHECK_OK(stream_write(stream, "ok", 2, wait, &err));
}

static void send_keys_then_data(struct tls_peer_conn *conn)
{
	char byte;

	(void)SSL_key_update(conn->ssl, SSL_KEY_UPDATE_NOT_REQUESTED);
	(void)SSL_do_handshake(conn->ssl);
	atomic_store(&sent, true);
	if (tls_peer_read(conn, &byte, 1))
		tls_fixture_greet(conn);
}

static void records_without_data_do_not_count_as_input(void)
{
	CLEANUP(tls_peer_freep)
	struct tls_peer *peer = start(tls_fixture.server, send_keys_then_data);
	CLEANUP(stream_freep) struct stream *stream = open_stream(peer);
	struct wait wait = wait_for(TLS_FIXTURE_LONG_MS, NULL);
	struct err err = ERR_INIT;

	CHECK_OK(wait_fd(stream_fd(stream), POLLIN, wait, &err));
	wait_until_sent();
	CHECK(!stream_has_input(stream));
	CHECK_INT(stream_buffered(stream), 0);
	CHECK(!wait_fd(stream_fd(stream), POLLIN, wait_for(0, NULL), &err));
	stream_park(stream);
	CHECK_OK(stream_write(stream, "x", 1, wait, &err));
	tls_fixture_check_greeting(stream);
}

static void flood(struct tls_peer_conn *conn)
{
	for (int i = 0; i < 100000; i++)
		if (SSL_key_update(conn->ssl, SSL_KEY_UPDATE_NOT_REQUESTED) != 1 ||
			SSL_do_handshake(conn->ssl) != 1)
			return;
}

static void a_flood_of_records_without_data_is_cut_off(void)
{
	CLEANUP(tls_peer_freep) struct tls_peer *peer = start(tls_fixture.server, flood);
	CLEANUP(stream_freep) struct stream *stream = open_stream(peer);
	struct err err = ERR_INIT;
	char byte;
	size_t len;

	CHECK(!stream_read(stream, &byte, 1, &len, wait_for(TLS_FIXTURE_LONG_MS, NULL), &err));
	CHECK_STR(err.text, "server sends TLS records without data");
	CHECK_INT(err.kind, ERR_PROTOCOL);
}

static void renegotiate(struct tls_peer_conn *conn)
{
	char byte;

	(void)SSL_renegotiate(conn->ssl);
	(void)SSL_do_handshake(conn->ssl);
	if (tls_peer_read(conn, &byte, 1))
		(void)tls_peer_write(conn, "hello", 5);
}

static void renegotiation_is_refused(void)
{
	CLEANUP(tls_peer_freep)
	struct tls_peer *peer = tls_peer_start(&(struct tls_peer_options){
		.cert = tls_fixture.server, .serve = renegotiate, .version_max = TLS1_2_VERSION});
	CLEANUP(stream_freep) struct stream *stream = open_stream(peer);
	struct wait wait = wait_for(TLS_FIXTURE_LONG_MS, NULL);
	struct err err = ERR_INIT;
	char got[5];
	size_t len;

	while (!stream_has_input(stream) &&
		wait_fd(stream_fd(stream), POLLIN, wait_for(100, NULL), &err))
		;
	(void)stream_write(stream, "x", 1, wait, &err);
	CHECK(!stream_read(stream, got, sizeof(got), &len, wait, &err));
}

static void tamper(struct tls_peer_conn *conn)
{
	static const char record[] = "\x17\x03\x03\x00\x20"
				     "0123456789abcdef0123456789abcdef";
	char byte;

	(void)!send(conn->fd, record, sizeof(record) - 1, MSG_NOSIGNAL);
	conn->abrupt = true;
	(void)!recv(conn->fd, &byte, 1, 0);
}

static void tampering_is_noticed(void)
{
	CLEANUP(tls_peer_freep) struct tls_peer *peer = start(tls_fixture.server, tamper);
	CLEANUP(stream_freep) struct stream *stream = open_stream(peer);
	struct err err = ERR_INIT;
	char byte;
	size_t len;

	CHECK(!stream_read(stream, &byte, 1, &len, wait_for(TLS_FIXTURE_LONG_MS, NULL), &err));
	CHECK_INT(err.kind, ERR_SECURITY);
	CHECK(str_starts(err.text, "TLS failed: "));
}

static void read_one(struct tls_peer_conn *conn)
{
	char byte;

	conn->abrupt = !tls_peer_read(conn, &byte, 1);
	if (conn->abrupt)
		(void)recv(conn->fd, &byte, 1, 0);
}

static void an_alert_of_the_server_may_be_retried(void)
{
	static const char record[] = "\x17\x03\x03\x00\x20"
				     "0123456789abcdef0123456789abcdef";
	CLEANUP(tls_peer_freep) struct tls_peer *peer = start(tls_fixture.server, read_one);
	CLEANUP(stream_freep) struct stream *stream = open_stream(peer);
	struct err err = ERR_INIT;
	char byte;
	size_t len;

	CHECK(send(stream_fd(stream), record, sizeof(record) - 1, 0) > 0);
	CHECK(!stream_read(stream, &byte, 1, &len, wait_for(TLS_FIXTURE_LONG_MS, NULL), &err));
	CHECK_INT(err.kind, ERR_RETRY);
	CHECK(str_starts(err.text, "server ended TLS: "));
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(clean_close_is_the_end),
		PROMISE(closing_without_close_notify_is_an_error),
		PROMISE(writing_tls_to_a_closed_peer_is_an_error_not_a_signal),
		PROMISE(reading_tls_can_be_cancelled_and_ends_at_the_deadline),
		PROMISE(closing_never_waits),
		PROMISE(large_transfers_arrive_whole_both_ways),
		PROMISE(one_read_takes_all_records_that_arrived),
		PROMISE(the_rest_of_a_record_is_buffered),
		PROMISE(records_without_data_do_not_count_as_input),
		PROMISE(a_flood_of_records_without_data_is_cut_off),
		PROMISE(renegotiation_is_refused),
		PROMISE(tampering_is_noticed),
		PROMISE(an_alert_of_the_server_may_be_retried),
	};
	int result;

	tls_fixture_open();
	result = check_main(argc, argv, promises, ARRAY_LEN(promises));
	tls_fixture_close();
	return result;
}
