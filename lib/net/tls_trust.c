#include "net/tls_trust.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

#include <openssl/x509v3.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/str.h"

enum { NAMES_SHOWN_MAX = 3, NAME_SHOWN_MAX = 100, NAMES_TEXT_MAX = 512, DATE_MAX = 16 };

static bool is_address(const char *host)
{
	unsigned char address[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

/* --- pins --- */

static int hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c = str_lower_char(c);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool parse_hex(const char *text, uint8_t out[SHA256_BYTES])
{
	if (strlen(text) != SHA256_HEX_MAX - 1)
		return false;
	for (size_t i = 0; i < SHA256_BYTES; i++) {
		int high = hex_digit(text[2 * i]);
		int low = hex_digit(text[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}

static bool parse_pin(const char *text, uint8_t out[SHA256_BYTES], struct err *err)
{
	CLEANUP(freep) uint8_t *data = NULL;
	size_t len;

	if (parse_hex(text, out))
		return true;
	if (!base64_decode(text, strlen(text), &data, &len) || len != SHA256_BYTES)
		return err_set(err, ERR_CONFIG, "pin is not a SHA-256 digest in base64 or hex");
	memcpy(out, data, SHA256_BYTES);
	return true;
}

static void pin_of(X509 *certificate, uint8_t out[SHA256_BYTES])
{
	unsigned char *der = NULL;
	int len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(certificate), &der);

	assert(len > 0);
	sha256_of(der, (size_t)len, out);
	OPENSSL_free(der);
}

static bool is_pinned(const struct tls_trust *trust, X509 *certificate)
{
	uint8_t pin[SHA256_BYTES];

	pin_of(certificate, pin);
	return trust->has_pin && crypto_equal(pin, trust->pin, SHA256_BYTES);
}

static bool set_not_pinned(X509 *certificate, struct err *err)
{
	CLEANUP(freep) char *text = NULL;
	uint8_t pin[SHA256_BYTES];

	pin_of(certificate, pin);
	text = base64_encode(pin, sizeof(pin));
	return err_set(err, ERR_SECURITY,
		"server's key is not the pinned one (its pin is sha256 %s)", text);
}

bool tls_trust_pinned(const struct tls_trust *trust, SSL *ssl, struct err *err)
{
	STACK_OF(X509) *chain = SSL_get0_verified_chain(ssl);
	X509 *server = SSL_get0_peer_certificate(ssl);
	X509 *end = chain ? sk_X509_value(chain, sk_X509_num(chain) - 1) : NULL;

	if (!server || !end)
		return err_set(err, ERR_SECURITY, "server sent no certificate");
	if (!trust->has_pin || is_pinned(trust, server))
		return true;
	if (X509_self_signed(end, 0) == 1 && is_pinned(trust, end))
		return true;
	return set_not_pinned(server, err);
}

/* --- error texts --- */

static void format_date(const ASN1_TIME *time, char out[DATE_MAX])
{
	struct tm date;

	if (ASN1_TIME_to_tm(time, &date) != 1 || strftime(out, DATE_MAX, "%Y-%m-%d", &date) == 0)
		memcpy(out, "a strange date", DATE_MAX - 1);
}

/* Common name, else organisation, else the first part there is. */
static char *show_name(const X509_NAME *name)
{
	static const int parts[] = {NID_commonName, NID_organizationName};
	int at = -1;
	const ASN1_STRING *text;
	unsigned char *utf8 = NULL;
	char *shown;
	int len;

	for (size_t i = 0; i < ARRAY_LEN(parts) && at < 0; i++)
		at = X509_NAME_get_index_by_NID(name, parts[i], -1);
	if (X509_NAME_entry_count(name) == 0)
		return xstrdup("");
	text = X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at < 0 ? 0 : at));
	len = ASN1_STRING_to_UTF8(&utf8, text);
	shown = str_printable(
		len > 0 ? utf8 : (unsigned char *)"", len > 0 ? (size_t)len : 0, NAME_SHOWN_MAX);
	OPENSSL_free(utf8);
	return shown;
}

static char *show_alt_name(const GENERAL_NAME *name)
{
	char address[INET6_ADDRSTRLEN];
	const ASN1_STRING *text = name->type == GEN_DNS ? name->d.dNSName : name->d.ip;
	const unsigned char *data = ASN1_STRING_get0_data(text);
	int len = ASN1_STRING_length(text);

	if (name->type == GEN_DNS)
		return str_printable(data, (size_t)len, NAME_SHOWN_MAX);
	if (len != sizeof(struct in_addr) && len != sizeof(struct in6_addr))
		return xstrdup("a malformed address");
	if (!inet_ntop(len == sizeof(struct in_addr) ? AF_INET : AF_INET6, data, address,
		    sizeof(address)))
		return xstrdup("a malformed address");
	return xstrdup(address);
}

/* "a.example.org, b.example.org and 7 more" */
static void show_alt_names(X509 *certificate, struct buf *out)
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	int count = names ? sk_GENERAL_NAME_num(names) : 0;
	int shown = 0;
	int more = 0;

	for (int i = 0; i < count; i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);
		CLEANUP(freep) char *text = NULL;

		if (name->type != GEN_DNS && name->type != GEN_IPADD)
			continue;
		if (shown >= NAMES_SHOWN_MAX) {
			more++;
			continue;
		}
		text = show_alt_name(name);
		if (!buf_printf(out, "%s%s", shown ? ", " : "", text))
			break;
		shown++;
	}
	if (shown == 0)
		(void)!buf_add_str(out, "no host");
	if (more > 0)
		(void)!buf_printf(out, " and %d more", more);
	GENERAL_NAMES_free(names);
}

static void explain_name(struct tls_trust *trust, X509 *certificate)
{
	CLEANUP(buf_free) struct buf names = BUF_INIT(NAMES_TEXT_MAX);

	show_alt_names(certificate, &names);
	(void)err_set(&trust->err, ERR_SECURITY, "certificate is for %s, not %s", buf_str(&names),
		trust->host);
}

static void explain_issuer(struct tls_trust *trust, X509 *certificate)
{
	CLEANUP(freep) char *name = show_name(X509_get_issuer_name(certificate));

	(void)err_set(
		&trust->err, ERR_SECURITY, "certificate's issuer is not trusted: \"%s\"", name);
}

static void explain_forgery(struct tls_trust *trust, X509 *certificate)
{
	CLEANUP(freep) char *name = show_name(X509_get_issuer_name(certificate));

	(void)err_set(&trust->err, ERR_SECURITY,
		"certificate names \"%s\" as its issuer, but the signature is not that CA's", name);
}

static void explain_date(struct tls_trust *trust, X509 *certificate, int depth, bool too_late)
{
	CLEANUP(freep) char *subject = show_name(X509_get_subject_name(certificate));
	CLEANUP(freep) char *whose = str_printf(" of its issuer \"%s\"", subject);
	char date[DATE_MAX];

	format_date(too_late ? X509_get0_notAfter(certificate) : X509_get0_notBefore(certificate),
		date);
	(void)err_set(&trust->err, ERR_SECURITY, "certificate%s %s %s", depth > 0 ? whose : "",
		too_late ? "expired on" : "is not valid before", date);
}

static void explain(struct tls_trust *trust, X509 *certificate, int code, int depth)
{
	switch (code) {
	case X509_V_ERR_HOSTNAME_MISMATCH:
	case X509_V_ERR_IP_ADDRESS_MISMATCH:
		explain_name(trust, certificate);
		break;
	case X509_V_ERR_CERT_HAS_EXPIRED:
	case X509_V_ERR_CERT_NOT_YET_VALID:
		explain_date(trust, certificate, depth, code == X509_V_ERR_CERT_HAS_EXPIRED);
		break;
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		if (trust->has_pin)
			(void)set_not_pinned(certificate, &trust->err);
		else
			(void)err_set(&trust->err, ERR_SECURITY,
				"certificate is self-signed and not trusted");
		break;
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
		explain_issuer(trust, certificate);
		break;
	case X509_V_ERR_INVALID_PURPOSE:
		(void)err_set(&trust->err, ERR_SECURITY, "certificate is not meant for a server");
		break;
	case X509_V_ERR_CERT_SIGNATURE_FAILURE:
		explain_forgery(trust, certificate);
		break;
	default:
		(void)err_set(&trust->err, ERR_SECURITY, "certificate cannot be trusted: %s",
			X509_verify_cert_error_string(code));
	}
}

/* --- one handshake --- */

static int on_verify(int ok, X509_STORE_CTX *store)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls_trust *trust = SSL_get_app_data(ssl);
	X509 *certificate = X509_STORE_CTX_get_current_cert(store);
	int code = X509_STORE_CTX_get_error(store);

	if (ok)
		return 1;
	if ((code == X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT ||
		    code == X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN) &&
		is_pinned(trust, certificate)) {
		X509_STORE_CTX_set_error(store, X509_V_OK);
		return 1;
	}
	if (!certificate)
		certificate = X509_STORE_CTX_get0_cert(store);
	explain(trust, certificate, code, X509_STORE_CTX_get_error_depth(store));
	return 0;
}

static bool expect_host(SSL *ssl, const char *host)
{
	X509_VERIFY_PARAM *param = SSL_get0_param(ssl);

	if (is_address(host))
		return X509_VERIFY_PARAM_set1_ip_asc(param, host) == 1;
	X509_VERIFY_PARAM_set_hostflags(
		param, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	/* to OpenSSL, a leading dot means any host of that domain */
	return host[0] != '.' && host[0] != '\0' &&
	       X509_VERIFY_PARAM_set1_host(param, host, 0) == 1 &&
	       SSL_set_tlsext_host_name(ssl, host) == 1;
}

bool tls_trust_begin(
	struct tls_trust *trust, const struct tls_options *options, SSL *ssl, struct err *err)
{
	size_t len = strlen(options->host);

	*trust = (struct tls_trust){.has_pin = options->pin_sha256 != NULL};
	trust->host = xstrndup(options->host, len - (len > 1 && options->host[len - 1] == '.'));
	if (options->pin_sha256 && !parse_pin(options->pin_sha256, trust->pin, err))
		return false;
	if (!expect_host(ssl, trust->host))
		return err_set(
			err, ERR_CONFIG, "%s: not a host name that TLS can verify", trust->host);
	SSL_set_app_data(ssl, trust);
	SSL_set_verify(ssl, SSL_VERIFY_PEER, on_verify);
	return true;
}

void tls_trust_free(struct tls_trust *trust)
{
	free(trust->host);
	trust->host = NULL;
}
