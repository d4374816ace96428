/* Vectors of RFC 4231, 5869, 7914 and the GCM specification, and the memory that holds keys. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/crypto.h"
#include "base/secret.h"
#include "support/check.h"

enum {
	BYTES_MAX = 256,
	THREADS = 6,
	LOG_N = 15,
	SCRYPT_KIB = 32 * 1024, /* memory that this N needs */
};

struct bytes {
	uint8_t data[BYTES_MAX];
	size_t len;
};

static struct bytes hex(const char *text)
{
	struct bytes bytes = {0};
	for (; *text; text += 2) {
		char pair[3] = {text[0], text[1], '\0'};

		bytes.data[bytes.len++] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return bytes;
}

static void check_bytes(const void *got, const char *wanted)
{
	struct bytes bytes = hex(wanted);

	CHECK(memcmp(got, bytes.data, bytes.len) == 0);
}

static void hmac_matches_rfc_4231(void)
{
	struct bytes key = hex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b");
	uint8_t out[SHA256_BYTES];

	hmac_sha256(key.data, key.len, "Hi There", 8, out);
	check_bytes(out, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
}

static void hkdf_matches_rfc_5869(void)
{
	struct bytes key = hex("0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b");
	struct bytes salt = hex("000102030405060708090a0b0c");
	struct bytes info = hex("f0f1f2f3f4f5f6f7f8f9");
	uint8_t out[42];

	hkdf_sha256(key.data, key.len, salt.data, salt.len, info.data, info.len, out, sizeof(out));
	check_bytes(out, "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf"
			 "34007208d5b887185865");
	hkdf_sha256(key.data, key.len, NULL, 0, NULL, 0, out, sizeof(out));
	check_bytes(out, "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"
			 "9d201395faa4b61a96c8");
}

static void scrypt_matches_rfc_7914(void)
{
	uint8_t out[64];

	CHECK(scrypt_sha256("", 0, "", 0, (struct scrypt_cost){4, 1, 1}, out, sizeof(out)));
	check_bytes(out, "77d6576238657b203b19ca42c18a0497f16b4844e3074ae8dfdffa3fede21442"
			 "fcd0069ded0948f8326a753a0fc81f17e8d3e0fb2e0d3628cf35e20c38d18906");
	CHECK(scrypt_sha256(
		"password", 8, "NaCl", 4, (struct scrypt_cost){10, 8, 16}, out, sizeof(out)));
	check_bytes(out, "fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b373162"
			 "2eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640");
}

static void scrypt_refuses_costs_that_need_too_much_memory(void)
{
	uint8_t out[32];

	CHECK(!scrypt_sha256("a", 1, "b", 1, (struct scrypt_cost){30, 8, 1}, out, sizeof(out)));
	CHECK(!scrypt_sha256("a", 1, "b", 1, (struct scrypt_cost){64, 8, 1}, out, sizeof(out)));
	CHECK(!scrypt_sha256("a", 1, "b", 1, (struct scrypt_cost){0, 0, 0}, out, sizeof(out)));
}

static const char gcm_key[] = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";
static const char gcm_plain[] = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72"
				"1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b39";
static const char gcm_encrypted[] =
	"522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa"
	"8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662";

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { MEMORY_IS_PLAIN = false }; /* ASan keeps freed memory and shadows all memory */
#else
enum { MEMORY_IS_PLAIN = true };
#endif

static void *run_scrypt(void *context)
{
	uint8_t out[32];

	(void)context;
	return scrypt_sha256("a", 1, "b", 1, (struct scrypt_cost){LOG_N, 8, 1}, out, sizeof(out))
		       ? NULL
		       : context;
}

static long resident_max_kib(void)
{
	struct rusage usage;

	(void)getrusage(RUSAGE_SELF, &usage);
	return usage.ru_maxrss;
}

/* In its own process. True: all runs together needed the memory of one. */
static bool takes_memory_once(void)
{
	pthread_t threads[THREADS];
	long before = resident_max_kib();

	for (size_t i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, run_scrypt, threads) != 0)
			return false;
	for (size_t i = 0; i < THREADS; i++) {
		void *failed;

		if (pthread_join(threads[i], &failed) != 0 || failed)
			return false;
	}
	return !MEMORY_IS_PLAIN || resident_max_kib() - before < 2 * SCRYPT_KIB;
}

static void scrypt_never_runs_twice_at_once(void)
{
	pid_t pid = fork();
	int status;

	CHECK(pid >= 0);
	if (pid == 0)
		_exit(takes_memory_once() ? 0 : 1);
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

static void gcm_matches_its_specification(void)
{
	struct bytes key = hex(gcm_key);
	struct bytes nonce = hex("cafebabefacedbaddecaf888");
	struct bytes additional = hex("feedfacedeadbeeffeedfacedeadbeefabaddad2");
	struct bytes plain = hex(gcm_plain);
	struct gcm_bytes aad = {additional.data, additional.len};
	CLEANUP(gcm_freep) struct gcm *gcm = gcm_new(key.data);
	uint8_t out[BYTES_MAX];
	uint8_t tag[GCM_TAG_BYTES];

	for (int i = 0; i < 2; i++) {
		gcm_encrypt(
			gcm, nonce.data, aad, (struct gcm_bytes){plain.data, plain.len}, out, tag);
		check_bytes(out, gcm_encrypted);
		check_bytes(tag, "76fc6ece0f4e1768cddf8853bb2d551b");
		CHECK(gcm_decrypt(
			gcm, nonce.data, aad, (struct gcm_bytes){out, plain.len}, tag, out));
		check_bytes(out, gcm_plain);
	}
}

static void gcm_encrypts_empty_input(void)
{
	static const uint8_t zeros[GCM_KEY_BYTES];
	CLEANUP(gcm_freep) struct gcm *gcm = gcm_new(zeros);
	uint8_t out[16];
	uint8_t tag[GCM_TAG_BYTES];

	gcm_encrypt(gcm, zeros, (struct gcm_bytes){0}, (struct gcm_bytes){zeros, 0}, out, tag);
	check_bytes(tag, "530f8afbc74536b9a963b4f1c4cb738b");
	gcm_encrypt(gcm, zeros, (struct gcm_bytes){0}, (struct gcm_bytes){zeros, 16}, out, tag);
	check_bytes(out, "cea7403d4d606b6e074ec5d3baf39d18");
	check_bytes(tag, "d0d1c8a799996bf0265b98b5d48ab919");
}

static void gcm_refuses_changed_input(void)
{
	struct bytes key = hex(gcm_key);
	uint8_t nonce[GCM_NONCE_BYTES] = {1};
	struct gcm_bytes aad = {"frame", 5};
	CLEANUP(gcm_freep) struct gcm *gcm = gcm_new(key.data);
	uint8_t encrypted[8];
	uint8_t out[8] = "xxxxxxx";
	uint8_t tag[GCM_TAG_BYTES];
	struct gcm_bytes in = {encrypted, sizeof(encrypted)};

	gcm_encrypt(gcm, nonce, aad, (struct gcm_bytes){"a secret", 8}, encrypted, tag);
	CHECK(gcm_decrypt(gcm, nonce, aad, in, tag, out));
	CHECK(memcmp(out, "a secret", 8) == 0);
	CHECK(!gcm_decrypt(gcm, nonce, (struct gcm_bytes){"Frame", 5}, in, tag, out));
	check_bytes(out, "0000000000000000");
	encrypted[3] ^= 1;
	CHECK(!gcm_decrypt(gcm, nonce, aad, in, tag, out));
	encrypted[3] ^= 1;
	tag[0] ^= 1;
	CHECK(!gcm_decrypt(gcm, nonce, aad, in, tag, out));
}

static void a_secret_has_its_own_pages(void)
{
	CLEANUP(secret_freep) struct secret *one = secret_copy("key", 3);
	CLEANUP(secret_freep) struct secret *other = secret_new(5000);

	CHECK_INT(one->len, 3);
	CHECK(memcmp(one->data, "key", 3) == 0);
	CHECK(other->data[0] == 0 && other->data[4999] == 0);
	CHECK(other->mapped >= 5000);
	secret_freep(&one);
	CHECK(!one);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(hmac_matches_rfc_4231),
		PROMISE(hkdf_matches_rfc_5869),
		PROMISE(scrypt_matches_rfc_7914),
		PROMISE(scrypt_refuses_costs_that_need_too_much_memory),
		PROMISE(scrypt_never_runs_twice_at_once),
		PROMISE(gcm_matches_its_specification),
		PROMISE(gcm_encrypts_empty_input),
		PROMISE(gcm_refuses_changed_input),
		PROMISE(a_secret_has_its_own_pages),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
