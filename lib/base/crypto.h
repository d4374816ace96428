/*
 * The one door to OpenSSL's digests, key derivation and AES-GCM. TLS is in lib/net/tls*.c.
 */
#ifndef MAILSTOW_BASE_CRYPTO_H
#define MAILSTOW_BASE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

enum { SHA256_BYTES = 32, SHA256_HEX_MAX = 65, CRYPTO_BASE64_GROUP = 4 };
enum { GCM_KEY_BYTES = 32, GCM_NONCE_BYTES = 12, GCM_TAG_BYTES = 16 };
enum { HKDF_BYTES_MAX = 255 * SHA256_BYTES, HKDF_INFO_BYTES_MAX = 128 };
enum { SCRYPT_MEMORY_BYTES_MAX = 320 * 1024 * 1024 };

struct sha256; /* a digest in progress */

struct sha256 *sha256_new(void);
void sha256_freep(struct sha256 **digest);
void sha256_add(struct sha256 *digest, const void *data, size_t len);

/* Writes the digest and starts the next one. */
void sha256_finish(struct sha256 *digest, uint8_t out[SHA256_BYTES]);

void sha256_of(const void *data, size_t len, uint8_t out[SHA256_BYTES]);
void sha256_hex(const uint8_t digest[SHA256_BYTES], char out[SHA256_HEX_MAX]);

void hmac_sha256(
	const void *key, size_t key_len, const void *data, size_t len, uint8_t out[SHA256_BYTES]);

/* PBKDF2-HMAC-SHA-256 (RFC 8018), for SCRAM (RFC 7677). The caller limits iterations. */
void pbkdf2_sha256(const char *password, size_t password_len, const void *salt, size_t salt_len,
	uint32_t iterations, uint8_t out[SHA256_BYTES]);

/* HKDF-SHA-256 (RFC 5869), extract and expand. out_len: at most HKDF_BYTES_MAX. */
void hkdf_sha256(const void *key, size_t key_len, const void *salt, size_t salt_len,
	const void *info, size_t info_len, void *out, size_t out_len);

/*
 * scrypt (RFC 7914) with N = 2^log_n. Needs 128 * r * N bytes, so a mutex lets only one run at a
 * time in the process. False: out of memory, or the cost exceeds SCRYPT_MEMORY_BYTES_MAX.
 */
struct scrypt_cost {
	uint8_t log_n, r, p;
};
bool scrypt_sha256(const void *password, size_t password_len, const void *salt, size_t salt_len,
	struct scrypt_cost cost, void *out, size_t out_len) MUST_USE;

/*
 * AES-256-GCM (NIST SP 800-38D) with one key, whose schedule is computed once. One thread may
 * encrypt while another decrypts. Never use a nonce twice; random ones are safe for 2^32
 * encryptions.
 */
struct gcm;
struct gcm *gcm_new(const uint8_t key[GCM_KEY_BYTES]);
void gcm_freep(struct gcm **gcm);

struct gcm_bytes {
	const void *data;
	size_t len;
};

/* out has in's length and may be in itself. */
void gcm_encrypt(struct gcm *gcm, const uint8_t nonce[GCM_NONCE_BYTES], struct gcm_bytes additional,
	struct gcm_bytes in, void *out, uint8_t tag[GCM_TAG_BYTES]);
/* False: not encrypted with this key, nonce and additional data; out is then zeros. */
bool gcm_decrypt(struct gcm *gcm, const uint8_t nonce[GCM_NONCE_BYTES], struct gcm_bytes additional,
	struct gcm_bytes in, const uint8_t tag[GCM_TAG_BYTES], void *out) MUST_USE;

/* Compares in constant time. */
bool crypto_equal(const void *a, const void *b, size_t len);

/* Base64 (RFC 4648, padded, no line ends). The caller frees; the text is NUL-ended. */
char *base64_encode(const void *data, size_t len) MUST_USE;

/* Strict: false for any byte outside the alphabet or wrong padding. The caller frees *ret_data. */
bool base64_decode(const char *text, size_t len, uint8_t **ret_data, size_t *ret_len) MUST_USE;

/* Overwrites a secret in a way that the compiler does not optimise out. */
void crypto_wipe(void *data, size_t len);

#endif
