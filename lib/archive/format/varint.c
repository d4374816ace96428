#include "archive/format/varint.h"

#include <string.h>

enum { VARINT_BYTES_MAX = 10, SEVEN_BITS = 0x7f, MORE = 0x80 };

struct text text_of(const char *string)
{
	return (struct text){string ? string : "", string ? strlen(string) : 0};
}

bool text_equal(struct text text, const char *string)
{
	return strlen(string) == text.len && memcmp(text.data, string, text.len) == 0;
}

bool put_uint(struct buf *out, uint64_t value)
{
	uint8_t bytes[VARINT_BYTES_MAX];
	size_t len = 0;

	while (value > SEVEN_BITS) {
		bytes[len++] = (uint8_t)(value | MORE);
		value >>= 7;
	}
	bytes[len++] = (uint8_t)value;
	return buf_add(out, bytes, len);
}

bool put_int(struct buf *out, int64_t value)
{
	return put_uint(out, ((uint64_t)value << 1) ^ (uint64_t)(value >> 63));
}

bool put_text(struct buf *out, struct text text)
{
	return put_uint(out, text.len) && buf_add(out, text.data, text.len);
}

uint64_t get_uint(struct reader *reader)
{
	uint64_t value = 0;

	for (unsigned shift = 0; !reader->bad && reader->at < reader->end; shift += 7) {
		uint8_t byte = *reader->at++;

		if (shift == 63 && byte > 1)
			break;
		value |= (uint64_t)(byte & SEVEN_BITS) << shift;
		if (byte & MORE)
			continue;
		if (byte == 0 && shift > 0)
			break;
		return value;
	}
	reader->bad = true;
	return 0;
}

uint64_t get_uint_max(struct reader *reader, uint64_t max)
{
	uint64_t value = get_uint(reader);

	if (value <= max)
		return value;
	reader->bad = true;
	return 0;
}

int64_t get_int(struct reader *reader)
{
	uint64_t value = get_uint(reader);

	return (int64_t)(value >> 1) ^ -(int64_t)(value & 1);
}

const uint8_t *get_bytes(struct reader *reader, size_t len)
{
	const uint8_t *bytes = reader->at;

	if (reader->bad || len > (size_t)(reader->end - reader->at)) {
		reader->bad = true;
		return NULL;
	}
	reader->at += len;
	return bytes;
}

struct text get_text(struct reader *reader, size_t max)
{
	size_t len = get_uint_max(reader, max);
	const uint8_t *bytes = get_bytes(reader, len);

	if (!bytes || memchr(bytes, 0, len)) {
		reader->bad = true;
		return text_of("");
	}
	return (struct text){(const char *)bytes, len};
}
