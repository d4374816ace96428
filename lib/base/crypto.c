#include "base/crypto.h"

#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/alloc.h"

struct sha256 {
	EVP_MD_CTX *context;
};

static void start(struct sha256 *digest)
{
	int ok = EVP_DigestInit_ex(digest->context, EVP_sha256(), NULL);

	assert(ok == 1);
}

struct sha256 *sha256_new(void)
{
	struct sha256 *digest = xcalloc(1, sizeof(*digest));

	digest->context = EVP_MD_CTX_new();
	assert(digest->context);
	start(digest);
	return digest;
}

void sha256_freep(struct sha256 **digest)
{
	if (!*digest)
		return;
	EVP_MD_CTX_free((*digest)->context);
	free(*digest);
	*digest = NULL;
}

void sha256_add(struct sha256 *digest, const void *data, size_t len)
{
	int ok = EVP_DigestUpdate(digest->context, data, len);

	assert(ok == 1);
}

void sha256_finish(struct sha256 *digest, uint8_t out[SHA256_BYTES])
{
	unsigned len = 0;
	int ok = EVP_DigestFinal_ex(digest->context, out, &len);

	assert(ok == 1 && len == SHA256_BYTES);
	start(digest);
}

void sha256_of(const void *data, size_t len, uint8_t out[SHA256_BYTES])
{
	int ok = EVP_Digest(data, len, out, NULL, EVP_sha256(), NULL);

	assert(ok == 1);
}

void sha256_hex(const uint8_t digest[SHA256_BYTES], char out[SHA256_HEX_MAX])
{
	for (size_t i = 0; i < SHA256_BYTES; i++)
		(void)snprintf(out + i * 2, 3, "%02x", digest[i]);
}

void hmac_sha256(
	const void *key, size_t key_len, const void *data, size_t len, uint8_t out[SHA256_BYTES])
{
	unsigned out_len = 0;

	assert(key_len <= INT_MAX);
	if (!HMAC(EVP_sha256(), key, (int)key_len, data, len, out, &out_len))
		abort();
	assert(out_len == SHA256_BYTES);
}

void pbkdf2_sha256(const char *password, size_t password_len, const void *salt, size_t salt_len,
	uint32_t iterations, uint8_t out[SHA256_BYTES])
{
	int ok;

	assert(password_len <= INT_MAX && salt_len <= INT_MAX);
	assert(iterations > 0 && iterations <= INT_MAX);
	ok = PKCS5_PBKDF2_HMAC(password, (int)password_len, salt, (int)salt_len, (int)iterations,
		EVP_sha256(), SHA256_BYTES, out);
	assert(ok == 1);
}

bool crypto_equal(const void *a, const void *b, size_t len)
{
	return CRYPTO_memcmp(a, b, len) == 0;
}

char *base64_encode(const void *data, size_t len)
{
	char *text = xmalloc((len + 2) / 3 * CRYPTO_BASE64_GROUP + 1);

	assert(len <= INT_MAX / 2);
	(void)EVP_EncodeBlock((unsigned char *)text, data, (int)len);
	return text;
}

bool base64_decode(const char *text, size_t len, uint8_t **ret_data, size_t *ret_len)
{
	static const char alphabet[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t padding = 0;
	CLEANUP(freep) uint8_t *data = NULL;

	if (len % CRYPTO_BASE64_GROUP != 0 || len > INT_MAX)
		return false;
	while (padding < 2 && padding < len && text[len - 1 - padding] == '=')
		padding++;
	for (size_t i = 0; i < len - padding; i++)
		if (!text[i] || !strchr(alphabet, text[i]))
			return false;
	data = xmalloc(len / CRYPTO_BASE64_GROUP * 3 + 1);
	if (len > 0 && EVP_DecodeBlock(data, (const unsigned char *)text, (int)len) < 0)
		return false;
	*ret_len = len / CRYPTO_BASE64_GROUP * 3 - padding;
	*ret_data = TAKE(data);
	return true;
}

void crypto_wipe(void *data, size_t len)
{
	OPENSSL_cleanse(data, len);
}
