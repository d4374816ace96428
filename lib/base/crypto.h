/*
 * The one door to OpenSSL's digests (and, with encrypted archives, its AEAD and KDF). TLS has its
 * own door, lib/net/tls.c.
 */
#ifndef MAILSTOW_BASE_CRYPTO_H
#define MAILSTOW_BASE_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

enum { SHA256_BYTES = 32, SHA256_HEX_MAX = 65, CRYPTO_BASE64_GROUP = 4 };

struct sha256; /* a digest under way */

struct sha256 *sha256_new(void);
void sha256_freep(struct sha256 **digest);
void sha256_add(struct sha256 *digest, const void *data, size_t len);

/* Write the digest and start anew. */
void sha256_finish(struct sha256 *digest, uint8_t out[SHA256_BYTES]);

void sha256_of(const void *data, size_t len, uint8_t out[SHA256_BYTES]);
void sha256_hex(const uint8_t digest[SHA256_BYTES], char out[SHA256_HEX_MAX]);

void hmac_sha256(
	const void *key, size_t key_len, const void *data, size_t len, uint8_t out[SHA256_BYTES]);

/* PBKDF2-HMAC-SHA-256 (RFC 8018), for SCRAM (RFC 7677). iterations is the caller's to bound. */
void pbkdf2_sha256(const char *password, size_t password_len, const void *salt, size_t salt_len,
	uint32_t iterations, uint8_t out[SHA256_BYTES]);

/* Compare in constant time. */
bool crypto_equal(const void *a, const void *b, size_t len);

/* Base64 (RFC 4648, padded, no line ends). The caller frees; the text is NUL-ended. */
char *base64_encode(const void *data, size_t len) MUST_USE;

/* Strict: false on any byte outside the alphabet or wrong padding. The caller frees *ret_data. */
bool base64_decode(const char *text, size_t len, uint8_t **ret_data, size_t *ret_len) MUST_USE;

/* Overwrite a secret so that the compiler cannot leave it out. */
void crypto_wipe(void *data, size_t len);

#endif
