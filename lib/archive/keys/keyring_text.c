/* Keys as people type them. */
#include <string.h>

#include "archive/keys/keyring.h"

enum {
	DIGIT_BITS = 5,
	KEY_DIGITS = KEYRING_RECOVERY_BYTES * 8 / DIGIT_BITS,
	CHECK_DIGITS = 4,
	DIGITS = KEY_DIGITS + CHECK_DIGITS,
	GROUP = 4,
};

static const char digits[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

static uint8_t digit_at(const uint8_t *bytes, size_t index)
{
	uint8_t value = 0;

	for (size_t bit = index * DIGIT_BITS; bit < (index + 1) * DIGIT_BITS; bit++)
		value = (uint8_t)(value << 1 | (bytes[bit / 8] >> (7 - bit % 8) & 1));
	return value;
}

static void digits_of(const uint8_t key[KEYRING_RECOVERY_BYTES], uint8_t out[DIGITS])
{
	uint8_t sha256[SHA256_BYTES];

	sha256_of(key, KEYRING_RECOVERY_BYTES, sha256);
	for (size_t i = 0; i < KEY_DIGITS; i++)
		out[i] = digit_at(key, i);
	for (size_t i = 0; i < CHECK_DIGITS; i++)
		out[KEY_DIGITS + i] = digit_at(sha256, i);
	crypto_wipe(sha256, sizeof(sha256));
}

void keyring_recovery_print(
	const uint8_t key[KEYRING_RECOVERY_BYTES], char out[KEYRING_RECOVERY_TEXT])
{
	uint8_t values[DIGITS];

	digits_of(key, values);
	for (size_t i = 0; i < DIGITS; i++) {
		if (i > 0 && i % GROUP == 0)
			*out++ = '-';
		*out++ = digits[values[i]];
	}
	*out = '\0';
	crypto_wipe(values, sizeof(values));
}

static bool read_digit(char c, uint8_t *ret_value)
{
	const char *at;

	if (c >= 'a' && c <= 'z')
		c = (char)(c - 'a' + 'A');
	if (c == 'O')
		c = '0';
	if (c == 'I' || c == 'L')
		c = '1';
	at = c ? strchr(digits, c) : NULL;
	*ret_value = at ? (uint8_t)(at - digits) : 0;
	return at != NULL;
}

static bool read_digits(const char *text, size_t len, uint8_t out[DIGITS])
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++) {
		if (text[i] == '-' || text[i] == ' ')
			continue;
		if (count == DIGITS || !read_digit(text[i], &out[count]))
			return false;
		count++;
	}
	return count == DIGITS;
}

bool keyring_recovery_parse(const char *text, size_t len, uint8_t out[KEYRING_RECOVERY_BYTES])
{
	uint8_t given[DIGITS];
	uint8_t right[DIGITS];
	uint8_t key[KEYRING_RECOVERY_BYTES] = {0};
	bool good = read_digits(text, len, given);

	for (size_t bit = 0; good && bit < sizeof(key) * 8; bit++) {
		uint8_t digit = given[bit / DIGIT_BITS];

		if (digit >> (DIGIT_BITS - 1 - bit % DIGIT_BITS) & 1)
			key[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	}
	if (good) {
		digits_of(key, right);
		good = crypto_equal(given, right, DIGITS);
		crypto_wipe(right, sizeof(right));
	}
	if (good)
		memcpy(out, key, sizeof(key));
	crypto_wipe(given, sizeof(given));
	crypto_wipe(key, sizeof(key));
	return good;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

bool keyring_key_parse(const char *text, size_t len, uint8_t out[KEYRING_KEY_BYTES])
{
	if (len != (size_t)KEYRING_KEY_BYTES * 2)
		return false;
	for (size_t i = 0; i < KEYRING_KEY_BYTES; i++) {
		int high = hex_value(text[i * 2]);
		int low = hex_value(text[i * 2 + 1]);

		if (high < 0 || low < 0)
			return false;
		out[i] = (uint8_t)(high << 4 | low);
	}
	return true;
}
