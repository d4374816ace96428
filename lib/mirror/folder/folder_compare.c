#include "mirror/folder/folder_compare.h"

#include <stdio.h>

#include "mirror/folder/folder_fetch.h"
#include "mirror/folder/plan.h"

enum {
	REFUSAL_BYTES = 200,
	RETRY_COMMANDS_MAX = 1024, /* for each size of range */
};

/* --- what the archive has --- */

static bool add_archived_flags(void *context, uint32_t uid, const char *flags, struct err *err)
{
	struct archive_view *view = context;

	(void)err;
	uid_list_add(&view->flags, uid, flags);
	return true;
}

static bool view_uids(struct folder_job *job, const struct server_view *server,
	struct archive_view *ret_view, struct err *err)
{
	return archive_add_uids(archive_writer_view(job->pass->writer), job->id, job->uidvalidity,
		&server->scope, &ret_view->uids, err);
}

/* The archive's flags of those messages whose flags the server sent. */
static bool view_flags(struct folder_job *job, const struct server_view *server,
	struct archive_view *ret_view, struct err *err)
{
	CLEANUP(rangeset_free) struct rangeset told = {0};

	uid_list_uids(&server->flags, &told);
	return archive_each_uid(archive_writer_view(job->pass->writer), job->id, job->uidvalidity,
		&told, add_archived_flags, ret_view, err);
}

/* --- what the server has --- */

struct flag_request {
	struct uid_list *flags;
	struct rangeset both;    /* UIDs that server and archive have */
	struct rangeset refused; /* UIDs of commands answered NO */
	char why[REFUSAL_BYTES];
};

static void flag_request_free(struct flag_request *request)
{
	rangeset_free(&request->both);
	rangeset_free(&request->refused);
}

static bool on_flags(void *context, const struct imap_fetch_reply *fetch, struct err *err)
{
	struct flag_request *request = context;

	(void)err;
	if ((fetch->has & IMAP_FETCHED_UID) && (fetch->has & IMAP_FETCHED_FLAGS))
		uid_list_add(request->flags, fetch->uid, fetch->flags);
	return true;
}

static bool on_flags_range_done(
	void *context, const struct rangeset *uids, bool ok, const char *text, struct err *err)
{
	struct flag_request *request = context;

	(void)err;
	if (ok)
		return true;
	rangeset_add_set(&request->refused, uids);
	(void)snprintf(request->why, sizeof(request->why), "flags: server says: %s", text);
	return true;
}

/*
 * The UIDs that both have, and those between them that no message has. Where much mail was deleted,
 * each message would else be a range of its own, and a command could name only a few hundred.
 */
static void fill_holes(const struct server_view *server, const struct archive_view *archive,
	const struct rangeset *both, struct rangeset *ret_uids)
{
	CLEANUP(rangeset_free) struct rangeset missing = {0}, span = {0};

	rangeset_subtract(&server->uids, &archive->uids, &missing);
	rangeset_add(&span, both->items[0].first, both->items[both->count - 1].last);
	rangeset_subtract(&span, &missing, ret_uids);
}

/* Afterwards request->refused has the UIDs that were refused and whose flags did not come anyway.
 */
static bool request_flags(struct imap *imap, const struct imap_fetch *fetch,
	struct flag_request *request, struct err *err)
{
	CLEANUP(rangeset_free) struct rangeset told = {0}, untold = {0};
	struct rangeset left = {0};
	const struct imap_fetch_sink sink = {
		.context = request, .fetched = on_flags, .range_done = on_flags_range_done};

	if (!imap_fetch(imap, fetch, &sink, err))
		return false;
	uid_list_sort(request->flags);
	uid_list_uids(request->flags, &told);
	rangeset_subtract(&request->both, &told, &untold);
	rangeset_intersect(&request->refused, &untold, &left);
	rangeset_free(&request->refused);
	request->refused = left;
	return true;
}

/* One message the server cannot read makes it refuse a whole range. Asks again in smaller and
 * smaller ranges, so that only that message's flags are missing. */
static bool retry_refused(struct imap *imap, struct flag_request *request, struct err *err)
{
	static const uint32_t ranges[] = {256, 16, 1}; /* messages at a time */

	for (size_t i = 0; i < ARRAY_LEN(ranges) && request->refused.count > 0; i++) {
		CLEANUP(rangeset_free) struct rangeset uids = {0};
		const struct imap_fetch fetch = {
			.uids = &uids, .items = IMAP_ITEM_FLAGS, .range_messages = ranges[i]};

		rangeset_split(&request->refused, (uint64_t)RETRY_COMMANDS_MAX * ranges[i], &uids);
		if (!request_flags(imap, &fetch, request, err))
			return false;
	}
	return true;
}

/* Asks for the flags of messages the archive has: changed since the mark, or all. */
static bool ask_flags(struct folder_job *job, const struct archive_view *archive,
	struct server_view *server, struct err *err)
{
	CLEANUP(rangeset_free) struct rangeset uids = {0};
	struct imap *imap = job->pass->job->imap;
	CLEANUP(flag_request_free) struct flag_request request = {.flags = &server->flags};
	struct imap_fetch fetch = {.uids = &uids,
		.items = IMAP_ITEM_FLAGS,
		.range_messages = UINT32_MAX,
		.changed_since = job->since};
	bool done = true;

	rangeset_intersect(&server->uids, &archive->uids, &request.both);
	if (request.both.count > 0) {
		fill_holes(server, archive, &request.both, &uids);
		fetch.messages = rangeset_size(&request.both);
		done = request_flags(imap, &fetch, &request, err) &&
		       retry_refused(imap, &request, err);
	}
	if (request.refused.count > 0) {
		pass_note(job->pass, job->server->path, request.why);
		job->flags_refused = true;
	}
	return done;
}

/* --- apply --- */

/* Forgotten messages that are gone from the server need no record to keep them from coming back. */
static bool drop_forgotten_gone(
	struct folder_job *job, const struct server_view *server, struct err *err)
{
	CLEANUP(rangeset_free) struct rangeset forgotten = {0}, gone = {0};

	rangeset_intersect(&job->forgotten, &server->scope, &forgotten);
	rangeset_subtract(&forgotten, &server->uids, &gone);
	return gone.count == 0 ||
	       archive_set_gone(job->pass->writer, job->id, job->uidvalidity, &gone, err);
}

static bool set_flags(struct folder_job *job, const struct uid_list *reflag, struct err *err)
{
	for (size_t i = 0; i < reflag->count; i++)
		if (!archive_set_flags(job->pass->writer, job->id, job->uidvalidity,
			    reflag->items[i].uid, reflag->items[i].flags, err))
			return false;
	job->pass->result.reflagged += reflag->count;
	return reflag->count == 0 || archive_may_commit(job->pass->writer, err);
}

/*
 * Resolves the ledger entries of this part: every UID of the scope, except those the server lists
 * and the archive lacks. In memory: ledger_save() drops them from the state file, after the commit
 * that has the messages.
 */
static void resolve_part(
	struct folder_job *job, const struct rangeset *scope, const struct rangeset *missing)
{
	CLEANUP(rangeset_free) struct rangeset lacking = {0}, resolved = {0};

	rangeset_subtract(missing, &job->placed, &lacking);
	rangeset_subtract(scope, &lacking, &resolved);
	rangeset_add_set(&resolved, &job->forgotten);
	ledger_resolve(&job->pass->ledger, job->server->path, job->uidvalidity, &resolved);
	rangeset_add_set(&job->lacking, &lacking);
	rangeset_clear(&job->placed);
}

/*
 * What is gone and what the ledger may drop comes last, and in memory only: if fetching fails, the
 * archive keeps its open intervals and the ledger its entries, and the next pass decides again.
 */
static bool apply_part(struct folder_job *job, const struct server_view *server,
	struct archive_view *archive, struct err *err)
{
	CLEANUP(part_plan_free) struct part_plan plan = {0};

	if (!view_flags(job, server, archive, err))
		return false;
	plan_part(server, archive, &job->without, &plan);
	if (!drop_forgotten_gone(job, server, err) || !set_flags(job, &plan.reflag, err))
		return false;
	if (plan.fetch.count > 0 && !folder_fetch(job, &plan.fetch, err))
		return false;
	rangeset_add_set(&job->gone, &plan.gone);
	resolve_part(job, &server->scope, &plan.missing);
	return true;
}

bool compare_delta(struct folder_job *job, struct delta *delta, uint32_t exists, bool *ret_adds_up,
	struct err *err)
{
	CLEANUP(server_view_free) struct server_view server = {0};
	CLEANUP(archive_view_free) struct archive_view archive = {0};

	view_of_delta(delta, &job->without, &server);
	if (!view_uids(job, &server, &archive, err))
		return false;
	*ret_adds_up = plan_delta_adds_up(&server, &archive, &job->without, &job->mark,
		folder_left_out(job, &job->mark), exists);
	return !*ret_adds_up || apply_part(job, &server, &archive, err);
}

static bool compare_window(struct folder_job *job, struct rangeset *left, uint32_t from,
	uint32_t *ret_next, struct err *err)
{
	CLEANUP(server_view_free) struct server_view server = {0};
	CLEANUP(archive_view_free) struct archive_view archive = {0};

	view_of_window(left, from, job->window_messages, &server, ret_next);
	return view_uids(job, &server, &archive, err) && ask_flags(job, &archive, &server, err) &&
	       apply_part(job, &server, &archive, err);
}

bool compare_windows(struct folder_job *job, struct rangeset *uids, struct err *err)
{
	uint32_t from = 1;

	do {
		if (!compare_window(job, uids, from, &from, err))
			return false;
	} while (from > 0);
	return true;
}
