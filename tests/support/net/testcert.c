#include "support/net/testcert.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include "base/alloc.h"
#include "base/crypto.h"

enum { DAY_S = 24 * 3600, X509_VERSION = 2 /* counted from 0 */ };

static void must(bool done, const char *what)
{
	if (done)
		return;
	(void)fprintf(stderr, "testcert: %s failed\n", what);
	abort();
}

static void set_name(X509_NAME *name, const char *common_name)
{
	must(X509_NAME_add_entry_by_txt(
		     name, "CN", MBSTRING_UTF8, (const unsigned char *)common_name, -1, -1, 0) == 1,
		"name");
}

static void add_extension(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;
	X509_EXTENSION *extension;

	if (!value)
		return;
	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	must(extension && X509_add_ext(certificate, extension, -1) == 1, value);
	X509_EXTENSION_free(extension);
}

static void set_validity(X509 *certificate, const struct testcert_spec *spec)
{
	time_t now = time(NULL);
	time_t from = spec->not_before_s ? spec->not_before_s : now - DAY_S;
	time_t until = spec->not_after_s ? spec->not_after_s : now + 365L * DAY_S;

	must(ASN1_TIME_set(X509_getm_notBefore(certificate), from) != NULL, "date");
	must(ASN1_TIME_set(X509_getm_notAfter(certificate), until) != NULL, "date");
}

static void set_serial(X509 *certificate)
{
	uint32_t serial;

	must(RAND_bytes((unsigned char *)&serial, sizeof(serial)) == 1, "serial");
	must(ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial) == 1, "serial");
}

struct testcert *testcert_make(const struct testcert *issuer, const struct testcert_spec *spec)
{
	struct testcert *cert = xcalloc(1, sizeof(*cert));
	X509 *x509 = X509_new();
	const char *usage = spec->usage ? spec->usage : "serverAuth";

	cert->certificate = x509;
	cert->key = EVP_EC_gen("P-256");
	must(x509 && cert->key, "key");
	if (!issuer)
		issuer = cert;
	must(X509_set_version(x509, X509_VERSION) == 1, "version");
	set_serial(x509);
	set_validity(x509, spec);
	set_name(X509_get_subject_name(x509), spec->common_name ? spec->common_name : "test");
	must(X509_set_issuer_name(x509, X509_get_subject_name(issuer->certificate)) == 1, "issuer");
	must(X509_set_pubkey(x509, cert->key) == 1, "public key");
	add_extension(x509, issuer->certificate, NID_subject_key_identifier, "hash");
	add_extension(x509, issuer->certificate, NID_basic_constraints,
		spec->is_ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
	add_extension(x509, issuer->certificate, NID_key_usage,
		spec->is_ca ? "critical,keyCertSign,cRLSign" : "critical,digitalSignature");
	add_extension(x509, issuer->certificate, NID_ext_key_usage, spec->is_ca ? NULL : usage);
	add_extension(x509, issuer->certificate, NID_subject_alt_name, spec->alt_names);
	must(X509_sign(x509, issuer->key, EVP_sha256()) > 0, "signature");
	return cert;
}

struct testcert *testcert_ca(const char *common_name)
{
	return testcert_make(
		NULL, &(struct testcert_spec){.common_name = common_name, .is_ca = true});
}

void testcert_write(const struct testcert *cert, const char *path)
{
	FILE *file = fopen(path, "we");

	must(file && PEM_write_X509(file, cert->certificate) == 1 && fclose(file) == 0, path);
}

void testcert_write_key(const struct testcert *cert, const char *path)
{
	FILE *file = fopen(path, "we");

	must(file && PEM_write_PrivateKey(file, cert->key, NULL, NULL, 0, NULL, NULL) == 1 &&
			fclose(file) == 0,
		path);
}

char *testcert_pin(const struct testcert *cert)
{
	unsigned char *der = NULL;
	int len = i2d_PUBKEY(cert->key, &der);
	uint8_t digest[SHA256_BYTES];

	must(len > 0, "public key");
	sha256_of(der, (size_t)len, digest);
	OPENSSL_free(der);
	return base64_encode(digest, sizeof(digest));
}

void testcert_freep(struct testcert **cert)
{
	if (!*cert)
		return;
	X509_free((*cert)->certificate);
	EVP_PKEY_free((*cert)->key);
	free(*cert);
	*cert = NULL;
}
