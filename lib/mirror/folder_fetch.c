#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "mirror/pass_internal.h"

enum { REASON_BYTES = 200 };

/* Where the replies of one imap_fetch() go. */
struct taking {
	struct folder_job *job;
	const struct rangeset *wanted;
	struct rangeset placed;    /* since the last tagged OK */
	struct rangeset had;       /* placed and confirmed, or refused for good */
	struct rangeset refused;   /* ranges the server said NO to */
	char reason[REASON_BYTES]; /* of the last refusal */
	bool streaming;            /* a message was begun in the archive */
	bool too_large;
	bool have_ticket;
	int64_t ticket;
};

static struct archive_writer *writer_of(struct taking *taking)
{
	return taking->job->pass->writer;
}

static bool take_begin(void *context, uint64_t size_bytes, struct err *err)
{
	struct taking *taking = context;

	taking->have_ticket = false;
	taking->too_large = size_bytes > taking->job->pass->job->account->max_message_bytes;
	if (taking->too_large)
		return true;
	if (!archive_message_begin(writer_of(taking), taking->job->id, size_bytes, err))
		return false;
	taking->streaming = true;
	return true;
}

static bool take_data(void *context, const uint8_t *data, size_t len, struct err *err)
{
	struct taking *taking = context;

	if (taking->too_large)
		return true;
	taking->job->pass->result.bytes += len;
	return archive_message_data(writer_of(taking), data, len, err);
}

static bool take_end(void *context, struct err *err)
{
	struct taking *taking = context;

	if (taking->too_large)
		return true;
	taking->streaming = false;
	if (!archive_message_end(writer_of(taking), &taking->ticket, err))
		return false;
	taking->have_ticket = true;
	return true;
}

static bool skip(struct folder_job *job, uint32_t uid, uint64_t size, const char *reason,
	bool too_large, struct err *err)
{
	pass_note(job->pass, job->server->path, reason);
	return ledger_add(&job->pass->ledger, job->server->path, job->uidvalidity, uid, size,
		reason, too_large, err);
}

static bool place(struct taking *taking, const struct imap_fetch_reply *fetch, struct err *err)
{
	struct archive_placement placement = {
		.folder_id = taking->job->id,
		.uidvalidity = taking->job->uidvalidity,
		.uid = fetch->uid,
		.ticket = taking->ticket,
		.has_date = (fetch->has & IMAP_FETCHED_DATE) != 0,
		.date = fetch->date,
		.date_text = fetch->has & IMAP_FETCHED_DATE ? NULL : fetch->date_text,
		.flags = fetch->has & IMAP_FETCHED_FLAGS ? fetch->flags : "",
	};

	taking->have_ticket = false;
	if (!archive_place(writer_of(taking), &placement, err))
		return false;
	if (!(fetch->has & IMAP_FETCHED_FLAGS)) {
		pass_note(taking->job->pass, taking->job->server->path,
			"flags: server tells none beside a body");
		taking->job->flags_refused = true;
	}
	rangeset_add(&taking->placed, fetch->uid, fetch->uid);
	taking->job->pass->result.fetched++;
	return true;
}

static bool take_fetched(void *context, const struct imap_fetch_reply *fetch, struct err *err)
{
	struct taking *taking = context;
	bool asked = (fetch->has & IMAP_FETCHED_UID) && rangeset_has(taking->wanted, fetch->uid) &&
		     !rangeset_has(&taking->placed, fetch->uid) &&
		     !rangeset_has(&taking->had, fetch->uid);

	if (!asked || !(fetch->has & IMAP_FETCHED_BODY)) {
		taking->have_ticket = false;
		return true;
	}
	if (!taking->too_large)
		return !taking->have_ticket || place(taking, fetch, err);
	taking->too_large = false;
	rangeset_add(&taking->had, fetch->uid, fetch->uid);
	return skip(taking->job, fetch->uid, fetch->body_size, "larger than max-message-size", true,
		err);
}

static bool take_range_done(
	void *context, const struct rangeset *uids, bool ok, const char *text, struct err *err)
{
	struct taking *taking = context;
	const struct mirror_job *job = taking->job->pass->job;

	if (!ok) {
		rangeset_add_set(&taking->refused, uids);
		(void)snprintf(taking->reason, sizeof(taking->reason), "server says: %s", text);
	}
	rangeset_add_set(&taking->had, &taking->placed);
	rangeset_add_set(&taking->job->placed, &taking->placed);
	rangeset_clear(&taking->placed);
	if (job->progress)
		job->progress(job->context, taking->job->server->path,
			taking->job->pass->result.fetched, taking->job->pass->result.bytes);
	return archive_may_commit(writer_of(taking), err);
}

static bool fetch_once(struct taking *taking, const struct rangeset *uids, uint32_t range_messages,
	struct err *err)
{
	struct imap_fetch fetch = {
		.uids = uids,
		.items = IMAP_ITEM_FLAGS | IMAP_ITEM_DATE | IMAP_ITEM_SIZE | IMAP_ITEM_BODY,
		.range_messages = range_messages,
	};
	struct imap_fetch_sink sink = {
		.context = taking,
		.body = {taking, take_begin, take_data, take_end},
		.fetched = take_fetched,
		.range_done = take_range_done,
	};
	bool done;

	taking->wanted = uids;
	done = imap_fetch(taking->job->pass->job->imap, &fetch, &sink, err);
	if (taking->streaming)
		archive_message_abort(writer_of(taking));
	taking->streaming = false;
	return done;
}

/* What the server still lists and did not give goes to the ledger; the rest was expunged meanwhile.
 */
static bool settle_missing(struct taking *taking, const struct rangeset *missing, struct err *err)
{
	CLEANUP(rangeset_free) struct rangeset listed = {0}, owed = {0};

	if (!imap_search_all(taking->job->pass->job->imap, &listed, err))
		return false;
	rangeset_intersect(missing, &listed, &owed);
	for (size_t i = 0; i < owed.count; i++) {
		for (uint64_t uid = owed.items[i].first; uid <= owed.items[i].last; uid++) {
			const char *reason = rangeset_has(&taking->refused, (uint32_t)uid)
						     ? taking->reason
						     : "server did not send it";

			if (!skip(taking->job, (uint32_t)uid, 0, reason, false, err))
				return false;
		}
	}
	return true;
}

/* The first message that is missing is where the session ended. Always false. */
static bool suspect(struct taking *taking, const struct rangeset *uids, const struct err *err)
{
	CLEANUP(rangeset_free) struct rangeset came = {0}, missing = {0};
	struct folder_job *job = taking->job;
	struct err ignored = ERR_INIT; /* the lost session is what there is to tell */

	if (err->kind != ERR_RETRY && err->kind != ERR_PROTOCOL)
		return false;
	rangeset_add_set(&came, &taking->had);
	rangeset_add_set(&came, &taking->placed);
	rangeset_subtract(uids, &came, &missing);
	if (missing.count > 0)
		(void)ledger_suspect(&job->pass->ledger, job->server->path, job->uidvalidity,
			missing.items[0].first, &ignored);
	return false;
}

static void taking_free(struct taking *taking)
{
	rangeset_free(&taking->placed);
	rangeset_free(&taking->had);
	rangeset_free(&taking->refused);
}

bool folder_fetch(struct folder_job *job, const struct rangeset *uids, struct err *err)
{
	CLEANUP(taking_free) struct taking taking = {.job = job};
	CLEANUP(rangeset_free) struct rangeset again = {0}, missing = {0};

	if (!fetch_once(&taking, uids, 0, err))
		return suspect(&taking, uids, err);
	rangeset_subtract(uids, &taking.had, &again);
	if (again.count == 0)
		return true;
	/* one poisoned message makes a server refuse its whole range: ask for each alone */
	if (!fetch_once(&taking, &again, 1, err))
		return suspect(&taking, &again, err);
	rangeset_subtract(&again, &taking.had, &missing);
	return missing.count == 0 || settle_missing(&taking, &missing, err);
}
