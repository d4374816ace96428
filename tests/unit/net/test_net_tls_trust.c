#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/crypto.h"
#include "base/fs.h"
#include "base/str.h"
#include "support/check.h"
#include "support/net/tls_fixture.h"

enum { DAY_S = 24 * 3600 };

/* --- helpers --- */

/* Handshake with a server that has this certificate. words: the expected error; NULL: success. */
static void expect(const struct tls_peer_options *peer_options, struct tls_options options,
	const char *refusal)
{
	CLEANUP(tls_peer_freep) struct tls_peer *peer = tls_peer_start(peer_options);
	CLEANUP(stream_freep) struct stream *stream = NULL;
	struct err err = ERR_INIT;
	bool done = tls_fixture_secure(peer, &options, &stream, &err);

	if (!refusal) {
		CHECK_OK(done);
		CHECK(stream_is_secure(stream));
		tls_fixture_check_greeting(stream);
		return;
	}
	CHECK(!done);
	CHECK(!stream);
	CHECK_STR(err.text, refusal);
	CHECK_INT(err.kind, ERR_SECURITY);
}

static void expect_spec(const struct testcert_spec *spec, const char *name, const char *refusal)
{
	CLEANUP(testcert_freep) struct testcert *cert = testcert_make(tls_fixture.ca, spec);

	expect(&(struct tls_peer_options){.cert = cert, .serve = tls_fixture_greet},
		(struct tls_options){.host = name, .ca_file = tls_fixture.ca_file}, refusal);
}

static char *date_of(int64_t unix_s)
{
	char text[ZONED_TIME_TEXT_MAX];

	clock_format_ms(unix_s * 1000, text);
	return xstrndup(text, 10);
}

/* --- promises --- */

static void a_trusted_certificate_is_accepted(void)
{
	expect(&(struct tls_peer_options){.cert = tls_fixture.server, .serve = tls_fixture_greet},
		(struct tls_options){.host = tls_fixture.host, .ca_file = tls_fixture.ca_file},
		NULL);
	expect(&(struct tls_peer_options){.cert = tls_fixture.server, .serve = tls_fixture_greet},
		(struct tls_options){.host = "imap.example.org.", .ca_file = tls_fixture.ca_file},
		NULL);
	expect(&(struct tls_peer_options){.cert = tls_fixture.server,
		       .serve = tls_fixture_greet,
		       .version_max = TLS1_2_VERSION},
		(struct tls_options){.host = tls_fixture.host, .ca_file = tls_fixture.ca_file},
		NULL);
}

static void wrong_name_is_refused(void)
{
	expect_spec(&(struct testcert_spec){.alt_names = "DNS:other.example.org"}, tls_fixture.host,
		"certificate is for other.example.org, not imap.example.org");
	expect_spec(&(struct testcert_spec){.alt_names = "DNS:a.org,DNS:b.org,DNS:c.org,DNS:d.org"},
		tls_fixture.host,
		"certificate is for a.org, b.org, c.org and 1 more, not imap.example.org");
	expect_spec(&(struct testcert_spec){.alt_names = "DNS:*.example.org"}, "example.org",
		"certificate is for *.example.org, not example.org");
	expect_spec(&(struct testcert_spec){.alt_names = "DNS:im*.example.org"}, tls_fixture.host,
		"certificate is for im*.example.org, not imap.example.org");
}

static void the_common_name_is_ignored(void)
{
	expect_spec(&(struct testcert_spec){.common_name = tls_fixture.host}, tls_fixture.host,
		"certificate is for no host, not imap.example.org");
}

static void a_wildcard_matches_one_label(void)
{
	expect_spec(
		&(struct testcert_spec){.alt_names = "DNS:*.example.org"}, tls_fixture.host, NULL);
	expect_spec(&(struct testcert_spec){.alt_names = "DNS:*.example.org"}, "a.b.example.org",
		"certificate is for *.example.org, not a.b.example.org");
}

static void addresses_are_verified_by_their_own_entries(void)
{
	expect_spec(&(struct testcert_spec){.alt_names = "IP:127.0.0.1"}, "127.0.0.1", NULL);
	expect_spec(&(struct testcert_spec){.alt_names = "IP:::1"}, "::1", NULL);
	expect_spec(&(struct testcert_spec){.alt_names = "IP:127.0.0.2,IP:::1"}, "127.0.0.1",
		"certificate is for 127.0.0.2, ::1, not 127.0.0.1");
	expect_spec(&(struct testcert_spec){.alt_names = "DNS:127.0.0.1"}, "127.0.0.1",
		"certificate is for 127.0.0.1, not 127.0.0.1");
}

static void names_in_certificates_cannot_move_the_cursor(void)
{
	expect_spec(&(struct testcert_spec){.alt_names = "DNS:\033[2Jx"}, tls_fixture.host,
		"certificate is for \\x1b[2Jx, not imap.example.org");
}

static void expired_and_premature_certificates_are_refused(void)
{
	int64_t now = clock_wall_s();
	CLEANUP(freep) char *past = date_of(now - DAY_S);
	CLEANUP(freep) char *future = date_of(now + 2 * DAY_S);
	CLEANUP(freep) char *expired = str_printf("certificate expired on %s", past);
	CLEANUP(freep) char *early = str_printf("certificate is not valid before %s", future);

	expect_spec(&(struct testcert_spec){.alt_names = "DNS:imap.example.org",
			    .not_before_s = now - 9 * DAY_S,
			    .not_after_s = now - DAY_S},
		tls_fixture.host, expired);
	expect_spec(&(struct testcert_spec){.alt_names = "DNS:imap.example.org",
			    .not_before_s = now + 2 * DAY_S},
		tls_fixture.host, early);
}

static void an_expired_issuer_is_named(void)
{
	int64_t now = clock_wall_s();
	CLEANUP(testcert_freep)
	struct testcert *middle =
		testcert_make(tls_fixture.ca, &(struct testcert_spec){.common_name = "Middle CA",
						      .is_ca = true,
						      .not_before_s = now - 9 * DAY_S,
						      .not_after_s = now - DAY_S});
	CLEANUP(testcert_freep)
	struct testcert *cert =
		testcert_make(middle, &(struct testcert_spec){.alt_names = "DNS:imap.example.org"});
	CLEANUP(freep) char *past = date_of(now - DAY_S);
	CLEANUP(freep)
	char *words = str_printf("certificate of its issuer \"Middle CA\" expired on %s", past);

	expect(
		&(struct tls_peer_options){
			.cert = cert, .issuer = middle, .serve = tls_fixture_greet},
		(struct tls_options){.host = tls_fixture.host, .ca_file = tls_fixture.ca_file},
		words);
}

static void unknown_issuer_is_refused(void)
{
	CLEANUP(testcert_freep) struct testcert *other = testcert_ca("Other \033 CA");
	CLEANUP(testcert_freep)
	struct testcert *cert =
		testcert_make(other, &(struct testcert_spec){.alt_names = "DNS:imap.example.org"});
	const char *words = "certificate's issuer is not trusted: \"Other \\x1b CA\"";

	expect(&(struct tls_peer_options){.cert = cert, .serve = tls_fixture_greet},
		(struct tls_options){.host = tls_fixture.host, .ca_file = tls_fixture.ca_file},
		words);
	expect(
		&(struct tls_peer_options){
			.cert = cert, .issuer = other, .serve = tls_fixture_greet},
		(struct tls_options){.host = tls_fixture.host, .ca_file = tls_fixture.ca_file},
		words);
	expect(&(struct tls_peer_options){.cert = cert, .serve = tls_fixture_greet},
		(struct tls_options){.host = tls_fixture.host}, words);
}

static void issuer_with_a_trusted_name_but_another_key_is_refused(void)
{
	CLEANUP(testcert_freep) struct testcert *fake = testcert_ca("Test CA");
	CLEANUP(testcert_freep)
	struct testcert *cert =
		testcert_make(fake, &(struct testcert_spec){.alt_names = "DNS:imap.example.org"});

	expect(&(struct tls_peer_options){.cert = cert, .issuer = fake, .serve = tls_fixture_greet},
		(struct tls_options){.host = tls_fixture.host, .ca_file = tls_fixture.ca_file},
		"certificate names \"Test CA\" as its issuer, but the signature is not that CA's");
}

static void self_signed_certificate_is_refused(void)
{
	expect(&(struct tls_peer_options){.cert = tls_fixture.self_signed,
		       .serve = tls_fixture_greet},
		(struct tls_options){.host = tls_fixture.host, .ca_file = tls_fixture.ca_file},
		"certificate is self-signed and not trusted");
}

static void a_self_signed_certificate_in_the_ca_file_is_accepted(void)
{
	CLEANUP(freep) char *path = tls_fixture_file("self.pem");

	testcert_write(tls_fixture.self_signed, path);
	expect(&(struct tls_peer_options){.cert = tls_fixture.self_signed,
		       .serve = tls_fixture_greet},
		(struct tls_options){.host = tls_fixture.host, .ca_file = path}, NULL);
}

static void certificate_for_clients_is_refused(void)
{
	expect_spec(
		&(struct testcert_spec){.alt_names = "DNS:imap.example.org", .usage = "clientAuth"},
		tls_fixture.host, "certificate is not meant for a server");
}

static void a_pin_is_checked_in_addition_to_the_chain(void)
{
	CLEANUP(freep) char *pin = testcert_pin(tls_fixture.server);
	CLEANUP(freep) char *ca_pin = testcert_pin(tls_fixture.ca);
	CLEANUP(freep) char *other_pin = testcert_pin(tls_fixture.self_signed);
	CLEANUP(freep)
	char *words = str_printf("server's key is not the pinned one (its pin is sha256 %s)", pin);
	struct tls_peer_options peer = {.cert = tls_fixture.server, .serve = tls_fixture_greet};
	struct tls_options options = {
		.host = tls_fixture.host, .ca_file = tls_fixture.ca_file, .pin_sha256 = pin};

	expect(&peer, options, NULL);
	options.pin_sha256 = ca_pin;
	expect(&peer, options, NULL);
	options.pin_sha256 = other_pin;
	expect(&peer, options, words);
	options = (struct tls_options){.host = tls_fixture.host, .pin_sha256 = pin};
	expect(&peer, options, "certificate's issuer is not trusted: \"Test CA\"");
}

static void pinned_self_signed_certificate_needs_no_other_trust(void)
{
	CLEANUP(freep) char *pin = testcert_pin(tls_fixture.self_signed);
	CLEANUP(freep) char *other_pin = testcert_pin(tls_fixture.server);
	CLEANUP(freep)
	char *words = str_printf("server's key is not the pinned one (its pin is sha256 %s)", pin);
	struct tls_peer_options peer = {
		.cert = tls_fixture.self_signed, .serve = tls_fixture_greet};

	expect(&peer, (struct tls_options){.host = tls_fixture.host, .pin_sha256 = pin}, NULL);
	expect(&peer, (struct tls_options){.host = tls_fixture.host, .pin_sha256 = other_pin},
		words);
	expect(&peer, (struct tls_options){.host = "other.example.org", .pin_sha256 = pin},
		"certificate is for imap.example.org, not other.example.org");
}

static void pinned_root_sent_along_needs_no_other_trust(void)
{
	CLEANUP(freep) char *pin = testcert_pin(tls_fixture.ca);

	expect(&(struct tls_peer_options){.cert = tls_fixture.server,
		       .issuer = tls_fixture.ca,
		       .serve = tls_fixture_greet},
		(struct tls_options){.host = tls_fixture.host, .pin_sha256 = pin}, NULL);
}

static void pin_may_be_hex(void)
{
	CLEANUP(freep) char *pin = testcert_pin(tls_fixture.server);
	CLEANUP(freep) uint8_t *digest = NULL;
	char hex[SHA256_HEX_MAX];
	size_t len;

	CHECK(base64_decode(pin, strlen(pin), &digest, &len));
	sha256_hex(digest, hex);
	hex[63] = (char)(hex[63] >= 'a' ? hex[63] - 'a' + 'A' : hex[63]);
	expect(&(struct tls_peer_options){.cert = tls_fixture.server, .serve = tls_fixture_greet},
		(struct tls_options){.host = tls_fixture.host,
			.ca_file = tls_fixture.ca_file,
			.pin_sha256 = hex},
		NULL);
}

static void unusable_options_are_configuration_errors(void)
{
	CLEANUP(tls_peer_freep)
	struct tls_peer *peer = tls_peer_start(
		&(struct tls_peer_options){.cert = tls_fixture.server, .serve = tls_fixture_greet});
	CLEANUP(freep) char *missing = tls_fixture_file("missing.pem");
	CLEANUP(freep) char *words = str_printf("CA file %s: No such file or directory", missing);
	struct stream *stream = NULL;
	const struct {
		struct tls_options options;
		const char *words;
	} cases[] = {
		{{.host = tls_fixture.host, .pin_sha256 = "c29tZXRoaW5n"},
			"pin is not a SHA-256 digest in base64 or hex"},
		{{.host = tls_fixture.host, .pin_sha256 = ""},
			"pin is not a SHA-256 digest in base64 or hex"},
		{{.host = ".example.org"}, ".example.org: not a host name that TLS can verify"},
		{{.host = ""}, ": not a host name that TLS can verify"},
		{{.host = tls_fixture.host, .ca_file = missing}, words},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct err err = ERR_INIT;

		CHECK(!tls_fixture_secure(peer, &cases[i].options, &stream, &err));
		CHECK_STR(err.text, cases[i].words);
		CHECK_INT(err.kind, ERR_CONFIG);
	}
}

static void ca_file_is_checked_and_read_again_when_it_changes(void)
{
	CLEANUP(freep) char *path = tls_fixture_file("changing.pem");
	CLEANUP(freep)
	char *words = str_printf("CA file %s: holds no certificate in PEM format", path);
	struct tls_peer_options peer = {
		.cert = tls_fixture.self_signed, .serve = tls_fixture_greet};
	struct err err = ERR_INIT;

	testcert_write(tls_fixture.ca, path);
	CHECK_OK(tls_check_ca_file(path, &err));
	expect(&peer, (struct tls_options){.host = tls_fixture.host, .ca_file = path},
		"certificate is self-signed and not trusted");
	CHECK_OK(fs_write_atomic(path, "nothing\n", 8, 0600, &err));
	CHECK(!tls_check_ca_file(path, &err));
	CHECK_STR(err.text, words);
	testcert_write(tls_fixture.self_signed, path);
	expect(&peer, (struct tls_options){.host = tls_fixture.host, .ca_file = path}, NULL);
}

static void more_ca_files_than_are_kept_still_work(void)
{
	struct err err = ERR_INIT;

	for (int i = 0; i < 70 * 2; i++) {
		CLEANUP(freep) char *name = str_printf("many%d.pem", i % 70);
		CLEANUP(freep) char *path = tls_fixture_file(name);

		testcert_write(tls_fixture.ca, path);
		CHECK_OK(tls_check_ca_file(path, &err));
	}
}

static void *check_files(void *paths)
{
	struct err err = ERR_INIT;
	bool done = true;

	for (int i = 0; i < 100; i++)
		done = tls_check_ca_file(((char **)paths)[i % 2], &err) && done;
	return done ? paths : NULL;
}

static void threads_share_ca_files(void)
{
	char *paths[2] = {tls_fixture_file("one.pem"), tls_fixture_file("two.pem")};
	pthread_t threads[4];

	testcert_write(tls_fixture.ca, paths[0]);
	testcert_write(tls_fixture.self_signed, paths[1]);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		CHECK_INT(pthread_create(&threads[i], NULL, check_files, paths), 0);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++) {
		void *done;

		CHECK_INT(pthread_join(threads[i], &done), 0);
		CHECK(done);
	}
	free(paths[0]);
	free(paths[1]);
}

static void server_without_tls_1_2_is_refused(void)
{
	expect(&(struct tls_peer_options){.cert = tls_fixture.server,
		       .serve = tls_fixture_greet,
		       .version_max = TLS1_1_VERSION},
		(struct tls_options){.host = tls_fixture.host, .ca_file = tls_fixture.ca_file},
		"server does not support TLS 1.2 or later");
}

static void answer_in_plain_text(struct tls_peer_conn *conn)
{
	char byte;

	(void)tls_peer_read(conn, &byte, 1);
	(void)tls_peer_write(conn, "* BAD what?\r\n", 13);
}

static void server_without_any_tls_is_refused(void)
{
	expect(&(struct tls_peer_options){.serve = answer_in_plain_text},
		(struct tls_options){.host = tls_fixture.host},
		"server does not speak TLS (does this port expect STARTTLS?)");
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(a_trusted_certificate_is_accepted),
		PROMISE(wrong_name_is_refused),
		PROMISE(the_common_name_is_ignored),
		PROMISE(a_wildcard_matches_one_label),
		PROMISE(addresses_are_verified_by_their_own_entries),
		PROMISE(names_in_certificates_cannot_move_the_cursor),
		PROMISE(expired_and_premature_certificates_are_refused),
		PROMISE(an_expired_issuer_is_named),
		PROMISE(unknown_issuer_is_refused),
		PROMISE(issuer_with_a_trusted_name_but_another_key_is_refused),
		PROMISE(self_signed_certificate_is_refused),
		PROMISE(a_self_signed_certificate_in_the_ca_file_is_accepted),
		PROMISE(certificate_for_clients_is_refused),
		PROMISE(a_pin_is_checked_in_addition_to_the_chain),
		PROMISE(pinned_self_signed_certificate_needs_no_other_trust),
		PROMISE(pinned_root_sent_along_needs_no_other_trust),
		PROMISE(pin_may_be_hex),
		PROMISE(unusable_options_are_configuration_errors),
		PROMISE(ca_file_is_checked_and_read_again_when_it_changes),
		PROMISE(more_ca_files_than_are_kept_still_work),
		PROMISE(threads_share_ca_files),
		PROMISE(server_without_tls_1_2_is_refused),
		PROMISE(server_without_any_tls_is_refused),
	};
	int result;

	tls_fixture_open();
	result = check_main(argc, argv, promises, ARRAY_LEN(promises));
	tls_fixture_close();
	return result;
}
