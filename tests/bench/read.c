/*
 * How long one message takes to read, at random, from an archive that is open:
 *
 *	bench_read ARCHIVE COUNT
 *
 * Prints the median, the 99th percentile and the longest, in microseconds.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "archive/archive.h"
#include "base/alloc.h"
#include "base/str.h"

enum { READS_MAX = 100000, PERCENT = 100 };

struct ids {
	int64_t *items;
	size_t count, cap;
};

static bool note(void *context, const struct archive_entry *entry, struct err *err)
{
	struct ids *ids = context;

	(void)err;
	ARRAY_GROW(ids->items, ids->count, ids->cap);
	ids->items[ids->count++] = entry->message_id;
	return true;
}

static bool ignore(void *context, const uint8_t *data, size_t len, struct err *err)
{
	(void)context;
	(void)data;
	(void)len;
	(void)err;
	return true;
}

static int by_size(const void *a, const void *b)
{
	const int64_t *left = a;
	const int64_t *right = b;

	return (*left > *right) - (*left < *right);
}

static int64_t now_us(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static bool read_some(struct archive *archive, size_t count, struct err *err)
{
	struct archive_list list = {0};
	struct archive_snapshot newest;
	struct ids ids = {0};
	uint64_t state = 1;
	int64_t *times;

	if (!archive_resolve(archive, (struct archive_when){.kind = ARCHIVE_LATEST}, &newest, err))
		return false;
	list.generation = newest.generation;
	if (!archive_each_entry(archive, &list, note, &ids, err) || ids.count == 0)
		return false;
	times = xcalloc(count, sizeof(*times));
	for (size_t i = 0; i < count; i++) {
		int64_t before = now_us();

		state = state * 6364136223846793005U + 1442695040888963407U;
		if (!archive_read_message(
			    archive, ids.items[(state >> 33) % ids.count], ignore, NULL, err))
			return false;
		times[i] = now_us() - before;
	}
	qsort(times, count, sizeof(*times), by_size);
	(void)printf("%" PRId64 " %" PRId64 " %" PRId64 "\n", times[count / 2],
		times[count * (PERCENT - 1) / PERCENT], times[count - 1]);
	free(times);
	free(ids.items);
	return true;
}

int main(int argc, char **argv)
{
	CLEANUP(archive_freep) struct archive *archive = NULL;
	struct err err = ERR_INIT;
	uint64_t count;

	if (argc != 3 || !str_parse_u64(argv[2], &count) || count == 0 || count > READS_MAX) {
		(void)fputs("usage: bench_read ARCHIVE COUNT\n", stderr);
		return 64;
	}
	if (archive_open(&(struct archive_ref){.path = argv[1]}, &archive, &err) &&
		read_some(archive, count, &err))
		return 0;
	(void)fprintf(stderr, "bench_read: %s\n", err.text);
	return 1;
}
