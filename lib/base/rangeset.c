#include "base/rangeset.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

void rangeset_free(struct rangeset *set)
{
	free(set->items);
	*set = (struct rangeset){0};
}

void rangeset_clear(struct rangeset *set)
{
	set->count = 0;
}

static uint64_t range_size(struct range range)
{
	return (uint64_t)range.last - range.first + 1;
}

/* Index of the first range that ends at or after number (count if none). */
static size_t find(const struct rangeset *set, uint32_t number)
{
	size_t low = 0, high = set->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (set->items[middle].last < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void append(struct rangeset *set, uint32_t first, uint32_t last)
{
	ARRAY_GROW(set->items, set->count, set->cap);
	set->items[set->count++] = (struct range){first, last};
}

void rangeset_add(struct rangeset *set, uint32_t first, uint32_t last)
{
	size_t at, end;

	assert(first <= last);
	if (set->count == 0 || (uint64_t)set->items[set->count - 1].last + 1 < first) {
		append(set, first, last);
		return;
	}
	at = find(set, first == 0 ? 0 : first - 1);
	end = at;
	while (end < set->count && set->items[end].first <= (uint64_t)last + 1)
		end++;
	assert(at < set->count);
	if (end == at) {
		append(set, 0, 0);
		memmove(set->items + at + 1, set->items + at,
			(set->count - 1 - at) * sizeof(*set->items));
		set->items[at] = (struct range){first, last};
		return;
	}
	if (set->items[at].first < first)
		first = set->items[at].first;
	if (set->items[end - 1].last > last)
		last = set->items[end - 1].last;
	set->items[at] = (struct range){first, last};
	memmove(set->items + at + 1, set->items + end, (set->count - end) * sizeof(*set->items));
	set->count -= end - at - 1;
}

void rangeset_add_set(struct rangeset *set, const struct rangeset *other)
{
	assert(set != other);
	for (size_t i = 0; i < other->count; i++)
		rangeset_add(set, other->items[i].first, other->items[i].last);
}

bool rangeset_has(const struct rangeset *set, uint32_t number)
{
	size_t at = find(set, number);

	return at < set->count && set->items[at].first <= number;
}

uint64_t rangeset_size(const struct rangeset *set)
{
	uint64_t size = 0;

	for (size_t i = 0; i < set->count; i++)
		size += range_size(set->items[i]);
	return size;
}

uint64_t rangeset_size_below(const struct rangeset *set, uint32_t number)
{
	uint64_t size = 0;

	for (size_t i = 0; i < set->count && set->items[i].first < number; i++) {
		struct range range = set->items[i];

		size += range.last < number ? range_size(range) : number - range.first;
	}
	return size;
}

bool rangeset_equal(const struct rangeset *a, const struct rangeset *b)
{
	return a->count == b->count &&
	       (a->count == 0 || memcmp(a->items, b->items, a->count * sizeof(*a->items)) == 0);
}

void rangeset_subtract(const struct rangeset *a, const struct rangeset *b, struct rangeset *ret_set)
{
	size_t j = 0;

	assert(ret_set->count == 0 && ret_set != a && ret_set != b);
	for (size_t i = 0; i < a->count; i++) {
		uint64_t first = a->items[i].first, last = a->items[i].last;

		while (j < b->count && b->items[j].last < first)
			j++;
		for (size_t k = j; k < b->count && b->items[k].first <= last; k++) {
			if (b->items[k].first > first)
				append(ret_set, (uint32_t)first, b->items[k].first - 1);
			first = (uint64_t)b->items[k].last + 1;
		}
		if (first <= last)
			append(ret_set, (uint32_t)first, (uint32_t)last);
	}
}

void rangeset_intersect(
	const struct rangeset *a, const struct rangeset *b, struct rangeset *ret_set)
{
	size_t i = 0, j = 0;

	assert(ret_set->count == 0 && ret_set != a && ret_set != b);
	while (i < a->count && j < b->count) {
		struct range x = a->items[i], y = b->items[j];
		uint32_t first = x.first > y.first ? x.first : y.first;
		uint32_t last = x.last < y.last ? x.last : y.last;

		if (first <= last)
			append(ret_set, first, last);
		if (x.last < y.last)
			i++;
		else
			j++;
	}
}

void rangeset_split(struct rangeset *set, uint64_t count, struct rangeset *ret_set)
{
	size_t whole = 0;

	assert(ret_set->count == 0);
	while (whole < set->count && count >= range_size(set->items[whole])) {
		count -= range_size(set->items[whole]);
		append(ret_set, set->items[whole].first, set->items[whole].last);
		whole++;
	}
	if (whole < set->count && count > 0) {
		struct range *cut = &set->items[whole];

		append(ret_set, cut->first, cut->first + (uint32_t)count - 1);
		cut->first += (uint32_t)count;
	}
	set->count -= whole;
	if (set->count > 0)
		memmove(set->items, set->items + whole, set->count * sizeof(*set->items));
}
