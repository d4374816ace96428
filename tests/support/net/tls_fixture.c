#include "support/net/tls_fixture.h"

#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "net/tcp.h"
#include "support/check.h"

struct tls_fixture tls_fixture = {.host = "imap.example.org"};

void tls_fixture_open(void)
{
	static const struct testcert_spec spec = {.alt_names = "DNS:imap.example.org"};

	tls_fixture.ca = testcert_ca("Test CA");
	tls_fixture.server = testcert_make(tls_fixture.ca, &spec);
	tls_fixture.self_signed = testcert_make(NULL, &spec);
	tls_fixture.ca_file = tls_fixture_file("ca.pem");
	testcert_write(tls_fixture.ca, tls_fixture.ca_file);
}

void tls_fixture_close(void)
{
	testcert_freep(&tls_fixture.ca);
	testcert_freep(&tls_fixture.server);
	testcert_freep(&tls_fixture.self_signed);
	freep(&tls_fixture.ca_file);
}

char *tls_fixture_file(const char *name)
{
	return str_printf("%s/%s", check_temp_dir(), name);
}

void tls_fixture_greet(struct tls_peer_conn *conn)
{
	char answer[2];

	(void)tls_peer_write(conn, "hello", 5);
	(void)tls_peer_read(conn, answer, sizeof(answer));
}

void tls_fixture_check_greeting(struct stream *stream)
{
	struct wait wait = wait_for(TLS_FIXTURE_LONG_MS, NULL);
	struct err err = ERR_INIT;
	char got[16];
	size_t len;

	CHECK_OK(stream_read(stream, got, sizeof(got), &len, wait, &err));
	CHECK(len == 5 && memcmp(got, "hello", 5) == 0);
	CHECK_OK(stream_write(stream, "ok", 2, wait, &err));
}

bool tls_fixture_secure(const struct tls_peer *peer, const struct tls_options *options,
	struct stream **ret_stream, struct err *err)
{
	CLEANUP(stream_freep) struct stream *lower = NULL;
	struct wait wait = wait_for(TLS_FIXTURE_LONG_MS, NULL);

	CHECK(tcp_connect("127.0.0.1", tls_peer_port(peer), wait, &lower, err));
	return tls_start(&lower, options, wait, ret_stream, err);
}
