#include "restore/match/present.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "restore/match/listed.h"
#include "restore/match/match.h"

void present_free(struct present *present)
{
	free(present->permanent_flags);
	rangeset_free(&present->uids);
	*present = (struct present){0};
}

struct pending {
	uint8_t sha256[SHA256_BYTES];
	uint32_t uidnext;
	int64_t row;
};

/* A look at one folder, under way. */
struct look {
	const struct present_ask *ask;
	struct items *items;
	struct present present;
	struct plan plan;
	struct item **item_of;                            /* for each source of the plan */
	struct fingerprint_digests **source_fingerprints; /* for each source, NULL: not taken */
	struct shown_list shown;                          /* for each target */
	int64_t *rows;            /* of the journal, for each target it explains */
	struct pending *pendings; /* by digest */
	size_t pendings_count, pendings_cap;
};

static void free_look(struct look *look)
{
	for (size_t i = 0; i < look->plan.sources_count; i++)
		free(look->source_fingerprints[i]);
	free(look->plan.targets);
	free(look->plan.sources);
	free(look->item_of);
	free(look->source_fingerprints);
	shown_free(&look->shown);
	free(look->rows);
	free(look->pendings);
	present_free(&look->present);
}

/* --- sources --- */

static bool takes_part(const struct item *item)
{
	return item->outcome != OUTCOME_REFUSED && item->outcome != OUTCOME_SKIPPED;
}

static void add_sources(struct look *look)
{
	size_t count = look->items->count;

	look->plan.sources = xcalloc(count + 1, sizeof(*look->plan.sources));
	look->item_of = xcalloc(count + 1, sizeof(struct item *));
	look->source_fingerprints = xcalloc(count + 1, sizeof(struct fingerprint_digests *));
	for (size_t i = 0; i < count; i++) {
		struct item *item = &look->items->items[i];
		struct plan_source *source = &look->plan.sources[look->plan.sources_count];

		if (!takes_part(item))
			continue;
		look->item_of[look->plan.sources_count++] = item;
		*source = (struct plan_source){
			.size = item->size,
			.has_date = item->has_date,
			.unix_s = item->date.unix_s,
			.flags = item->flags,
			.message_id = item->header_message_id,
		};
		memcpy(source->sha256, item->sha256, SHA256_BYTES);
	}
}

static bool add_fingerprint(void *context, const uint8_t *data, size_t len, struct err *err)
{
	(void)err;
	fingerprint_add(context, data, len);
	return true;
}

static bool look_at_sources(struct look *look, struct err *err)
{
	CLEANUP(fingerprint_freep) struct fingerprint *likeness = fingerprint_new();

	for (size_t i = 0; i < look->plan.sources_count; i++) {
		struct plan_source *source = &look->plan.sources[i];
		struct fingerprint_digests *digests;

		if (source->need != PLAN_NEED_LIKENESS)
			continue;
		digests = look->source_fingerprints[i] = xcalloc(1, sizeof(*digests));
		source->likeness = digests;
		if (!archive_read_message(look->ask->archive, look->item_of[i]->message_id,
			    add_fingerprint, likeness, err) &&
			!err_is_unreadable(err))
			return false;
		err_clear(err);
		fingerprint_finish(likeness, digests);
	}
	return true;
}

/* --- targets --- */

static bool add_targets(struct look *look, struct err *err)
{
	const uint32_t items = IMAP_ITEM_SIZE | IMAP_ITEM_DATE | IMAP_ITEM_FLAGS;

	if (!shown_init(&look->shown, &look->present.uids, err) ||
		!shown_fetch(&look->shown, look->ask->imap, &look->present.uids, items, err))
		return false;
	look->plan.targets_count = look->shown.count;
	look->plan.targets = xcalloc(look->shown.count + 1, sizeof(*look->plan.targets));
	look->rows = xcalloc(look->shown.count + 1, sizeof(*look->rows));
	for (size_t i = 0; i < look->shown.count; i++) {
		const struct shown *shown = &look->shown.items[i];

		look->plan.targets[i] = (struct plan_target){
			.uid = shown->uid,
			.size = shown->size,
			.has_date = shown->has_date,
			.unix_s = shown->date.unix_s,
			.flags = shown->flags ? shown->flags : "",
		};
	}
	return true;
}

/* Those that need it are asked for; what does not come cannot be read. */
static bool look_at_targets(struct look *look, enum plan_need need, uint32_t items, struct err *err)
{
	CLEANUP(rangeset_free) struct rangeset uids = {0};

	for (size_t i = 0; i < look->plan.targets_count; i++)
		if (look->plan.targets[i].need == need)
			rangeset_add(&uids, look->plan.targets[i].uid, look->plan.targets[i].uid);
	if (!shown_fetch(&look->shown, look->ask->imap, &uids, items, err))
		return false;
	for (size_t i = 0; i < look->plan.targets_count; i++) {
		struct plan_target *target = &look->plan.targets[i];

		target->message_id = look->shown.items[i].message_id;
		target->likeness = look->shown.items[i].likeness;
		if (target->need == need &&
			(!target->message_id || (need == PLAN_NEED_BYTES && !target->likeness)))
			target->unreadable = true;
	}
	return true;
}

static bool decide(struct look *look, struct err *err)
{
	for (unsigned round = 0; !plan_make(&look->plan); round++) {
		assert(round < PLAN_ROUNDS_MAX);
		if (!look_at_sources(look, err) ||
			!look_at_targets(look, PLAN_NEED_BYTES,
				IMAP_ITEM_BODY | IMAP_ITEM_MESSAGE_ID, err) ||
			!look_at_targets(look, PLAN_NEED_MESSAGE_ID, IMAP_ITEM_MESSAGE_ID, err))
			return false;
	}
	return true;
}

/* --- what the journal tells of them --- */

static bool take_row(void *context, const struct journal_row *row, struct err *err)
{
	struct look *look = context;
	struct plan_target *target;
	struct shown *shown;

	(void)err;
	if (row->uidvalidity != look->present.uidvalidity)
		return true;
	if (row->uid == 0) {
		struct pending pending = {.uidnext = row->uidnext, .row = row->id};

		memcpy(pending.sha256, row->sha256, SHA256_BYTES);
		ARRAY_GROW(look->pendings, look->pendings_count, look->pendings_cap);
		look->pendings[look->pendings_count++] = pending;
		return true;
	}
	shown = shown_find(&look->shown, row->uid);
	if (!shown)
		return true;
	target = &look->plan.targets[shown - look->shown.items];
	if (row->seen && (row->size != target->size || row->unix_s != target->unix_s))
		return true;
	target->known = true;
	memcpy(target->sha256, row->sha256, SHA256_BYTES);
	look->rows[shown - look->shown.items] = row->id;
	return true;
}

static int compare_pendings(const void *a, const void *b)
{
	return memcmp(((const struct pending *)a)->sha256, ((const struct pending *)b)->sha256,
		SHA256_BYTES);
}

static const struct pending *find_pending(const struct look *look, const uint8_t *sha256)
{
	struct pending key;

	memcpy(key.sha256, sha256, SHA256_BYTES);
	return look->pendings_count == 0 ? NULL
					 : bsearch(&key, look->pendings, look->pendings_count,
						   sizeof(key), compare_pendings);
}

static bool read_journal(struct look *look, struct err *err)
{
	const struct present_ask *ask = look->ask;

	if (!ask->journal || look->present.uidvalidity == 0)
		return true;
	if (!restore_journal_each(ask->journal, ask->wire_name, take_row, look, err))
		return false;
	look->present.was_pending = look->pendings_count > 0;
	if (look->pendings_count > 0)
		qsort(look->pendings, look->pendings_count, sizeof(*look->pendings),
			compare_pendings);
	for (size_t i = 0; i < look->plan.sources_count; i++) {
		const struct pending *pending = find_pending(look, look->plan.sources[i].sha256);

		if (pending)
			look->plan.sources[i].pending_from = pending->uidnext;
	}
	return true;
}

/* --- what is made of it --- */

static bool remember(
	struct look *look, struct item *item, const struct plan_target *target, struct err *err)
{
	const struct present_ask *ask = look->ask;
	struct journal_row row = {
		.uidvalidity = look->present.uidvalidity,
		.uid = target->uid,
		.seen = true,
		.size = target->size,
		.unix_s = target->unix_s,
	};

	if (!ask->journal || look->present.uidvalidity == 0 || item->row)
		return true;
	memcpy(row.sha256, item->sha256, SHA256_BYTES);
	return restore_journal_known(ask->journal, ask->wire_name, &row, err);
}

static bool tell(struct look *look, struct err *err)
{
	for (size_t i = 0; i < look->plan.sources_count; i++) {
		const struct plan_source *source = &look->plan.sources[i];
		struct item *item = look->item_of[i];

		item->is_there = source->target != PLAN_NONE;
		item->target_uid = 0;
		item->row = 0;
		if (!item->is_there)
			continue;
		item->target_uid = look->plan.targets[source->target].uid;
		item->row = look->rows[source->target];
		if (!remember(look, item, &look->plan.targets[source->target], err))
			return false;
	}
	return true;
}

/* --- all of it --- */

static bool open_folder(struct look *look, struct err *err)
{
	const struct present_ask *ask = look->ask;
	struct present *present = &look->present;
	CLEANUP(imap_examined_free) struct imap_examined examined = {0};

	if (ask->for_writing ? !imap_select(ask->imap, ask->wire_name, &examined, err)
			     : !imap_examine(ask->imap, ask->wire_name, NULL, NULL, &examined, err))
		return false;
	present->uidvalidity = examined.uidvalidity;
	present->uidnext = examined.uidnext;
	present->permanent_flags = TAKE(examined.permanent_flags);
	present->read_only = examined.read_only;
	if (examined.exists > 0 && !imap_search_all(ask->imap, &present->uids, err))
		return false;
	if (present->uidnext == 0) {
		const struct rangeset *uids = &present->uids;

		uint32_t last = uids->count ? uids->items[uids->count - 1].last : 0;

		present->uidnext = last == UINT32_MAX ? last : last + 1;
	}
	return !ask->journal || present->uidvalidity == 0 ||
	       restore_journal_forget_others(
		       ask->journal, ask->wire_name, present->uidvalidity, err);
}

static bool find(struct look *look, struct err *err)
{
	if (!open_folder(look, err))
		return false;
	add_sources(look);
	return add_targets(look, err) && read_journal(look, err) && decide(look, err) &&
	       tell(look, err) &&
	       (!look->ask->journal || restore_journal_commit(look->ask->journal, err));
}

bool present_find(const struct present_ask *ask, struct items *items, struct present *ret_present,
	struct err *err)
{
	struct look look = {.ask = ask, .items = items};
	bool found = find(&look, err);

	if (found) {
		*ret_present = look.present;
		look.present = (struct present){0};
	} else {
		(void)err_wrap(err, "%s", ask->wire_name);
	}
	free_look(&look);
	return found;
}

/* --- afterwards --- */

struct settling {
	uint8_t (*digests)[SHA256_BYTES]; /* of the items, sorted */
	size_t count;
	int64_t *rows; /* pending, of those items */
	size_t rows_count, rows_cap;
};

static int compare_digests(const void *a, const void *b)
{
	return memcmp(a, b, SHA256_BYTES);
}

static bool pick_pending(void *context, const struct journal_row *row, struct err *err)
{
	struct settling *settling = context;

	(void)err;
	if (row->uid != 0 || !bsearch(row->sha256, settling->digests, settling->count, SHA256_BYTES,
				     compare_digests))
		return true;
	ARRAY_GROW(settling->rows, settling->rows_count, settling->rows_cap);
	settling->rows[settling->rows_count++] = row->id;
	return true;
}

static bool remove_rows(
	const struct present_ask *ask, const struct settling *settling, struct err *err)
{
	for (size_t i = 0; i < settling->rows_count; i++)
		if (!restore_journal_remove(ask->journal, settling->rows[i], err))
			return false;
	return true;
}

bool present_settle(const struct present_ask *ask, const struct items *items, struct err *err)
{
	struct settling settling = {.count = items->count};
	bool settled;

	if (!ask->journal || items->count == 0)
		return true;
	settling.digests = xcalloc(items->count, SHA256_BYTES);
	for (size_t i = 0; i < items->count; i++)
		memcpy(settling.digests[i], items->items[i].sha256, SHA256_BYTES);
	qsort(settling.digests, settling.count, SHA256_BYTES, compare_digests);
	settled =
		restore_journal_each(ask->journal, ask->wire_name, pick_pending, &settling, err) &&
		remove_rows(ask, &settling, err);
	free(settling.digests);
	free(settling.rows);
	return settled;
}
