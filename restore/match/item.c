#include "restore/match/item.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"

const char *outcome_name(enum outcome outcome)
{
	static const char *const names[OUTCOMES] = {
		[OUTCOME_NONE] = "none",
		[OUTCOME_EXACT] = "exact",
		[OUTCOME_ALREADY_THERE] = "already_there",
		[OUTCOME_NORMALISED] = "normalised",
		[OUTCOME_REFUSED] = "refused",
		[OUTCOME_SKIPPED] = "skipped",
	};

	return names[outcome];
}

void items_add(struct items *items, const struct archive_entry *entry, size_t source)
{
	struct item item = {
		.message_id = entry->message_id,
		.size = entry->size,
		.source = source,
		.uid = entry->uid,
		.has_date = entry->has_date,
		.date = entry->date,
		.flags = xstrdup(entry->flags),
		.header_message_id = xstrdup(entry->header_message_id),
	};

	memcpy(item.sha256, entry->sha256, SHA256_BYTES);
	ARRAY_GROW(items->items, items->count, items->cap);
	items->items[items->count++] = item;
}

void items_free(struct items *items)
{
	for (size_t i = 0; i < items->count; i++) {
		free(items->items[i].flags);
		free(items->items[i].header_message_id);
		free(items->items[i].detail);
	}
	free(items->items);
	*items = (struct items){0};
}

void item_note(struct item *item, const char *format, ...)
{
	CLEANUP(freep) char *old = TAKE(item->detail);
	char text[ITEM_DETAIL_MAX];
	va_list args;

	va_start(args, format);
	(void)vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	item->detail = old ? str_printf("%.*s; %s", ITEM_DETAIL_MAX, old, text) : xstrdup(text);
}

void item_decide(struct item *item, enum outcome outcome, const char *detail)
{
	if (item->outcome != OUTCOME_NONE)
		return;
	/* compare.c alone sets `compared`: what it did not compare is never exact */
	assert(outcome != OUTCOME_EXACT || item->compared);
	assert(outcome != OUTCOME_NONE);
	item->outcome = outcome;
	if (detail)
		item_note(item, "%s", detail);
}
