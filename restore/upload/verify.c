#include "restore/upload/verify.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "restore/upload/survey.h"

struct verifying {
	const struct verify_ask *ask;
	struct restore_verified verified;
	bool sound;
};

static bool take_result(void *context, struct item *item, const struct listed *listed,
	const struct compare_result *result, struct err *err)
{
	struct verifying *verifying = context;
	struct restore_verified *verified = &verifying->verified;
	const struct restore_watcher *watcher = verifying->ask->watcher;

	(void)listed;
	(void)err;
	verified->compared++;
	verified->missing += result->missing;
	verified->different_flags += result->flags;
	verified->different_date += result->date;
	verified->different_bytes += result->bytes;
	if (!*result->detail)
		return true;
	if (result->missing || item->outcome == OUTCOME_EXACT)
		verifying->sound = false;
	if (watcher->difference)
		watcher->difference(watcher->context, verifying->ask->sources[item->source].path,
			item->uid,
			result->missing ? "missing"
			: result->bytes ? "bytes"
			: result->flags ? "flags"
					: "date",
			result->detail);
	return true;
}

static bool count_extra(
	struct verifying *verifying, struct imap *imap, size_t known, struct err *err)
{
	CLEANUP(rangeset_free) struct rangeset all = {0};
	uint64_t there = known - verifying->verified.missing;

	if (!imap_search_all(imap, &all, err))
		return false;
	if (rangeset_size(&all) > there)
		verifying->verified.extra = rangeset_size(&all) - there;
	return true;
}

static size_t pick_known(struct items *items, struct item **known)
{
	size_t count = 0;

	for (size_t i = 0; i < items->count; i++)
		if (items->items[i].target_uid)
			known[count++] = &items->items[i];
	return count;
}

static bool verify_once(struct verifying *verifying, struct items *items, struct err *err)
{
	const struct verify_ask *ask = verifying->ask;
	const struct compare_ask compare = {.imap = ask->target->imap,
		.archive = ask->archive,
		.bytes = ask->bytes,
		.result = take_result,
		.context = verifying};
	CLEANUP(freep) struct item **known = xcalloc(items->count + 1, sizeof(struct item *));
	CLEANUP(imap_examined_free) struct imap_examined examined = {0};
	size_t count = pick_known(items, known);

	return imap_examine(compare.imap, ask->wire_name, NULL, NULL, &examined, err) &&
	       compare_items(&compare, known, count, err) &&
	       count_extra(verifying, compare.imap, count, err);
}

static void add_to_summary(struct restore_summary *summary, const struct verifying *verifying)
{
	const struct restore_verified *more = &verifying->verified;

	summary->verified.compared += more->compared;
	summary->verified.missing += more->missing;
	summary->verified.extra += more->extra;
	summary->verified.different_flags += more->different_flags;
	summary->verified.different_date += more->different_date;
	summary->verified.different_bytes += more->different_bytes;
	summary->sound &= verifying->sound;
}

bool verify_folder(const struct verify_ask *ask, struct items *items,
	struct restore_summary *summary, struct err *err)
{
	for (;;) {
		struct verifying verifying = {.ask = ask, .sound = true};

		if (!target_need(ask->target, err))
			return false;
		if (verify_once(&verifying, items, err)) {
			add_to_summary(summary, &verifying);
			return true;
		}
		if (err->kind == ERR_REFUSED || !target_lost(ask->target, err))
			return false;
	}
}
