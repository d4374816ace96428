#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "restore/match/flag_text.h"
#include "restore/upload/compare.h"
#include "restore/upload/upload_internal.h"

/* --- UIDs that the server did not report --- */

/* Without a Message-ID only the size can tell. */
static bool could_be(const struct item *item, const struct listed *listed)
{
	const char *message_id = listed->message_id ? listed->message_id : "";

	if (strcmp(message_id, item->header_message_id) != 0)
		return false;
	return *message_id || listed->size == item->size;
}

/* UIDs ascend in the order sent; other clients' messages may lie in between. */
void stored_pair(
	struct item **items, size_t items_count, const struct listed *listed, size_t listed_count)
{
	size_t at = 0;

	if (items_count == listed_count) {
		for (size_t i = 0; i < items_count; i++)
			items[i]->target_uid = listed[i].uid;
		return;
	}
	for (size_t i = 0; i < listed_count && at < items_count; i++) {
		size_t next = at;

		while (next < items_count && !could_be(items[next], &listed[i]))
			next++;
		if (next == items_count)
			continue;
		items[next]->target_uid = listed[i].uid;
		at = next + 1;
	}
}

/* The UIDs in the folder that no known message has: of our messages, and of others' new mail. */
static bool find_new(struct attempt *attempt, struct rangeset *ret_new, struct err *err)
{
	CLEANUP(rangeset_free) struct rangeset all = {0};
	CLEANUP(rangeset_free) struct rangeset known = {0};

	if (!imap_search_all(attempt->imap, &all, err))
		return false;
	rangeset_add_set(&known, &attempt->present.uids);
	for (size_t i = 0; i < attempt->stored_count; i++)
		if (attempt->stored[i]->target_uid)
			rangeset_add(&known, attempt->stored[i]->target_uid,
				attempt->stored[i]->target_uid);
	rangeset_subtract(&all, &known, ret_new);
	return true;
}

static bool find_uids(struct attempt *attempt, struct err *err)
{
	CLEANUP(freep)
	struct item **lacking = xcalloc(attempt->stored_count + 1, sizeof(struct item *));
	CLEANUP(rangeset_free) struct rangeset new = {0};
	CLEANUP(listed_free) struct listed_set list = {0};
	size_t count = 0;

	for (size_t i = 0; i < attempt->stored_count; i++)
		if (attempt->stored[i]->target_uid == 0)
			lacking[count++] = attempt->stored[i];
	if (count == 0)
		return true;
	if (!find_new(attempt, &new, err) || !listed_init(&list, &new, err) ||
		!listed_fetch(
			&list, attempt->imap, &new, IMAP_ITEM_SIZE | IMAP_ITEM_MESSAGE_ID, err))
		return false;
	stored_pair(lacking, count, list.items, list.count);
	for (size_t i = 0; i < count; i++) {
		const struct item *item = lacking[i];

		if (item->row && item->target_uid &&
			!restore_journal_done(attempt->upload->journal, item->row,
				attempt->present.uidvalidity, item->target_uid, err))
			return false;
	}
	return true;
}

/* --- keywords that were left out of APPEND --- */

static bool store_keyword(
	struct attempt *attempt, struct item *item, const char *keyword, struct err *err)
{
	struct str_list *refused = &attempt->upload->lessons->refused_keywords;

	if (str_list_has(refused, keyword) ||
		imap_store_flags(attempt->imap, item->target_uid, keyword, err))
		return true;
	if (err->kind != ERR_REFUSED)
		return false;
	str_list_add(refused, keyword);
	err_clear(err);
	return true;
}

static bool store_keywords(struct attempt *attempt, struct item *item, struct err *err)
{
	CLEANUP(freep) char *flags = NULL;
	CLEANUP(freep) char *keywords = NULL;
	char *rest, *keyword;

	if (!(item->drop & ITEM_DROP_KEYWORDS) || item->target_uid == 0)
		return true;
	item->drop &= ~(uint32_t)ITEM_DROP_KEYWORDS;
	flags = attempt_flags(attempt, item);
	item->drop |= ITEM_DROP_KEYWORDS;
	keywords = rest = flag_text_keywords(flags);
	while ((keyword = strsep(&rest, " ")))
		if (*keyword && !store_keyword(attempt, item, keyword, err))
			return false;
	return true;
}

/* --- the comparison --- */

static bool decide_compared(void *context, struct item *item, const struct listed *listed,
	const struct compare_result *result, struct err *err)
{
	struct attempt *attempt = context;
	struct restore_journal *journal = attempt->upload->journal;

	if (result->missing) {
		attempt_decide(attempt, item, OUTCOME_REFUSED,
			"the server accepted it but does not list it");
		return attempt_forget_row(attempt, item, err);
	}
	assert(item->compared);
	/* find_new() must not offer it to a later message */
	rangeset_add(&attempt->present.uids, item->target_uid, item->target_uid);
	if (!*result->detail) { /* nothing was lost after all */
		free(item->detail);
		item->detail = NULL;
	}
	attempt_decide(attempt, item, *result->detail ? OUTCOME_NORMALISED : OUTCOME_EXACT,
		*result->detail ? result->detail : NULL);
	return item->row == 0 || restore_journal_seen(journal, item->row, listed->size,
					 listed->has_date ? listed->date.unix_s : 0, err);
}

/* send_list() unselected the folder; another client may have replaced it since. */
static bool select_again(struct attempt *attempt, struct err *err)
{
	CLEANUP(imap_examined_free) struct imap_examined examined = {0};

	if (!imap_select(attempt->imap, attempt->upload->wire_name, &examined, err))
		return false;
	return examined.uidvalidity == attempt->present.uidvalidity ||
	       err_set(err, ERR_RETRY, "the folder was replaced: UIDVALIDITY %u became %u",
		       attempt->present.uidvalidity, examined.uidvalidity);
}

/*
 * Sets left-out keywords before the comparison, so that it sees what the message ends up with. A
 * crash before they are set leaves the message without them: the next run finds it already there
 * and leaves it alone.
 */
bool stored_check(struct attempt *attempt, struct err *err)
{
	const struct compare_ask ask = {.imap = attempt->imap,
		.archive = attempt->upload->archive,
		.bytes = COMPARE_SUSPECT,
		.result = decide_compared,
		.context = attempt};
	size_t known = 0;

	if (attempt->stored_count == 0)
		return true;
	if (!select_again(attempt, err) || !find_uids(attempt, err))
		return false;
	for (size_t i = 0; i < attempt->stored_count; i++) {
		struct item *item = attempt->stored[i];

		if (!store_keywords(attempt, item, err))
			return false;
		if (item->target_uid)
			attempt->stored[known++] = item;
		else
			attempt_decide(attempt, item, OUTCOME_NORMALISED,
				"stored, but not found again and so not compared");
	}
	attempt->stored_count = 0;
	return compare_items(&ask, attempt->stored, known, err);
}
