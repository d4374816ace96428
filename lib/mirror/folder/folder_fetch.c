#include "mirror/folder/folder_fetch.h"

#include <assert.h>
#include <stdio.h>

enum { REASON_BYTES = 200 };

/* What the replies to one imap_fetch() have brought. */
struct fetching {
	struct folder_job *job;
	const struct rangeset *wanted;
	struct rangeset placed;    /* since the last tagged reply */
	struct rangeset done;      /* placed before a tagged reply, or too large */
	struct rangeset refused;   /* ranges the server answered NO */
	char reason[REASON_BYTES]; /* of the last refusal */
	bool streaming;            /* a message is begun in the archive */
	bool too_large;
	bool have_ticket;
	int64_t ticket;
};

static struct archive_writer *writer_of(struct fetching *fetching)
{
	return fetching->job->pass->writer;
}

static bool on_body_begin(void *context, uint64_t size_bytes, struct err *err)
{
	struct fetching *fetching = context;

	assert(!fetching->streaming); /* the session gives one body at a time, begun to end */
	fetching->have_ticket = false;
	fetching->too_large = size_bytes > fetching->job->pass->job->account->max_message_bytes;
	if (fetching->too_large)
		return true;
	if (!archive_message_begin(writer_of(fetching), fetching->job->id, size_bytes, err))
		return false;
	fetching->streaming = true;
	return true;
}

static bool on_body_data(void *context, const uint8_t *data, size_t len, struct err *err)
{
	struct fetching *fetching = context;

	if (fetching->too_large)
		return true;
	assert(fetching->streaming);
	fetching->job->pass->result.bytes += len;
	return archive_message_data(writer_of(fetching), data, len, err);
}

static bool on_body_end(void *context, struct err *err)
{
	struct fetching *fetching = context;

	if (fetching->too_large)
		return true;
	assert(fetching->streaming);
	fetching->streaming = false;
	if (!archive_message_end(writer_of(fetching), &fetching->ticket, err))
		return false;
	fetching->have_ticket = true;
	return true;
}

static bool leave_out(struct folder_job *job, uint32_t uid, uint64_t size, const char *reason,
	bool too_large, struct err *err)
{
	pass_note(job->pass, job->server->path, reason);
	return ledger_add(&job->pass->ledger, job->server->path, job->uidvalidity, uid, size,
		reason, too_large, err);
}

static bool place(struct fetching *fetching, const struct imap_fetch_reply *fetch, struct err *err)
{
	struct archive_placement placement = {
		.folder_id = fetching->job->id,
		.uidvalidity = fetching->job->uidvalidity,
		.uid = fetch->uid,
		.ticket = fetching->ticket,
		.has_date = (fetch->has & IMAP_FETCHED_DATE) != 0,
		.date = fetch->date,
		.date_text = fetch->has & IMAP_FETCHED_DATE ? NULL : fetch->date_text,
		.flags = fetch->has & IMAP_FETCHED_FLAGS ? fetch->flags : "",
	};

	assert(fetching->have_ticket);
	fetching->have_ticket = false;
	if (!archive_place(writer_of(fetching), &placement, err))
		return false;
	if (!(fetch->has & IMAP_FETCHED_FLAGS)) {
		pass_note(fetching->job->pass, fetching->job->server->path,
			"flags: the server sends none with a body");
		fetching->job->flags_refused = true;
	}
	rangeset_add(&fetching->placed, fetch->uid, fetch->uid);
	fetching->job->pass->result.fetched++;
	return true;
}

/* A body that was not asked for, or that came before, gets no placement: no folder shows it. */
static bool on_fetched(void *context, const struct imap_fetch_reply *fetch, struct err *err)
{
	struct fetching *fetching = context;
	bool asked = (fetch->has & IMAP_FETCHED_UID) &&
		     rangeset_has(fetching->wanted, fetch->uid) &&
		     !rangeset_has(&fetching->placed, fetch->uid) &&
		     !rangeset_has(&fetching->done, fetch->uid);

	if (!asked || !(fetch->has & IMAP_FETCHED_BODY)) {
		fetching->have_ticket = false;
		return true;
	}
	if (!fetching->too_large)
		return !fetching->have_ticket || place(fetching, fetch, err);
	fetching->too_large = false;
	rangeset_add(&fetching->done, fetch->uid, fetch->uid);
	return leave_out(fetching->job, fetch->uid, fetch->body_size,
		"larger than max-message-size", true, err);
}

/*
 * While bodies are fetched, the archive may commit only here, between two literals. What was placed
 * until now counts: each of these messages came whole, some of them for a range that is still in
 * flight. After NO, too, the messages that came count; the others are asked for alone.
 */
static bool on_range_done(
	void *context, const struct rangeset *uids, bool ok, const char *text, struct err *err)
{
	struct fetching *fetching = context;
	const struct mirror_job *job = fetching->job->pass->job;

	assert(!fetching->streaming); /* no reply comes in the middle of a literal */
	if (!ok) {
		rangeset_add_set(&fetching->refused, uids);
		(void)snprintf(fetching->reason, sizeof(fetching->reason), "server says: %s", text);
	}
	rangeset_add_set(&fetching->done, &fetching->placed);
	rangeset_add_set(&fetching->job->placed, &fetching->placed);
	rangeset_clear(&fetching->placed);
	if (job->progress)
		job->progress(job->context, fetching->job->server->path,
			fetching->job->pass->result.fetched, fetching->job->pass->result.bytes);
	return archive_may_commit(writer_of(fetching), err);
}

static bool fetch_once(struct fetching *fetching, const struct rangeset *uids,
	uint32_t range_messages, struct err *err)
{
	struct imap_fetch fetch = {
		.uids = uids,
		.items = IMAP_ITEM_FLAGS | IMAP_ITEM_DATE | IMAP_ITEM_SIZE | IMAP_ITEM_BODY,
		.range_messages = range_messages,
	};
	struct imap_fetch_sink sink = {
		.context = fetching,
		.body = {fetching, on_body_begin, on_body_data, on_body_end},
		.fetched = on_fetched,
		.range_done = on_range_done,
	};
	bool done;

	fetching->wanted = uids;
	done = imap_fetch(fetching->job->pass->job->imap, &fetch, &sink, err);
	/* the session ended within a body: what came of it does not count */
	if (fetching->streaming)
		archive_message_abort(writer_of(fetching));
	fetching->streaming = false;
	return done;
}

/* Messages that the server still lists but did not send go into the ledger. The others were
 * expunged in the meantime. */
static bool record_undelivered(
	struct fetching *fetching, const struct rangeset *missing, struct err *err)
{
	CLEANUP(rangeset_free) struct rangeset listed = {0}, owed = {0};

	if (!imap_search_all(fetching->job->pass->job->imap, &listed, err))
		return false;
	rangeset_intersect(missing, &listed, &owed);
	for (size_t i = 0; i < owed.count; i++) {
		for (uint64_t uid = owed.items[i].first; uid <= owed.items[i].last; uid++) {
			const char *reason = rangeset_has(&fetching->refused, (uint32_t)uid)
						     ? fetching->reason
						     : "the server did not send it";

			if (!leave_out(fetching->job, (uint32_t)uid, 0, reason, false, err))
				return false;
		}
	}
	return true;
}

/* The session ended during the first message that is missing: suspect it. Always false. */
static bool suspect(struct fetching *fetching, const struct rangeset *uids, const struct err *err)
{
	CLEANUP(rangeset_free) struct rangeset received = {0}, missing = {0};
	struct folder_job *job = fetching->job;
	struct err ignored = ERR_INIT; /* the lost session is the error to report */

	if (err->kind != ERR_RETRY && err->kind != ERR_PROTOCOL)
		return false;
	/* those without their tagged reply are fetched again, but the session outlived them */
	rangeset_add_set(&received, &fetching->done);
	rangeset_add_set(&received, &fetching->placed);
	rangeset_subtract(uids, &received, &missing);
	if (missing.count > 0)
		(void)ledger_suspect(&job->pass->ledger, job->server->path, job->uidvalidity,
			missing.items[0].first, &ignored);
	return false;
}

static void fetching_free(struct fetching *fetching)
{
	rangeset_free(&fetching->placed);
	rangeset_free(&fetching->done);
	rangeset_free(&fetching->refused);
}

bool folder_fetch(struct folder_job *job, const struct rangeset *uids, struct err *err)
{
	CLEANUP(fetching_free) struct fetching fetching = {.job = job};
	CLEANUP(rangeset_free) struct rangeset again = {0}, missing = {0};

	if (!fetch_once(&fetching, uids, 0, err))
		return suspect(&fetching, uids, err);
	rangeset_subtract(uids, &fetching.done, &again);
	if (again.count == 0)
		return true;
	/* one message the server cannot read makes it refuse a whole range: ask for each alone */
	if (!fetch_once(&fetching, &again, 1, err))
		return suspect(&fetching, &again, err);
	assert(fetching.placed.count == 0); /* each was confirmed by a tagged reply */
	rangeset_subtract(&again, &fetching.done, &missing);
	return missing.count == 0 || record_undelivered(&fetching, &missing, err);
}
