#include "support/steps.h"

#include <stddef.h>

enum { BYTES_PER_STEP = 16 };

static uint64_t steps;

void __sanitizer_cov_trace_pc(void);
void *__real_memcpy(void *to, const void *from, size_t len);
void *__wrap_memcpy(void *to, const void *from, size_t len);
void *__real_memmove(void *to, const void *from, size_t len);
void *__wrap_memmove(void *to, const void *from, size_t len);
void *__real_memset(void *to, int byte, size_t len);
void *__wrap_memset(void *to, int byte, size_t len);
void *__real_memchr(const void *data, int byte, size_t len);
void *__wrap_memchr(const void *data, int byte, size_t len);
int __real_memcmp(const void *a, const void *b, size_t len);
int __wrap_memcmp(const void *a, const void *b, size_t len);
size_t __real_strlen(const char *text);
size_t __wrap_strlen(const char *text);
void *__real_realloc(void *memory, size_t len);
void *__wrap_realloc(void *memory, size_t len);

static void count_bytes(size_t len)
{
	steps += 1 + len / BYTES_PER_STEP;
}

void __sanitizer_cov_trace_pc(void)
{
	steps++;
}

void *__wrap_memcpy(void *to, const void *from, size_t len)
{
	count_bytes(len);
	return __real_memcpy(to, from, len);
}

void *__wrap_memmove(void *to, const void *from, size_t len)
{
	count_bytes(len);
	return __real_memmove(to, from, len);
}

void *__wrap_memset(void *to, int byte, size_t len)
{
	count_bytes(len);
	return __real_memset(to, byte, len);
}

/* Counts what was read: up to the byte that was found. */
void *__wrap_memchr(const void *data, int byte, size_t len)
{
	const char *found = __real_memchr(data, byte, len);

	count_bytes(found ? (size_t)(found - (const char *)data) : len);
	return (void *)found;
}

int __wrap_memcmp(const void *a, const void *b, size_t len)
{
	count_bytes(len);
	return __real_memcmp(a, b, len);
}

size_t __wrap_strlen(const char *text)
{
	size_t len = __real_strlen(text);

	count_bytes(len);
	return len;
}

/* Counts all of it, as if it always had to move. */
void *__wrap_realloc(void *memory, size_t len)
{
	count_bytes(len);
	return __real_realloc(memory, len);
}

uint64_t steps_count(void)
{
	return steps;
}
