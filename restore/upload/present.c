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

/* The search in one folder. */
struct present_search {
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

static void search_free(struct present_search *search)
{
	for (size_t i = 0; i < search->match.sources_count; i++)
		free(search->source_fingerprints[i]);
	free(search->match.targets);
	free(search->match.sources);
	free(search->item_of);
	free(search->source_fingerprints);
	listed_free(&search->listed);
	free(search->rows);
	free(search->pendings);
	present_free(&search->present);
}

/* --- sources --- */

static void add_sources(struct present_search *search)
{
	size_t count = search->items->count;

	search->match.sources = xcalloc(count + 1, sizeof(*search->match.sources));
	search->item_of = xcalloc(count + 1, sizeof(struct item *));
	search->source_fingerprints = xcalloc(count + 1, sizeof(struct fingerprint_digests *));
	for (size_t i = 0; i < count; i++) {
		struct item *item = &search->items->items[i];
		struct match_source *source = &search->match.sources[search->match.sources_count];

		/*
		 * Items decided as stored stay in: they claim their own message on the target, so
		 * that an equal one which is still to be sent does not claim it.
		 */
		if (item->outcome == OUTCOME_REFUSED || item->outcome == OUTCOME_SKIPPED)
			continue;
		search->item_of[search->match.sources_count++] = item;
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

static bool fingerprint_sources(struct present_search *search, struct err *err)
{
	CLEANUP(fingerprint_freep) struct fingerprint *fingerprint = fingerprint_new();

	for (size_t i = 0; i < search->match.sources_count; i++) {
		struct match_source *source = &search->match.sources[i];
		struct fingerprint_digests *digests;

		if (source->need != MATCH_NEED_FINGERPRINT)
			continue;
		digests = search->source_fingerprints[i] = xcalloc(1, sizeof(*digests));
		source->fingerprint = digests;
		if (!archive_read_message(search->ask->archive, search->item_of[i]->message_id,
			    add_fingerprint, fingerprint, err) &&
			!err_is_unreadable(err))
			return false;
		/* a damaged message matches nothing and is skipped when it is to be sent */
		err_clear(err);
		fingerprint_finish(fingerprint, digests);
	}
	return true;
}

/* --- targets --- */

static const char *listed_flags(const struct listed *listed)
{
	return listed->flags ? listed->flags : "";
}

static bool add_targets(struct present_search *search, struct err *err)
{
	const uint32_t items = IMAP_ITEM_SIZE | IMAP_ITEM_DATE | IMAP_ITEM_FLAGS;

	if (!listed_init(&search->listed, &search->present.uids, err) ||
		!listed_fetch(
			&search->listed, search->ask->imap, &search->present.uids, items, err))
		return false;
	search->match.targets_count = search->listed.count;
	search->match.targets = xcalloc(search->listed.count + 1, sizeof(*search->match.targets));
	search->rows = xcalloc(search->listed.count + 1, sizeof(*search->rows));
	for (size_t i = 0; i < search->listed.count; i++) {
		const struct listed *listed = &search->listed.items[i];

		search->match.targets[i] = (struct match_target){
			.uid = listed->uid,
			.size = listed->size,
			.has_date = listed->has_date,
			.unix_s = listed->date.unix_s,
			.flags = listed_flags(listed),
		};
	}
	return true;
}

/*
 * Fetches `items` of the targets that need it. What the server does not send counts as unreadable
 * and is not asked for again, so that the rounds end whatever the server does.
 */
static bool fetch_targets(
	struct present_search *search, enum match_need need, uint32_t items, struct err *err)
{
	CLEANUP(rangeset_free) struct rangeset uids = {0};

	for (size_t i = 0; i < search->match.targets_count; i++)
		if (search->match.targets[i].need == need)
			rangeset_add(
				&uids, search->match.targets[i].uid, search->match.targets[i].uid);
	if (!listed_fetch(&search->listed, search->ask->imap, &uids, items, err))
		return false;
	for (size_t i = 0; i < search->match.targets_count; i++) {
		struct match_target *target = &search->match.targets[i];

		/* any text of a listed message may have been replaced by what came meanwhile */
		target->flags = listed_flags(&search->listed.items[i]);
		target->message_id = search->listed.items[i].message_id;
		target->fingerprint = search->listed.items[i].fingerprint;
		if (target->need == need &&
			(!target->message_id || (need == MATCH_NEED_BYTES && !target->fingerprint)))
			target->unreadable = true;
	}
	return true;
}

static bool match_messages(struct present_search *search, struct err *err)
{
	for (unsigned round = 0; !match_decide(&search->match); round++) {
		assert(round < MATCH_ROUNDS_MAX);
		if (!fingerprint_sources(search, err) ||
			!fetch_targets(search, MATCH_NEED_BYTES,
				IMAP_ITEM_BODY | IMAP_ITEM_MESSAGE_ID, err) ||
			!fetch_targets(search, MATCH_NEED_MESSAGE_ID, IMAP_ITEM_MESSAGE_ID, err))
			return false;
	}
	return true;
}

/* --- the journal --- */

/*
 * Believes a row only as far as the target agrees. A row without a size was written when APPENDUID
 * came and the run ended before it compared: UID and UIDVALIDITY name that message for good
 * (RFC 3501 section 2.3.1.1). One whose size or date differs now says nothing, and the message is
 * compared by its bytes.
 */
static bool use_row(void *context, const struct journal_row *row, struct err *err)
{
	struct present_search *search = context;
	struct match_target *target;
	struct listed *listed;

	(void)err;
	if (row->uidvalidity != search->present.uidvalidity)
		return true;
	if (row->uid == 0) { /* a run ended before it knew whether the message arrived */
		struct pending pending = {.uidnext = row->uidnext, .row = row->id};

		memcpy(pending.sha256, row->sha256, SHA256_BYTES);
		ARRAY_GROW(search->pendings, search->pendings_count, search->pendings_cap);
		search->pendings[search->pendings_count++] = pending;
		return true;
	}
	listed = listed_find(&search->listed, row->uid);
	if (!listed)
		return true;
	target = &search->match.targets[listed - search->listed.items];
	if (row->seen && (row->size != target->size || row->unix_s != target->unix_s))
		return true;
	target->known = true;
	memcpy(target->sha256, row->sha256, SHA256_BYTES);
	search->rows[listed - search->listed.items] = row->id;
	return true;
}

static int compare_pendings(const void *a, const void *b)
{
	return memcmp(((const struct pending *)a)->sha256, ((const struct pending *)b)->sha256,
		SHA256_BYTES);
}

static const struct pending *find_pending(
	const struct present_search *search, const uint8_t *sha256)
{
	struct pending key;

	memcpy(key.sha256, sha256, SHA256_BYTES);
	return search->pendings_count == 0 ? NULL
					   : bsearch(&key, search->pendings, search->pendings_count,
						     sizeof(key), compare_pendings);
}

static bool read_journal(struct present_search *search, struct err *err)
{
	const struct present_ask *ask = search->ask;

	if (!ask->journal || search->present.uidvalidity == 0)
		return true;
	if (!restore_journal_each(ask->journal, ask->wire_name, use_row, search, err))
		return false;
	if (search->pendings_count > 0)
		qsort(search->pendings, search->pendings_count, sizeof(*search->pendings),
			compare_pendings);
	for (size_t i = 0; i < search->match.sources_count; i++) {
		const struct pending *pending =
			find_pending(search, search->match.sources[i].sha256);

		if (pending)
			search->match.sources[i].pending_from = pending->uidnext;
	}
	return true;
}

/* --- the result --- */

static bool journal_known(struct present_search *search, struct item *item,
	const struct match_target *target, struct err *err)
{
	const struct present_ask *ask = search->ask;
	struct journal_row row = {
		.uidvalidity = search->present.uidvalidity,
		.uid = target->uid,
		.seen = true,
		.size = target->size,
		.unix_s = target->unix_s,
	};

	if (!ask->journal || search->present.uidvalidity == 0 || item->row)
		return true;
	memcpy(row.sha256, item->sha256, SHA256_BYTES);
	return restore_journal_known(ask->journal, ask->wire_name, &row, err);
}

static bool set_items(struct present_search *search, struct err *err)
{
	for (size_t i = 0; i < search->match.sources_count; i++) {
		const struct match_source *source = &search->match.sources[i];
		struct item *item = search->item_of[i];

		item->is_there = source->target != MATCH_NONE;
		item->target_uid = 0;
		item->row = 0;
		if (!item->is_there)
			continue;
		item->target_uid = search->match.targets[source->target].uid;
		item->row = search->rows[source->target];
		if (!journal_known(search, item, &search->match.targets[source->target], err))
			return false;
	}
	return true;
}

/* --- the search --- */

static bool open_target_folder(struct present_search *search, struct err *err)
{
	const struct present_ask *ask = search->ask;
	struct present *present = &search->present;
	CLEANUP(imap_examined_free) struct imap_examined examined = {0};

	/* EXAMINE while nobody has consented yet: SELECT takes \Recent away from other clients */
	if (ask->for_writing ? !imap_select(ask->imap, ask->wire_name, &examined, err)
			     : !imap_examine(ask->imap, ask->wire_name, NULL, NULL, &examined, err))
		return false;
	present->uidvalidity = examined.uidvalidity;
	present->uidnext = examined.uidnext;
	present->permanent_flags = TAKE(examined.permanent_flags);
	present->read_only = examined.read_only;
	if (examined.exists > 0 && !imap_search_all(ask->imap, &present->uids, err))
		return false;
	if (present->uidnext == 0) { /* RFC 3501 does not require it of SELECT */
		const struct rangeset *uids = &present->uids;
		uint32_t last = uids->count ? uids->items[uids->count - 1].last : 0;

		present->uidnext = last == UINT32_MAX ? last : last + 1;
	}
	assert(present->uidnext > 0);
	return !ask->journal || present->uidvalidity == 0 ||
	       restore_journal_forget_others(
		       ask->journal, ask->wire_name, present->uidvalidity, err);
}

/*
 * The journal's changes are hints about what was found; a crash before the commit at the end only
 * makes the next run find it again. Rows of another UIDVALIDITY then still exist: use_row() ignores
 * them.
 */
static bool search_folder(struct present_search *search, struct err *err)
{
	if (!open_target_folder(search, err))
		return false;
	add_sources(search);
	return add_targets(search, err) && read_journal(search, err) &&
	       match_messages(search, err) && set_items(search, err) &&
	       (!search->ask->journal || restore_journal_commit(search->ask->journal, err));
}

bool present_find(const struct present_ask *ask, struct items *items, struct present *ret_present,
	struct err *err)
{
	struct present_search search = {.ask = ask, .items = items};
	bool found = search_folder(&search, err);

	if (found) {
		*ret_present = search.present;
		search.present = (struct present){0};
	} else {
		(void)err_wrap(err, "%s", ask->wire_name);
	}
	search_free(&search);
	return found;
}
