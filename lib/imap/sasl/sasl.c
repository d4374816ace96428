#include "imap/sasl/sasl.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/rand.h"
#include "base/str.h"
#include "imap/limits.h"

static bool too_long(struct err *err)
{
	return err_set(err, ERR_CONFIG, "user name and password together are longer than %d bytes",
		SASL_MESSAGE_MAX);
}

bool sasl_plain(const char *act_for, const char *user, const char *password, struct buf *out,
	struct err *err)
{
	if (!buf_add_str(out, act_for ? act_for : "") || !buf_add_byte(out, '\0') ||
		!buf_add_str(out, user) || !buf_add_byte(out, '\0') || !buf_add_str(out, password))
		return too_long(err);
	return true;
}

void scram_free(struct scram *scram)
{
	free(scram->header);
	free(scram->first_bare);
	crypto_wipe(scram, sizeof(*scram));
}

/* saslname: escapes ',' and '=' (RFC 5802 section 5.1). */
static bool add_name(struct buf *out, const char *name)
{
	for (; *name; name++) {
		if (*name == ','       ? !buf_add_str(out, "=2C")
			: *name == '=' ? !buf_add_str(out, "=3D")
				       : !buf_add_byte(out, (uint8_t)*name))
			return false;
	}
	return true;
}

static char *random_nonce(void)
{
	uint8_t bytes[SCRAM_NONCE_BYTES];

	rand_bytes(bytes, sizeof(bytes));
	return base64_encode(bytes, sizeof(bytes));
}

bool scram_first(struct scram *scram, const char *act_for, const char *user, const char *nonce,
	struct buf *out, struct err *err)
{
	CLEANUP(buf_free) struct buf header = BUF_INIT(SASL_MESSAGE_MAX);
	CLEANUP(buf_free) struct buf bare = BUF_INIT(SASL_MESSAGE_MAX);
	CLEANUP(freep) char *own = nonce ? xstrdup(nonce) : random_nonce();
	size_t nonce_at;

	*scram = (struct scram){0};
	if (!buf_add_str(&header, act_for ? "n,a=" : "n,") ||
		!add_name(&header, act_for ? act_for : "") || !buf_add_str(&header, ",") ||
		!buf_add_str(&bare, "n=") || !add_name(&bare, user) || !buf_add_str(&bare, ",r="))
		return too_long(err);
	nonce_at = bare.len;
	if (!buf_add_str(&bare, own) || !buf_add(out, header.data, header.len) ||
		!buf_add(out, bare.data, bare.len))
		return too_long(err);
	scram->header = buf_take_str(&header);
	scram->first_bare = buf_take_str(&bare);
	scram->nonce = scram->first_bare + nonce_at;
	return true;
}

/* "x=value" up to the next comma. Moves *text past it. */
static bool take_attribute(const char **text, char name, const char **ret_value, size_t *ret_len)
{
	const char *start = *text;

	if (start[0] != name || start[1] != '=')
		return false;
	*ret_value = start + 2;
	*ret_len = strcspn(*ret_value, ",");
	*text = *ret_value + *ret_len;
	*text += **text == ',';
	return *ret_len > 0;
}

struct server_first {
	const char *nonce;
	size_t nonce_len;
	uint8_t *salt;
	size_t salt_len;
	uint32_t iterations;
};

static void server_first_free(struct server_first *first)
{
	free(first->salt);
}

static bool check_iterations(const char *text, size_t len, uint32_t *ret_count, struct err *err)
{
	CLEANUP(freep) char *digits = xstrndup(text, len);
	uint64_t count;

	if (!str_parse_u64(digits, &count))
		return err_set(
			err, ERR_PROTOCOL, "SCRAM: the server's iteration count is not a number");
	if (count < IMAP_SCRAM_ITERATIONS_MIN || count > IMAP_SCRAM_ITERATIONS_MAX)
		return err_set(err, ERR_SECURITY,
			"SCRAM: server asks for %s iterations; %d to %d are allowed", digits,
			IMAP_SCRAM_ITERATIONS_MIN, IMAP_SCRAM_ITERATIONS_MAX);
	*ret_count = (uint32_t)count;
	return true;
}

static bool parse_server_first(
	const struct scram *scram, const char *text, struct server_first *ret, struct err *err)
{
	size_t own_len = strlen(scram->nonce), salt_len, count_len;
	const char *salt, *count;

	if (!take_attribute(&text, 'r', &ret->nonce, &ret->nonce_len) ||
		!take_attribute(&text, 's', &salt, &salt_len) ||
		!take_attribute(&text, 'i', &count, &count_len))
		return err_set(err, ERR_PROTOCOL, "SCRAM: malformed message from the server");
	if (ret->nonce_len <= own_len || memcmp(ret->nonce, scram->nonce, own_len) != 0)
		return err_set(
			err, ERR_SECURITY, "SCRAM: the server's nonce does not begin with ours");
	if (!check_iterations(count, count_len, &ret->iterations, err))
		return false;
	if (!base64_decode(salt, salt_len, &ret->salt, &ret->salt_len))
		return err_set(err, ERR_PROTOCOL, "SCRAM: the server's salt is not base64");
	return true;
}

struct keys {
	uint8_t salted[SHA256_BYTES];
	uint8_t client[SHA256_BYTES];
	uint8_t stored[SHA256_BYTES];
	uint8_t server[SHA256_BYTES];
	uint8_t proof[SHA256_BYTES];
};

static void wipe_keys(struct keys *keys)
{
	crypto_wipe(keys, sizeof(*keys));
}

static void prove(struct scram *scram, const char *password, const struct server_first *first,
	const char *auth_message, struct keys *keys)
{
	size_t len = strlen(auth_message);

	pbkdf2_sha256(password, strlen(password), first->salt, first->salt_len, first->iterations,
		keys->salted);
	hmac_sha256(keys->salted, SHA256_BYTES, "Client Key", strlen("Client Key"), keys->client);
	sha256_of(keys->client, SHA256_BYTES, keys->stored);
	hmac_sha256(keys->stored, SHA256_BYTES, auth_message, len, keys->proof);
	for (size_t i = 0; i < SHA256_BYTES; i++)
		keys->proof[i] ^= keys->client[i];
	hmac_sha256(keys->salted, SHA256_BYTES, "Server Key", strlen("Server Key"), keys->server);
	hmac_sha256(keys->server, SHA256_BYTES, auth_message, len, scram->server_signature);
}

bool scram_final(struct scram *scram, const char *password, const void *server_first, size_t len,
	struct buf *out, struct err *err)
{
	CLEANUP(freep) char *text = xstrndup(server_first, len);
	CLEANUP(server_first_free) struct server_first first = {0};
	CLEANUP(wipe_keys) struct keys keys = {0};
	CLEANUP(freep) char *header64 = base64_encode(scram->header, strlen(scram->header));
	CLEANUP(freep) char *without_proof = NULL, *auth_message = NULL, *proof64 = NULL;

	if (!parse_server_first(scram, text, &first, err))
		return false;
	without_proof = str_printf("c=%s,r=%.*s", header64, (int)first.nonce_len, first.nonce);
	auth_message = str_printf("%s,%s,%s", scram->first_bare, text, without_proof);
	prove(scram, password, &first, auth_message, &keys);
	proof64 = base64_encode(keys.proof, SHA256_BYTES);
	if (!buf_printf(out, "%s,p=%s", without_proof, proof64))
		return err_set(err, ERR_PROTOCOL, "SCRAM: the server's nonce is too long");
	return true;
}

bool scram_verify(const struct scram *scram, const void *server_final, size_t len, struct err *err)
{
	CLEANUP(freep) char *text = xstrndup(server_final, len);
	CLEANUP(freep) uint8_t *signature = NULL;
	const char *at = text, *value;
	size_t value_len, signature_len;

	if (take_attribute(&at, 'e', &value, &value_len)) {
		CLEANUP(freep) char *shown = str_printable(value, value_len, 80);

		return err_set(err, ERR_AUTH, "SCRAM: refused, server says: %s", shown);
	}
	if (!take_attribute(&at, 'v', &value, &value_len) ||
		!base64_decode(value, value_len, &signature, &signature_len) ||
		signature_len != SHA256_BYTES ||
		!crypto_equal(signature, scram->server_signature, SHA256_BYTES))
		return err_set(err, ERR_SECURITY,
			"SCRAM: the server did not prove that it knows the password");
	return true;
}
