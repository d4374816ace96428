#include "base/buf.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

enum { BUF_CAP_FIRST = 64 };

void buf_init(struct buf *buf, size_t max_bytes)
{
	*buf = (struct buf)BUF_INIT(max_bytes);
}

void buf_free(struct buf *buf)
{
	free(buf->data);
	buf_init(buf, buf->max);
}

void buf_reset(struct buf *buf)
{
	buf->len = 0;
}

void buf_wipe(struct buf *buf)
{
	if (buf->data)
		explicit_bzero(buf->data, buf->cap);
	buf_free(buf);
}

uint8_t *buf_reserve(struct buf *buf, size_t len)
{
	size_t wanted;

	assert(buf->max > 0);
	assert(buf->len <= buf->max);
	if (len > buf->max - buf->len)
		return NULL;
	wanted = buf->len + len + 1;
	if (wanted > buf->cap) {
		size_t cap = buf->cap ? buf->cap : BUF_CAP_FIRST;

		while (cap < wanted)
			cap *= 2;
		buf->data = xrealloc(buf->data, cap);
		buf->cap = cap;
	}
	return buf->data + buf->len;
}

bool buf_add(struct buf *buf, const void *data, size_t len)
{
	uint8_t *end = buf_reserve(buf, len);

	if (!end)
		return false;
	if (len)
		memcpy(end, data, len);
	end[len] = '\0';
	buf->len += len;
	return true;
}

bool buf_add_str(struct buf *buf, const char *text)
{
	return buf_add(buf, text, strlen(text));
}

bool buf_add_byte(struct buf *buf, uint8_t byte)
{
	return buf_add(buf, &byte, 1);
}

bool buf_vprintf(struct buf *buf, const char *format, va_list args)
{
	va_list again;
	uint8_t *end;
	int len;

	va_copy(again, args);
	len = vsnprintf(NULL, 0, format, again);
	va_end(again);
	assert(len >= 0);
	end = buf_reserve(buf, (size_t)len);
	if (!end)
		return false;
	(void)vsnprintf((char *)end, (size_t)len + 1, format, args);
	buf->len += (size_t)len;
	return true;
}

bool buf_printf(struct buf *buf, const char *format, ...)
{
	va_list args;
	bool fits;

	va_start(args, format);
	fits = buf_vprintf(buf, format, args);
	va_end(args);
	return fits;
}

void buf_consume(struct buf *buf, size_t len)
{
	assert(len <= buf->len);
	if (len == 0)
		return;
	buf->len -= len;
	memmove(buf->data, buf->data + len, buf->len);
	buf->data[buf->len] = '\0';
}

const char *buf_str(const struct buf *buf)
{
	if (buf->len == 0)
		return "";
	assert(buf->data[buf->len] == '\0');
	return (const char *)buf->data;
}

char *buf_take_str(struct buf *buf)
{
	char *text = buf->len ? (char *)buf->data : xstrdup("");

	if (buf->len == 0)
		free(buf->data);
	else
		assert(text[buf->len] == '\0');
	buf_init(buf, buf->max);
	return text;
}
