#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/str.h"
#include "net/tcp.h"
#include "support/check.h"
#include "support/net/tls_fixture.h"

enum { SOON_MS = 100, HELLO_MAX = 4096, CUT_STEP_BYTES = 5, JITTER_BYTES = 8 };

static struct tls_peer *start(const struct testcert *cert, void (*serve)(struct tls_peer_conn *))
{
	return tls_peer_start(&(struct tls_peer_options){.cert = cert, .serve = serve});
}

static void say_sni(struct tls_peer_conn *conn)
{
	(void)tls_peer_write(conn, "<", 1);
	(void)tls_peer_write(conn, conn->sni, strlen(conn->sni));
	(void)tls_peer_write(conn, ">", 1);
}

static void check_sni(const char *name, const char *wanted)
{
	CLEANUP(testcert_freep)
	struct testcert *cert = testcert_make(tls_fixture.ca,
		&(struct testcert_spec){.alt_names = "DNS:imap.example.org,IP:127.0.0.1"});
	CLEANUP(tls_peer_freep) struct tls_peer *peer = start(cert, say_sni);
	CLEANUP(stream_freep) struct stream *stream = NULL;
	struct tls_options options = {.host = name, .ca_file = tls_fixture.ca_file};
	struct err err = ERR_INIT;
	char got[64] = "";
	size_t len = 1;

	CHECK_OK(tls_fixture_secure(peer, &options, &stream, &err));
	while (len > 0) {
		CHECK_OK(stream_read(stream, got + strlen(got), sizeof(got) - strlen(got) - 1, &len,
			wait_for(TLS_FIXTURE_LONG_MS, NULL), &err));
	}
	CHECK_STR(got, wanted);
}

static void sni_carries_names_but_no_addresses(void)
{
	check_sni(tls_fixture.host, "<imap.example.org>");
	check_sni("imap.example.org.", "<imap.example.org>");
	check_sni("127.0.0.1", "<>");
}

static void send_and_wait(struct tls_peer_conn *conn)
{
	char byte;

	(void)tls_peer_write(conn, "* OK injected\r\n", 15);
	(void)tls_peer_read(conn, &byte, 1);
}

static void byte_before_the_handshake_is_refused(void)
{
	CLEANUP(tls_peer_freep)
	struct tls_peer *peer = tls_peer_start(&(struct tls_peer_options){
		.cert = tls_fixture.server, .late = true, .serve = send_and_wait});
	CLEANUP(stream_freep) struct stream *lower = NULL;
	struct tls_options options = {.host = tls_fixture.host, .ca_file = tls_fixture.ca_file};
	struct wait wait = wait_for(TLS_FIXTURE_LONG_MS, NULL);
	struct stream *stream = NULL;
	struct err err = ERR_INIT;

	CHECK_OK(tcp_connect("127.0.0.1", tls_peer_port(peer), wait, &lower, &err));
	CHECK_OK(wait_fd(stream_fd(lower), POLLIN, wait, &err));
	CHECK(!tls_start(&lower, &options, wait, &stream, &err));
	CHECK_STR(err.text,
		"server sent unencrypted bytes instead of TLS (does this port expect STARTTLS?)");
	CHECK_INT(err.kind, ERR_SECURITY);
	CHECK(lower && !stream);
}

static void start_late(struct tls_peer_conn *conn)
{
	char byte;

	if (tls_peer_read(conn, &byte, 1) && tls_peer_write(conn, "+", 1) && tls_peer_secure(conn))
		tls_fixture_greet(conn);
}

static void a_connection_can_switch_to_tls_later(void)
{
	CLEANUP(tls_peer_freep)
	struct tls_peer *peer = tls_peer_start(&(struct tls_peer_options){
		.cert = tls_fixture.server, .late = true, .serve = start_late});
	CLEANUP(stream_freep) struct stream *lower = NULL;
	CLEANUP(stream_freep) struct stream *stream = NULL;
	struct tls_options options = {.host = tls_fixture.host, .ca_file = tls_fixture.ca_file};
	struct wait wait = wait_for(TLS_FIXTURE_LONG_MS, NULL);
	struct err err = ERR_INIT;
	char byte;
	size_t len;

	CHECK_OK(tcp_connect("127.0.0.1", tls_peer_port(peer), wait, &lower, &err));
	CHECK(!stream_is_secure(lower));
	CHECK_OK(stream_write(lower, "s", 1, wait, &err));
	CHECK_OK(stream_read(lower, &byte, 1, &len, wait, &err));
	CHECK_OK(tls_start(&lower, &options, wait, &stream, &err));
	CHECK(!lower && stream_is_secure(stream));
	tls_fixture_check_greeting(stream);
}

static void hang_up(struct tls_peer_conn *conn)
{
	char hello[16];

	(void)tls_peer_read(conn, hello, sizeof(hello));
}

static void say_nothing(struct tls_peer_conn *conn)
{
	char byte;

	while (tls_peer_read(conn, &byte, 1))
		;
}

static void a_broken_handshake_may_be_retried(void)
{
	CLEANUP(tls_peer_freep)
	struct tls_peer *peer = tls_peer_start(&(struct tls_peer_options){.serve = hang_up});
	struct tls_options options = {.host = tls_fixture.host, .ca_file = tls_fixture.ca_file};
	struct stream *stream = NULL;
	struct err err = ERR_INIT;

	CHECK(!tls_fixture_secure(peer, &options, &stream, &err));
	CHECK_INT(err.kind, ERR_RETRY);
	CHECK(strcmp(err.text, "connection closed during the TLS handshake") == 0 ||
		strcmp(err.text, "TLS handshake: connection reset") == 0);
}

static void handshake_ends_at_the_deadline(void)
{
	CLEANUP(tls_peer_freep)
	struct tls_peer *peer = tls_peer_start(&(struct tls_peer_options){.serve = say_nothing});
	CLEANUP(stream_freep) struct stream *lower = NULL;
	struct tls_options options = {.host = tls_fixture.host, .ca_file = tls_fixture.ca_file};
	struct stream *stream = NULL;
	struct err err = ERR_INIT;

	CHECK_OK(tcp_connect("127.0.0.1", tls_peer_port(peer), wait_for(TLS_FIXTURE_LONG_MS, NULL),
		&lower, &err));
	CHECK(!tls_start(&lower, &options, wait_for(SOON_MS, NULL), &stream, &err));
	CHECK_STR(err.text, "TLS handshake: timed out");
	CHECK_INT(err.kind, ERR_RETRY);
}

/* How much of the server's first answer passes, and how long the answer was. */
struct cut {
	size_t at;
	size_t whole;
};

/* A handshake in memory: the server's answer to the client's hello, cut short. */
static void answer_in_part(struct tls_peer_conn *conn)
{
	struct cut *cut = conn->context;
	BIO *in = BIO_new(BIO_s_mem());
	BIO *out = BIO_new(BIO_s_mem());
	char hello[HELLO_MAX];
	char *answer;
	ssize_t len = recv(conn->fd, hello, sizeof(hello), 0);
	long whole;

	(void)BIO_write(in, hello, len > 0 ? (int)len : 0);
	tls_peer_make_ssl(conn);
	SSL_set_bio(conn->ssl, in, out);
	(void)SSL_accept(conn->ssl);
	whole = BIO_get_mem_data(out, &answer);
	cut->whole = (size_t)whole;
	(void)!send(conn->fd, answer, cut->at < cut->whole ? cut->at : cut->whole, MSG_NOSIGNAL);
	(void)shutdown(conn->fd, SHUT_WR);
	(void)!recv(conn->fd, hello, sizeof(hello), 0);
	conn->abrupt = true;
}

static void a_handshake_cut_at_any_byte_may_be_retried(void)
{
	struct cut cut = {.at = 0, .whole = HELLO_MAX};
	CLEANUP(tls_peer_freep)
	struct tls_peer *peer =
		tls_peer_start(&(struct tls_peer_options){.cert = tls_fixture.server,
			.late = true,
			.serve = answer_in_part,
			.context = &cut});
	struct tls_options options = {.host = tls_fixture.host, .ca_file = tls_fixture.ca_file};

	/* signatures differ in length by some bytes */
	for (; cut.at + JITTER_BYTES < cut.whole; cut.at += CUT_STEP_BYTES) {
		struct stream *stream = NULL;
		struct err err = ERR_INIT;

		CHECK(!tls_fixture_secure(peer, &options, &stream, &err));
		CHECK_STR(err.text, "connection closed during the TLS handshake");
		CHECK_INT(err.kind, ERR_RETRY);
	}
	CHECK(cut.whole > HELLO_MAX / 8);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(sni_carries_names_but_no_addresses),
		PROMISE(byte_before_the_handshake_is_refused),
		PROMISE(a_connection_can_switch_to_tls_later),
		PROMISE(a_broken_handshake_may_be_retried),
		PROMISE(handshake_ends_at_the_deadline),
		PROMISE(a_handshake_cut_at_any_byte_may_be_retried),
	};
	int result;

	tls_fixture_open();
	result = check_main(argc, argv, promises, ARRAY_LEN(promises));
	tls_fixture_close();
	return result;
}
