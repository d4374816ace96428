#include "restore/upload/upload.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "imap/flags.h"
#include "restore/match/flag_text.h"
#include "restore/upload/upload_internal.h"

/* --- what the server says --- */

static bool take_stored(struct attempt *attempt, struct item *item,
	const struct imap_append_result *result, struct err *err)
{
	uint32_t uidvalidity = attempt->present.uidvalidity;

	item->sent = true;
	attempt->upload->lessons->quota_refusals = 0;
	target_achieved(attempt->upload->target);
	ARRAY_GROW(attempt->stored, attempt->stored_count, attempt->stored_cap);
	attempt->stored[attempt->stored_count++] = item;
	if (result->uid == 0)
		return true;
	if (uidvalidity != 0 && result->uidvalidity != uidvalidity)
		return err_set(err, ERR_RETRY, "the folder was replaced by another");
	item->target_uid = result->uid;
	return item->row == 0 || restore_journal_done(attempt->upload->journal, item->row,
					 uidvalidity, result->uid, err);
}

static bool answered(
	void *context, struct item *item, const struct imap_append_result *result, struct err *err)
{
	struct attempt *attempt = context;

	if (result->status == IMAP_OK)
		return take_stored(attempt, item, result, err);
	if (result->code == IMAP_CODE_TRYCREATE)
		return err_set(err, ERR_REFUSED, "the folder is gone: %s", result->text);
	refused_add(attempt, item, result->code, result->text);
	return true;
}

static bool unsent(
	void *context, struct item *item, enum outcome outcome, const char *words, struct err *err)
{
	struct attempt *attempt = context;

	attempt_decide(attempt, item, outcome, words);
	return attempt_forget_row(attempt, item, err);
}

/* --- batches --- */

static bool name_batch(struct attempt *attempt, size_t index, struct err *err)
{
	const struct upload *upload = attempt->upload;
	struct journal_row row = {
		.uidvalidity = attempt->present.uidvalidity, .uidnext = attempt->present.uidnext};
	uint64_t bytes = 0;
	size_t end = index;

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
	attempt->batch_end = end;
	return !upload->journal || restore_journal_commit(upload->journal, err);
}

/* Between batches the pipeline is only drained when there is something to settle. */
static bool before(void *context, size_t index, struct err *err)
{
	struct attempt *attempt = context;

	if (index < attempt->batch_end)
		return true;
	if (attempt->refusals_count > 0 && !refused_retry(attempt, err))
		return false;
	if (attempt->stored_count >= UPLOAD_COMPARE_MESSAGES &&
		(!sending_drain(&attempt->sending, err) || !refused_retry(attempt, err) ||
			!stored_check(attempt, err) || !imap_unselect(attempt->imap, err)))
		return false;
	return name_batch(attempt, index, err);
}

/* A server that has the folder open looks for news after every APPEND: not while they come. */
static bool send_list(struct attempt *attempt, size_t window, struct err *err)
{
	attempt->batch_end = 0;
	if (attempt->count > 0 && !imap_unselect(attempt->imap, err))
		return false;
	return sending_run(&attempt->sending, attempt->list, attempt->count, window, before, err) &&
	       refused_retry(attempt, err);
}

/* --- an attempt --- */

static bool is_to_be_sent(const struct item *item, bool alone)
{
	return item->outcome == OUTCOME_NONE && !item->is_there && (item->losses > 0) == alone;
}

static bool send_those(struct attempt *attempt, bool alone, struct err *err)
{
	struct items *items = attempt->upload->items;

	attempt->count = 0;
	for (size_t i = 0; i < items->count; i++)
		if (is_to_be_sent(&items->items[i], alone))
			attempt->list[attempt->count++] = &items->items[i];
	return send_list(attempt, alone ? 1 : IMAP_APPEND_IN_FLIGHT, err);
}

/*
 * What was found: there before this run, or stored by this run on a connection that was lost. What
 * was stored and is gone again counts as sent once more.
 */
static void sort_found(struct attempt *attempt)
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
					"the connection ends whenever it is sent");
		} else if (item->sent || item->losses > 0) {
			item->sent = true;
			ARRAY_GROW(attempt->stored, attempt->stored_count, attempt->stored_cap);
			attempt->stored[attempt->stored_count++] = item;
		} else {
			attempt_decide(attempt, item, OUTCOME_ALREADY_THERE, NULL);
		}
	}
}

static bool run(struct attempt *attempt, struct err *err)
{
	const struct upload *upload = attempt->upload;
	const struct present_ask ask = {
		upload->archive, attempt->imap, upload->journal, upload->wire_name, true};

	if (!present_find(&ask, upload->items, &attempt->present, err))
		return false;
	sort_found(attempt);
	if (attempt->present.read_only)
		return err_set(err, ERR_REFUSED, "the folder cannot be written to");
	return send_those(attempt, true, err) && send_those(attempt, false, err) &&
	       stored_check(attempt, err) &&
	       (!upload->journal || restore_journal_commit(upload->journal, err));
}

static bool try_once(const struct upload *upload, struct err *err)
{
	struct attempt attempt = {.upload = upload, .imap = upload->target->imap};
	bool fine;

	attempt.sending = (struct sending){
		.imap = attempt.imap,
		.archive_path = upload->archive_path,
		.wire_name = upload->wire_name,
		.context = &attempt,
		.flags = attempt_flags,
		.answered = answered,
		.unsent = unsent,
	};
	attempt.list = xcalloc(upload->items->count + 1, sizeof(struct item *));
	fine = run(&attempt, err);
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
		if (try_once(upload, err))
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
