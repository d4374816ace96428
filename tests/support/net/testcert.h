/*
 * Certificates generated while the test runs: a CA and certificates it signs, with P-256 keys.
 *
 *	CLEANUP(testcert_freep) struct testcert *ca = testcert_ca("Test CA");
 *	CLEANUP(testcert_freep) struct testcert *server = testcert_make(ca,
 *		&(struct testcert_spec){.alt_names = "DNS:localhost,IP:127.0.0.1"});
 *	testcert_write(ca, ca_file);
 *
 * A failure here is the machine's fault, so the functions abort.
 */
#ifndef MAILSTOW_TESTS_SUPPORT_NET_TESTCERT_H
#define MAILSTOW_TESTS_SUPPORT_NET_TESTCERT_H

#include <stdbool.h>
#include <stdint.h>

#include <openssl/evp.h>
#include <openssl/x509.h>

struct testcert {
	X509 *certificate;
	EVP_PKEY *key;
};

struct testcert_spec {
	const char *common_name; /* NULL: "test" */
	const char *alt_names;   /* as openssl.cnf has it: "DNS:a.example,IP:::1"; NULL: none */
	const char *usage;       /* extended: "clientAuth"; NULL: "serverAuth" */
	int64_t not_before_s;    /* 0: yesterday */
	int64_t not_after_s;     /* 0: in a year */
	bool is_ca;
};

struct testcert *testcert_ca(const char *common_name);

/* Signed by issuer; NULL: self-signed. */
struct testcert *testcert_make(const struct testcert *issuer, const struct testcert_spec *spec);

/* PEM files. */
void testcert_write(const struct testcert *cert, const char *path);
void testcert_write_key(const struct testcert *cert, const char *path);

/* SHA-256 of the SubjectPublicKeyInfo, base64. The caller frees. */
char *testcert_pin(const struct testcert *cert);

void testcert_freep(struct testcert **cert);

#endif
