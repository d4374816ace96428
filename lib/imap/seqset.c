#include "imap/seqset.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "imap/limits.h"

static int compare(const void *a, const void *b)
{
	const struct range *left = a, *right = b;

	return left->first < right->first ? -1 : left->first > right->first;
}

void seqset_from_ranges(struct range *items, size_t count, struct rangeset *ret_set)
{
	assert(ret_set->count == 0);
	if (count > 1)
		qsort(items, count, sizeof(*items), compare);
	for (size_t i = 0; i < count; i++)
		rangeset_add(ret_set, items[i].first, items[i].last);
}

/* 1..2^32-1 without leading zero. Moves *text. */
static bool take_number(const char **text, const char *end, uint32_t *ret_number)
{
	uint64_t number = 0;

	if (*text == end || **text < '1' || **text > '9')
		return false;
	for (; *text < end && **text >= '0' && **text <= '9'; (*text)++) {
		number = number * 10 + (uint64_t)(**text - '0');
		if (number > UINT32_MAX)
			return false;
	}
	*ret_number = (uint32_t)number;
	return true;
}

static bool take_range(const char **text, const char *end, struct range *ret_range)
{
	uint32_t one, other;

	if (!take_number(text, end, &one))
		return false;
	other = one;
	if (*text < end && **text == ':') {
		(*text)++;
		if (!take_number(text, end, &other))
			return false;
	}
	*ret_range = (struct range){one < other ? one : other, one < other ? other : one};
	return true;
}

bool seqset_parse(const char *text, size_t len, struct rangeset *ret_set, struct err *err)
{
	CLEANUP(freep) struct range *items = NULL;
	const char *end = text + len;
	size_t count = 0, cap = 0;

	for (;;) {
		struct range range;

		if (!take_range(&text, end, &range))
			return err_set(err, ERR_PROTOCOL, "malformed set of numbers");
		if (count == IMAP_RANGES_MAX)
			return err_set(
				err, ERR_PROTOCOL, "set of more than %d ranges", IMAP_RANGES_MAX);
		ARRAY_GROW(items, count, cap);
		items[count++] = range;
		if (text == end)
			break;
		if (*text++ != ',')
			return err_set(err, ERR_PROTOCOL, "malformed set of numbers");
	}
	seqset_from_ranges(items, count, ret_set);
	return true;
}

bool seqset_format(const struct rangeset *set, struct buf *out)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct range *range = &set->items[i];

		if (i > 0 && !buf_add_byte(out, ','))
			return false;
		if (!buf_printf(out, "%" PRIu32, range->first))
			return false;
		if (range->last != range->first && !buf_printf(out, ":%" PRIu32, range->last))
			return false;
	}
	return true;
}
