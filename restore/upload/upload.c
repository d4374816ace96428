#include "restore/upload/upload.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "imap/flags.h"
#include "restore/match/flag_text.h"
#include "restore/upload/upload_internal.h"

/* --- answers of the server --- */

static bool note_stored(struct attempt *attempt, struct item *item,
	const struct imap_append_result *result, struct err *err)
{
	uint32_t uidvalidity = attempt->present.uidvalidity;

	assert(item->outcome == OUTCOME_NONE);
	assert(attempt_may_send(attempt, item));
	item->sent = true;
	attempt->upload->lessons->quota_refusals = 0;
	target_achieved(attempt->upload->target);
	ARRAY_GROW(attempt->stored, attempt->stored_count, attempt->stored_cap);
	attempt->stored[attempt->stored_count++] = item;
	if (result->uid == 0)
		return true;
	if (uidvalidity != 0 && result->uidvalidity != uidvalidity)
		return err_set(err, ERR_RETRY, "the folder was replaced: UIDVALIDITY %u became %u",
			uidvalidity, result->uidvalidity);
	item->target_uid = result->uid;
	return item->row == 0 || restore_journal_done(attempt->upload->journal, item->row,
					 uidvalidity, result->uid, err);
}

static bool handle_answer(
	void *context, struct item *item, const struct imap_append_result *result, struct err *err)
{
	struct attempt *attempt = context;

	if (result->status == IMAP_OK)
		return note_stored(attempt, item, result, err);
	if (result->code == IMAP_CODE_TRYCREATE)
		return err_set(err, ERR_REFUSED, "the folder no longer exists: %s", result->text);
	refused_add(attempt, item, result->code, result->text);
	return true;
}

static bool skip_unsent(
	void *context, struct item *item, enum outcome outcome, const char *words, struct err *err)
{
	struct attempt *attempt = context;

	attempt_decide(attempt, item, outcome, words);
	return attempt_forget_row(attempt, item, err);
}

/* --- batches --- */

/*
 * Journals the next batch before any of its messages is sent. A crash
 *   - before the commit: nothing of the batch was sent, nothing is remembered;
 *   - after the commit, before APPEND arrives: the rows are pending, the next run does not find the
 *     messages in the folder and sends them;
 *   - after the server stored a message, before its row is done: the row is pending, the next run
 *     finds the message among the UIDs from uidnext on and does not send it again;
 *   - after that: the row is a hint that spares the next run fetching the message.
 * The rows' later changes may therefore wait for the next batch's commit. Without UIDVALIDITY a row
 * could not be told from one about a replaced folder: nothing is journalled, and the next run finds
 * all by their bytes.
 */
static bool journal_batch(struct attempt *attempt, size_t index, struct err *err)
{
	const struct upload *upload = attempt->upload;
	struct journal_row row = {
		.uidvalidity = attempt->present.uidvalidity, .uidnext = attempt->present.uidnext};
	uint64_t bytes = 0;
	size_t end = index;

	/* present_find() searched the folder on this connection. Its UIDNEXT holds for all batches:
	 * a message sent later has a UID from there on as well. */
	assert(row.uidnext > 0);
	for (; end < attempt->count && end - index < UPLOAD_BATCH_MESSAGES &&
		bytes < UPLOAD_BATCH_BYTES;
		end++) {
		struct item *item = attempt->list[end];

		bytes += item->size;
		memcpy(row.sha256, item->sha256, SHA256_BYTES);
		if (upload->journal && row.uidvalidity != 0 &&
			!restore_journal_pending(
				upload->journal, upload->wire_name, &row, &item->row, err))
			return false;
	}
	if (upload->journal && !restore_journal_commit(upload->journal, err))
		return false;
	for (size_t i = index; i < end; i++)
		assert(attempt_may_send(attempt, attempt->list[i]));
	attempt->batch_end = end;
	return true;
}

/* Drains the pipeline only to offer refused messages again or to compare: draining costs time. */
static bool prepare_send(void *context, size_t index, struct err *err)
{
	struct attempt *attempt = context;

	if (index < attempt->batch_end) {
		assert(attempt_may_send(attempt, attempt->list[index]));
		return true;
	}
	if (attempt->refusals_count > 0 && !refused_retry(attempt, err))
		return false;
	if (attempt->stored_count >= UPLOAD_COMPARE_MESSAGES &&
		(!sending_drain(&attempt->sending, err) || !refused_retry(attempt, err) ||
			!stored_check(attempt, err) || !imap_unselect(attempt->imap, err)))
		return false;
	return journal_batch(attempt, index, err);
}

/* Unselects first: a server with the folder selected checks it for changes after every APPEND. */
static bool send_list(struct attempt *attempt, size_t window, struct err *err)
{
	attempt->batch_end = 0;
	if (attempt->count > 0 && !imap_unselect(attempt->imap, err))
		return false;
	return sending_run(&attempt->sending, attempt->list, attempt->count, window, prepare_send,
		       err) &&
	       refused_retry(attempt, err);
}

/* --- an attempt --- */

/* Those that were in flight when a connection was lost are sent alone: which one was to blame? */
static bool send_items(struct attempt *attempt, bool alone, struct err *err)
{
	struct items *items = attempt->upload->items;

	attempt->count = 0;
	for (size_t i = 0; i < items->count; i++) {
		struct item *item = &items->items[i];

		if (item->outcome == OUTCOME_NONE && !item->is_there && (item->losses > 0) == alone)
			attempt->list[attempt->count++] = item;
	}
	return send_list(attempt, alone ? 1 : IMAP_APPEND_IN_FLIGHT, err);
}

/*
 * Decides the items that were found: they were there before this run, or were stored by it on a
 * connection that was lost, and are then compared. An item that was stored but is gone again is
 * sent once more and counts as a loss.
 */
static void decide_found(struct attempt *attempt)
{
	struct items *items = attempt->upload->items;

	for (size_t i = 0; i < items->count; i++) {
		struct item *item = &items->items[i];

		if (item->outcome != OUTCOME_NONE)
			continue;
		if (!item->is_there) {
			item->losses += item->sent;
			item->sent = false;
			if (item->losses > UPLOAD_LOSSES_MAX)
				attempt_decide(attempt, item, OUTCOME_REFUSED,
					"the connection is lost each time it is sent");
		} else if (item->sent || item->losses > 0) {
			item->sent = true;
			ARRAY_GROW(attempt->stored, attempt->stored_count, attempt->stored_cap);
			attempt->stored[attempt->stored_count++] = item;
		} else {
			attempt_decide(attempt, item, OUTCOME_ALREADY_THERE, NULL);
		}
	}
}

/*
 * The search comes before anything is sent, also on the second connection of a run: a message that
 * was in flight when the first was lost may have arrived. The suspects go before the others, so
 * that one that ends the connection does not take new ones with it each time.
 */
static bool upload_once(struct attempt *attempt, struct err *err)
{
	const struct upload *upload = attempt->upload;
	const struct present_ask ask = {
		upload->archive, attempt->imap, upload->journal, upload->wire_name, true};

	if (!present_find(&ask, upload->items, &attempt->present, err))
		return false;
	decide_found(attempt);
	if (attempt->present.read_only)
		return err_set(err, ERR_REFUSED, "the folder is read-only");
	return send_items(attempt, true, err) && send_items(attempt, false, err) &&
	       stored_check(attempt, err) &&
	       (!upload->journal || restore_journal_commit(upload->journal, err));
}

static bool try_upload(const struct upload *upload, struct err *err)
{
	struct attempt attempt = {.upload = upload, .imap = upload->target->imap};
	bool fine;

	assert(attempt.imap); /* target_need() succeeded */
	attempt.sending = (struct sending){
		.imap = attempt.imap,
		.ref = upload->ref,
		.wire_name = upload->wire_name,
		.context = &attempt,
		.flags = attempt_flags,
		.answered = handle_answer,
		.unsent = skip_unsent,
	};
	attempt.list = xcalloc(upload->items->count + 1, sizeof(struct item *));
	fine = upload_once(&attempt, err);
	if (!fine)
		sending_lost(&attempt.sending);
	attempt_free(&attempt);
	return fine;
}

static void skip_rest(const struct upload *upload, const char *words)
{
	struct attempt attempt = {.upload = upload};

	for (size_t i = 0; i < upload->items->count; i++)
		if (upload->items->items[i].outcome == OUTCOME_NONE)
			attempt_decide(&attempt, &upload->items->items[i], OUTCOME_SKIPPED, words);
}

bool upload_folder(const struct upload *upload, struct err *err)
{
	for (;;) {
		if (!target_need(upload->target, err))
			return false;
		if (try_upload(upload, err))
			return true;
		if (err->kind == ERR_REFUSED) {
			skip_rest(upload, err->text);
			err_clear(err);
			return true;
		}
		if (!target_lost(upload->target, err))
			return false;
	}
}
