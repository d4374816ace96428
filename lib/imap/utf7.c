#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "imap/name.h"

/* Base64 of 16-bit units, with ',' for '/' and no padding (RFC 3501 section 5.1.3). */
static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

enum {
	DIGIT_BITS = 6,
	UNIT_BITS = 16,
	BYTES_OF_BYTE_MAX = 5, /* "&xxx-" */
	SURROGATE_HIGH = 0xd800,
	SURROGATE_LOW = 0xdc00,
	SURROGATE_END = 0xe000,
	SURROGATE_BASE = 0x10000,
	SURROGATE_SHIFT = 10,
	SURROGATE_MASK = 0x3ff,
};

/* --- decoding --- */

struct decoder {
	uint8_t *out;
	uint32_t bits;
	unsigned count; /* of bits that are not used yet */
	uint32_t high;  /* first half of a surrogate pair; 0: none */
};

static bool is_printable(uint32_t c)
{
	return c >= ' ' && c <= '~';
}

/* One UTF-16 unit. Characters that need no base64 are not valid here. */
static bool take_unit(struct decoder *decoder, uint32_t unit)
{
	if (decoder->high) {
		if (unit < SURROGATE_LOW || unit >= SURROGATE_END)
			return false;
		unit = SURROGATE_BASE + ((decoder->high - SURROGATE_HIGH) << SURROGATE_SHIFT) +
		       (unit - SURROGATE_LOW);
		decoder->high = 0;
	} else if (unit >= SURROGATE_HIGH && unit < SURROGATE_LOW) {
		decoder->high = unit;
		return true;
	} else if (unit >= SURROGATE_LOW && unit < SURROGATE_END) {
		return false;
	}
	if (unit == 0 || is_printable(unit))
		return false;
	decoder->out += str_utf8_encode(unit, decoder->out);
	return true;
}

/* Decodes from after '&' to the '-', and returns what follows it. NULL: not valid. */
static const char *decode_shifted(struct decoder *decoder, const char *wire)
{
	decoder->bits = 0;
	decoder->count = 0;
	for (; *wire != '-'; wire++) {
		const char *digit = *wire ? strchr(alphabet, *wire) : NULL;

		if (!digit)
			return NULL;
		decoder->bits = decoder->bits << DIGIT_BITS | (uint32_t)(digit - alphabet);
		decoder->count += DIGIT_BITS;
		if (decoder->count < UNIT_BITS)
			continue;
		decoder->count -= UNIT_BITS;
		if (!take_unit(decoder, decoder->bits >> decoder->count & UINT16_MAX))
			return NULL;
		decoder->bits &= (1U << decoder->count) - 1;
	}
	if (decoder->high || decoder->bits || decoder->count >= DIGIT_BITS)
		return NULL;
	return wire + 1;
}

char *utf7_decode(const char *wire)
{
	CLEANUP(freep) uint8_t *text = xmalloc(strlen(wire) * 2 + 1);
	struct decoder decoder = {.out = text};
	bool shifted_before = false;

	while (*wire) {
		if (!is_printable((uint8_t)*wire))
			return NULL;
		if (wire[0] != '&' || wire[1] == '-') {
			*decoder.out++ = (uint8_t)*wire;
			wire += *wire == '&' ? 2 : 1;
			shifted_before = false;
			continue;
		}
		if (shifted_before)
			return NULL;
		shifted_before = true;
		wire = decode_shifted(&decoder, wire + 1);
		if (!wire)
			return NULL;
	}
	*decoder.out = '\0';
	return (char *)TAKE(text);
}

/* --- encoding --- */

struct encoder {
	char *out;
	uint32_t bits;
	unsigned count;
	bool shifted;
};

static void put_unit(struct encoder *encoder, uint32_t unit)
{
	encoder->bits = encoder->bits << UNIT_BITS | unit;
	encoder->count += UNIT_BITS;
	while (encoder->count >= DIGIT_BITS) {
		encoder->count -= DIGIT_BITS;
		*encoder->out++ = alphabet[encoder->bits >> encoder->count & 63];
	}
	encoder->bits &= (1U << encoder->count) - 1;
}

static void put_code_point(struct encoder *encoder, uint32_t c)
{
	if (!encoder->shifted)
		*encoder->out++ = '&';
	encoder->shifted = true;
	if (c < SURROGATE_BASE) {
		put_unit(encoder, c);
		return;
	}
	c -= SURROGATE_BASE;
	put_unit(encoder, SURROGATE_HIGH + (c >> SURROGATE_SHIFT));
	put_unit(encoder, SURROGATE_LOW + (c & SURROGATE_MASK));
}

static void shift_back(struct encoder *encoder)
{
	if (!encoder->shifted)
		return;
	if (encoder->count > 0)
		*encoder->out++ = alphabet[encoder->bits << (DIGIT_BITS - encoder->count) & 63];
	*encoder->out++ = '-';
	*encoder = (struct encoder){.out = encoder->out};
}

char *utf7_encode(const char *utf8)
{
	size_t len = strlen(utf8);
	char *wire = xmalloc(len * BYTES_OF_BYTE_MAX + 1);
	struct encoder encoder = {.out = wire};

	while (len > 0) {
		uint32_t c;
		size_t used = str_utf8_decode((const uint8_t *)utf8, len, &c);

		if (used == 0) {
			free(wire);
			return NULL;
		}
		if (is_printable(c)) {
			shift_back(&encoder);
			*encoder.out++ = (char)c;
			if (c == '&')
				*encoder.out++ = '-';
		} else {
			put_code_point(&encoder, c);
		}
		utf8 += used;
		len -= used;
	}
	shift_back(&encoder);
	*encoder.out = '\0';
	return wire;
}
