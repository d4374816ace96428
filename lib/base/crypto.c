#include "base/crypto.h"

#include <assert.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include "base/alloc.h"

/* Fetched once; EVP_sha256() would be fetched implicitly by every digest. */
static EVP_MD *the_sha256;

static void fetch_sha256(void)
{
	the_sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	assert(the_sha256);
}

static const EVP_MD *sha256_md(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	int failed = pthread_once(&once, fetch_sha256);

	assert(!failed);
	return the_sha256;
}

struct sha256 {
	EVP_MD_CTX *context;
};

static void begin_digest(struct sha256 *digest)
{
	int ok = EVP_DigestInit_ex(digest->context, sha256_md(), NULL);

	assert(ok == 1);
}

struct sha256 *sha256_new(void)
{
	struct sha256 *digest = xcalloc(1, sizeof(*digest));

	digest->context = EVP_MD_CTX_new();
	assert(digest->context);
	begin_digest(digest);
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
	begin_digest(digest);
}

void sha256_of(const void *data, size_t len, uint8_t out[SHA256_BYTES])
{
	int ok = EVP_Digest(data, len, out, NULL, sha256_md(), NULL);

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
	if (!HMAC(sha256_md(), key, (int)key_len, data, len, out, &out_len))
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
		sha256_md(), SHA256_BYTES, out);
	assert(ok == 1);
}

void hkdf_sha256(const void *key, size_t key_len, const void *salt, size_t salt_len,
	const void *info, size_t info_len, void *out, size_t out_len)
{
	static const uint8_t no_salt[SHA256_BYTES];
	uint8_t input[SHA256_BYTES + HKDF_INFO_BYTES_MAX + 1];
	uint8_t extracted[SHA256_BYTES];
	uint8_t block[SHA256_BYTES];
	size_t before = 0;

	assert(out_len <= HKDF_BYTES_MAX && info_len <= HKDF_INFO_BYTES_MAX);
	hmac_sha256(salt_len ? salt : no_salt, salt_len ? salt_len : sizeof(no_salt), key, key_len,
		extracted);
	for (size_t done = 0, number = 1; done < out_len; number++) {
		size_t part = out_len - done < SHA256_BYTES ? out_len - done : SHA256_BYTES;

		memcpy(input, block, before);
		if (info_len)
			memcpy(input + before, info, info_len);
		input[before + info_len] = (uint8_t)number;
		hmac_sha256(extracted, sizeof(extracted), input, before + info_len + 1, block);
		memcpy((uint8_t *)out + done, block, part);
		done += part;
		before = sizeof(block);
	}
	crypto_wipe(input, sizeof(input));
	crypto_wipe(extracted, sizeof(extracted));
	crypto_wipe(block, sizeof(block));
}

bool scrypt_sha256(const void *password, size_t password_len, const void *salt, size_t salt_len,
	struct scrypt_cost cost, void *out, size_t out_len)
{
	static pthread_mutex_t one_at_a_time = PTHREAD_MUTEX_INITIALIZER;
	int ok;

	if (cost.log_n < 1 || cost.log_n > 31 || cost.r == 0 || cost.p == 0)
		return false;
	(void)pthread_mutex_lock(&one_at_a_time);
	ok = EVP_PBE_scrypt(password, password_len, salt, salt_len, (uint64_t)1 << cost.log_n,
		cost.r, cost.p, SCRYPT_MEMORY_BYTES_MAX, out, out_len);
	(void)pthread_mutex_unlock(&one_at_a_time);
	return ok == 1;
}

/* --- AES-256-GCM --- */

struct gcm {
	EVP_CIPHER_CTX *encrypting;
	EVP_CIPHER_CTX *decrypting;
};

static EVP_CIPHER_CTX *new_context(const uint8_t *key, bool encrypts)
{
	EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();

	if (!context ||
		EVP_CipherInit_ex(context, EVP_aes_256_gcm(), NULL, key, NULL, encrypts) != 1)
		abort();
	return context;
}

struct gcm *gcm_new(const uint8_t key[GCM_KEY_BYTES])
{
	struct gcm *gcm = xcalloc(1, sizeof(*gcm));

	gcm->encrypting = new_context(key, true);
	gcm->decrypting = new_context(key, false);
	return gcm;
}

void gcm_freep(struct gcm **gcm)
{
	if (!*gcm)
		return;
	EVP_CIPHER_CTX_free((*gcm)->encrypting); /* clears the key */
	EVP_CIPHER_CTX_free((*gcm)->decrypting);
	free(*gcm);
	*gcm = NULL;
}

/* Everything but the tag. */
static bool run_gcm(EVP_CIPHER_CTX *context, const uint8_t *nonce, struct gcm_bytes additional,
	struct gcm_bytes in, void *out)
{
	int len;

	assert(in.len <= INT_MAX && additional.len <= INT_MAX);
	return EVP_CipherInit_ex(context, NULL, NULL, NULL, nonce, -1) == 1 &&
	       (additional.len == 0 || EVP_CipherUpdate(context, NULL, &len, additional.data,
					       (int)additional.len) == 1) &&
	       (in.len == 0 || EVP_CipherUpdate(context, out, &len, in.data, (int)in.len) == 1);
}

void gcm_encrypt(struct gcm *gcm, const uint8_t nonce[GCM_NONCE_BYTES], struct gcm_bytes additional,
	struct gcm_bytes in, void *out, uint8_t tag[GCM_TAG_BYTES])
{
	uint8_t none[GCM_TAG_BYTES];
	int len;

	if (!run_gcm(gcm->encrypting, nonce, additional, in, out) ||
		EVP_CipherFinal_ex(gcm->encrypting, none, &len) != 1 ||
		EVP_CIPHER_CTX_ctrl(gcm->encrypting, EVP_CTRL_GCM_GET_TAG, GCM_TAG_BYTES, tag) != 1)
		abort();
}

bool gcm_decrypt(struct gcm *gcm, const uint8_t nonce[GCM_NONCE_BYTES], struct gcm_bytes additional,
	struct gcm_bytes in, const uint8_t tag[GCM_TAG_BYTES], void *out)
{
	uint8_t wanted[GCM_TAG_BYTES];
	uint8_t none[GCM_TAG_BYTES];
	int len;

	memcpy(wanted, tag, sizeof(wanted));
	if (run_gcm(gcm->decrypting, nonce, additional, in, out) &&
		EVP_CIPHER_CTX_ctrl(
			gcm->decrypting, EVP_CTRL_GCM_SET_TAG, sizeof(wanted), wanted) == 1 &&
		EVP_CipherFinal_ex(gcm->decrypting, none, &len) == 1)
		return true;
	if (in.len)
		memset(out, 0, in.len);
	return false;
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
