/*
 * The payload of a journal frame: any bytes are refused, or decoded and encoded again as the same
 * bytes.
 */
#include <assert.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "archive/format/journal.h"
#include "base/alloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

/* A decoded `gone` walks through its ranges; encoding wants them in an array. */
static void list_ranges(struct record *record, struct range **ret_ranges)
{
	struct record_gone walk = record->gone;
	struct range *ranges = xcalloc(record->gone.count + 1, sizeof(*ranges));
	size_t count = 0;

	while (record_next_range(&walk, &ranges[count]))
		count++;
	assert(count == record->gone.count);
	record->gone.ranges = ranges;
	*ret_ranges = ranges;
}

/* A decoded skeleton has its leaves in none either. */
static void list_leaves(struct record_item *item, int64_t **ret_leaves)
{
	struct record_item walk = *item;
	int64_t *leaves = xcalloc(item->leaves_count + 1, sizeof(*leaves));
	size_t count = 0;

	while (item->kind == ITEM_SKELETON && record_next_leaf(&walk, &leaves[count]))
		count++;
	assert(count == item->leaves_count);
	item->leaves = leaves;
	*ret_leaves = leaves;
}

static void check_again(struct record *record, const uint8_t *from, const uint8_t *to)
{
	CLEANUP(buf_free) struct buf again = BUF_INIT(2 * RECORD_BYTES_MAX);
	CLEANUP(freep) struct range *ranges = NULL;
	CLEANUP(freep) int64_t *leaves = NULL;
	bool fits;

	if (record->kind == RECORD_GONE)
		list_ranges(record, &ranges);
	if (record->kind == RECORD_ITEM)
		list_leaves(&record->item, &leaves);
	if (record->kind == RECORD_ITEM_ROW)
		list_leaves(&record->item_row.item, &leaves);
	fits = record_encode(record, &again);
	assert(fits && again.len == (size_t)(to - from));
	assert(memcmp(again.data, from, again.len) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	CLEANUP(buf_free) struct buf payload = BUF_INIT(4 * 1024 * 1024);
	struct journal_header header;
	struct reader records;
	struct record record;
	const uint8_t *from;
	struct err err;
	bool unknown;

	if (!buf_add(&payload, data, len) || !journal_open(&payload, &header, &records, &err))
		return 0;
	for (from = records.at; record_decode(&records, &record, &unknown); from = records.at)
		check_again(&record, from, records.at);
	return 0;
}
