#include "imap/seqset.h"

#include <assert.h>
#include <inttypes.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "imap/limits.h"

void range_list_free(struct range_list *list)
{
	free(list->items);
	*list = (struct range_list){0};
}

bool range_list_add(struct range_list *list, uint32_t first, uint32_t last)
{
	assert(first <= last);
	if (list->count > 0) {
		struct range *before = &list->items[list->count - 1];

		if (first >= before->first && first <= (uint64_t)before->last + 1) {
			before->last = last > before->last ? last : before->last;
			return true;
		}
	}
	if (list->count == IMAP_RANGES_MAX)
		return false;
	ARRAY_GROW(list->items, list->count, list->cap);
	list->items[list->count++] = (struct range){first, last};
	return true;
}

static int compare(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return x->first < y->first ? -1 : x->first > y->first;
}

static bool is_ascending(const struct range *items, size_t count)
{
	for (size_t i = 1; i < count; i++)
		if (items[i - 1].first > items[i].first)
			return false;
	return true;
}

void seqset_from_ranges(struct range *items, size_t count, struct rangeset *ret_set)
{
	assert(ret_set->count == 0 && count <= IMAP_RANGES_MAX);
	/* Sorted, each range is added at the end of the set. In the order of a hostile server each
	 * could move all others. */
	if (!is_ascending(items, count))
		qsort(items, count, sizeof(*items), compare);
	for (size_t i = 0; i < count; i++)
		rangeset_add(ret_set, items[i].first, items[i].last);
}

/* A number from 1 to 2^32-1. Moves *at past it. */
static bool take_number(const char **at, const char *end, uint32_t *ret_number)
{
	uint64_t number = 0;
	const char *p = *at;

	if (p == end || *p == '0')
		return false;
	for (; p < end && *p >= '0' && *p <= '9'; p++) {
		number = number * 10 + (uint64_t)(*p - '0');
		if (number > UINT32_MAX)
			return false;
	}
	if (number == 0)
		return false;
	*at = p;
	*ret_number = (uint32_t)number;
	return true;
}

static bool take_range(const char **at, const char *end, uint32_t *ret_first, uint32_t *ret_last)
{
	uint32_t one, other;

	if (!take_number(at, end, &one))
		return false;
	other = one;
	if (*at < end && **at == ':') {
		(*at)++;
		if (!take_number(at, end, &other))
			return false;
	}
	*ret_first = one < other ? one : other;
	*ret_last = one < other ? other : one;
	return true;
}

bool seqset_collect(const char *text, size_t len, struct range_list *list, struct err *err)
{
	const char *end = text + len;

	for (;;) {
		uint32_t first, last;

		if (!take_range(&text, end, &first, &last))
			return err_set(err, ERR_PROTOCOL, "malformed set of numbers");
		if (!range_list_add(list, first, last))
			return err_set(
				err, ERR_PROTOCOL, "set of more than %d ranges", IMAP_RANGES_MAX);
		if (text == end)
			return true;
		if (*text++ != ',')
			return err_set(err, ERR_PROTOCOL, "malformed set of numbers");
	}
}

bool seqset_parse(const char *text, size_t len, struct rangeset *ret_set, struct err *err)
{
	CLEANUP(range_list_free) struct range_list list = {0};

	if (!seqset_collect(text, len, &list, err))
		return false;
	seqset_from_ranges(list.items, list.count, ret_set);
	return true;
}

bool seqset_format(const struct rangeset *set, struct buf *out)
{
	for (size_t i = 0; i < set->count; i++) {
		const struct range *range = &set->items[i];

		if (!buf_printf(out, "%s%" PRIu32, i > 0 ? "," : "", range->first))
			return false;
		if (range->last != range->first && !buf_printf(out, ":%" PRIu32, range->last))
			return false;
	}
	return true;
}
