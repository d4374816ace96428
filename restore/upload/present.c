#include "restore/upload/present.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "restore/match/match.h"
#include "restore/upload/listed.h"

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
	struct match match;
	struct item **item_of;                            /* for each source of the match */
	struct fingerprint_digests **source_fingerprints; /* for each source, NULL: not taken */
	struct listed_set listed;                         /* for each target */
	int64_t *rows;            /* of the journal, for each target it explains */
	struct pending *pendings; /* by digest */
	size_t pendings_count, pendings_cap;
};

static void free_look(struct look *look)
{
	for (size_t i = 0; i < look->match.sources_count; i++)
		free(look->source_fingerprints[i]);
	free(look->match.targets);
	free(look->match.sources);
	free(look->item_of);
	free(look->source_fingerprints);
	listed_free(&look->listed);
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

	look->match.sources = xcalloc(count + 1, sizeof(*look->match.sources));
	look->item_of = xcalloc(count + 1, sizeof(struct item *));
	look->source_fingerprints = xcalloc(count + 1, sizeof(struct fingerprint_digests *));
	for (size_t i = 0; i < count; i++) {
		struct item *item = &look->items->items[i];
		struct match_source *source = &look->match.sources[look->match.sources_count];

		if (!takes_part(item))
			continue;
		look->item_of[look->match.sources_count++] = item;
		*source = (struct match_source){
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
	CLEANUP(fingerprint_freep) struct fingerprint *fingerprint = fingerprint_new();

	for (size_t i = 0; i < look->match.sources_count; i++) {
		struct match_source *source = &look->match.sources[i];
		struct fingerprint_digests *digests;

		if (source->need != MATCH_NEED_FINGERPRINT)
			continue;
		digests = look->source_fingerprints[i] = xcalloc(1, sizeof(*digests));
		source->fingerprint = digests;
		if (!archive_read_message(look->ask->archive, look->item_of[i]->message_id,
			    add_fingerprint, fingerprint, err) &&
			!err_is_unreadable(err))
			return false;
		err_clear(err);
		fingerprint_finish(fingerprint, digests);
	}
	return true;
}

/* --- targets --- */

static bool add_targets(struct look *look, struct err *err)
{
	const uint32_t items = IMAP_ITEM_SIZE | IMAP_ITEM_DATE | IMAP_ITEM_FLAGS;

	if (!listed_init(&look->listed, &look->present.uids, err) ||
		!listed_fetch(&look->listed, look->ask->imap, &look->present.uids, items, err))
		return false;
	look->match.targets_count = look->listed.count;
	look->match.targets = xcalloc(look->listed.count + 1, sizeof(*look->match.targets));
	look->rows = xcalloc(look->listed.count + 1, sizeof(*look->rows));
	for (size_t i = 0; i < look->listed.count; i++) {
		const struct listed *listed = &look->listed.items[i];

		look->match.targets[i] = (struct match_target){
			.uid = listed->uid,
			.size = listed->size,
			.has_date = listed->has_date,
			.unix_s = listed->date.unix_s,
			.flags = listed->flags ? listed->flags : "",
		};
	}
	return true;
}

/* Those that need it are asked for; what does not come cannot be read. */
static bool look_at_targets(
	struct look *look, enum match_need need, uint32_t items, struct err *err)
{
	CLEANUP(rangeset_free) struct rangeset uids = {0};

	for (size_t i = 0; i < look->match.targets_count; i++)
		if (look->match.targets[i].need == need)
			rangeset_add(&uids, look->match.targets[i].uid, look->match.targets[i].uid);
	if (!listed_fetch(&look->listed, look->ask->imap, &uids, items, err))
		return false;
	for (size_t i = 0; i < look->match.targets_count; i++) {
		struct match_target *target = &look->match.targets[i];

		target->message_id = look->listed.items[i].message_id;
		target->fingerprint = look->listed.items[i].fingerprint;
		if (target->need == need &&
			(!target->message_id || (need == MATCH_NEED_BYTES && !target->fingerprint)))
			target->unreadable = true;
	}
	return true;
}

static bool decide(struct look *look, struct err *err)
{
	for (unsigned round = 0; !match_decide(&look->match); round++) {
		assert(round < MATCH_ROUNDS_MAX);
		if (!look_at_sources(look, err) ||
			!look_at_targets(look, MATCH_NEED_BYTES,
				IMAP_ITEM_BODY | IMAP_ITEM_MESSAGE_ID, err) ||
			!look_at_targets(look, MATCH_NEED_MESSAGE_ID, IMAP_ITEM_MESSAGE_ID, err))
			return false;
	}
	return true;
}

/* --- what the journal tells of them --- */

static bool take_row(void *context, const struct journal_row *row, struct err *err)
{
	struct look *look = context;
	struct match_target *target;
	struct listed *listed;

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
	listed = listed_find(&look->listed, row->uid);
	if (!listed)
		return true;
	target = &look->match.targets[listed - look->listed.items];
	if (row->seen && (row->size != target->size || row->unix_s != target->unix_s))
		return true;
	target->known = true;
	memcpy(target->sha256, row->sha256, SHA256_BYTES);
	look->rows[listed - look->listed.items] = row->id;
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
	if (look->pendings_count > 0)
		qsort(look->pendings, look->pendings_count, sizeof(*look->pendings),
			compare_pendings);
	for (size_t i = 0; i < look->match.sources_count; i++) {
		const struct pending *pending = find_pending(look, look->match.sources[i].sha256);

		if (pending)
			look->match.sources[i].pending_from = pending->uidnext;
	}
	return true;
}

/* --- what is made of it --- */

static bool remember(
	struct look *look, struct item *item, const struct match_target *target, struct err *err)
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
	for (size_t i = 0; i < look->match.sources_count; i++) {
		const struct match_source *source = &look->match.sources[i];
		struct item *item = look->item_of[i];

		item->is_there = source->target != MATCH_NONE;
		item->target_uid = 0;
		item->row = 0;
		if (!item->is_there)
			continue;
		item->target_uid = look->match.targets[source->target].uid;
		item->row = look->rows[source->target];
		if (!remember(look, item, &look->match.targets[source->target], err))
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
