#include <stdio.h>

#include "mirror/pass_internal.h"

enum {
	REFUSAL_BYTES = 200,
	ASKED_AGAIN_COMMANDS_MAX = 1024, /* of each size */
};

/* --- what the archive has --- */

static bool hold_flags(void *context, uint32_t uid, const char *flags, struct err *err)
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

/* Of what the server told flags of. */
static bool view_flags(struct folder_job *job, const struct server_view *server,
	struct archive_view *ret_view, struct err *err)
{
	CLEANUP(rangeset_free) struct rangeset told = {0};

	uid_list_uids(&server->flags, &told);
	return archive_each_uid(archive_writer_view(job->pass->writer), job->id, job->uidvalidity,
		&told, hold_flags, ret_view, err);
}

/* --- what the server has --- */

struct asking {
	struct uid_list *flags;
	struct rangeset both;    /* uids that server and archive have */
	struct rangeset refused; /* of commands that were answered NO */
	char why[REFUSAL_BYTES];
};

static void asking_free(struct asking *asking)
{
	rangeset_free(&asking->both);
	rangeset_free(&asking->refused);
}

static bool hear_fetched(void *context, const struct imap_fetch_reply *fetch, struct err *err)
{
	struct asking *asking = context;

	(void)err;
	if ((fetch->has & IMAP_FETCHED_UID) && (fetch->has & IMAP_FETCHED_FLAGS))
		uid_list_add(asking->flags, fetch->uid, fetch->flags);
	return true;
}

static bool hear_done(
	void *context, const struct rangeset *uids, bool ok, const char *text, struct err *err)
{
	struct asking *asking = context;

	(void)err;
	if (ok)
		return true;
	rangeset_add_set(&asking->refused, uids);
	(void)snprintf(asking->why, sizeof(asking->why), "flags: server says: %s", text);
	return true;
}

/*
 * The uids that both have, and those between them that no message has: where mail was deleted,
 * every message would be a range of its own, and some hundreds of them a command.
 */
static void with_holes(const struct server_view *server, const struct archive_view *archive,
	const struct rangeset *both, struct rangeset *ret_uids)
{
	CLEANUP(rangeset_free) struct rangeset missing = {0}, span = {0};

	rangeset_subtract(&server->uids, &archive->uids, &missing);
	rangeset_add(&span, both->items[0].first, both->items[both->count - 1].last);
	rangeset_subtract(&span, &missing, ret_uids);
}

/* Of both, what was refused and not told all the same is in asking->refused. */
static bool ask_once(
	struct imap *imap, const struct imap_fetch *fetch, struct asking *asking, struct err *err)
{
	CLEANUP(rangeset_free) struct rangeset told = {0}, untold = {0};
	struct rangeset left = {0};
	const struct imap_fetch_sink sink = {
		.context = asking, .fetched = hear_fetched, .range_done = hear_done};

	if (!imap_fetch(imap, fetch, &sink, err))
		return false;
	uid_list_sort(asking->flags);
	uid_list_uids(asking->flags, &told);
	rangeset_subtract(&asking->both, &told, &untold);
	rangeset_intersect(&asking->refused, &untold, &left);
	rangeset_free(&asking->refused);
	asking->refused = left;
	return true;
}

/* One message that a server cannot read takes no other's flags away: they are asked for in less and
 * less at a time. */
static bool ask_again(struct imap *imap, struct asking *asking, struct err *err)
{
	static const uint32_t ranges[] = {256, 16, 1}; /* messages at a time */

	for (size_t i = 0; i < ARRAY_LEN(ranges) && asking->refused.count > 0; i++) {
		CLEANUP(rangeset_free) struct rangeset uids = {0};
		const struct imap_fetch fetch = {
			.uids = &uids, .items = IMAP_ITEM_FLAGS, .range_messages = ranges[i]};

		rangeset_split(
			&asking->refused, (uint64_t)ASKED_AGAIN_COMMANDS_MAX * ranges[i], &uids);
		if (!ask_once(imap, &fetch, asking, err))
			return false;
	}
	return true;
}

/* Of what the archive holds: since the mark, or all. */
static bool ask_flags(struct folder_job *job, const struct archive_view *archive,
	struct server_view *server, struct err *err)
{
	CLEANUP(rangeset_free) struct rangeset uids = {0};
	struct imap *imap = job->pass->job->imap;
	CLEANUP(asking_free) struct asking asking = {.flags = &server->flags};
	struct imap_fetch fetch = {.uids = &uids,
		.items = IMAP_ITEM_FLAGS,
		.range_messages = UINT32_MAX,
		.changed_since = job->since};
	bool done = true;

	rangeset_intersect(&server->uids, &archive->uids, &asking.both);
	if (asking.both.count > 0) {
		with_holes(server, archive, &asking.both, &uids);
		fetch.messages = rangeset_size(&asking.both);
		done = ask_once(imap, &fetch, &asking, err) && ask_again(imap, &asking, err);
	}
	if (asking.refused.count > 0) {
		pass_note(job->pass, job->server->path, asking.why);
		job->flags_refused = true;
	}
	return done;
}

/* --- doing --- */

/* Of what was forgotten, the server holds some no more: nothing has to keep it away. */
static bool bury(struct folder_job *job, const struct server_view *server, struct err *err)
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

/* What the server holds no more, or the archive holds or was to forget, is no longer owed. */
static void settle(
	struct folder_job *job, const struct rangeset *scope, const struct rangeset *missing)
{
	CLEANUP(rangeset_free) struct rangeset lacking = {0}, settled = {0};

	rangeset_subtract(missing, &job->placed, &lacking);
	rangeset_subtract(scope, &lacking, &settled);
	rangeset_add_set(&settled, &job->forgotten);
	ledger_settle(&job->pass->ledger, job->server->path, job->uidvalidity, &settled);
	rangeset_add_set(&job->lacking, &lacking);
	rangeset_clear(&job->placed);
}

static bool bring_up_to_date(struct folder_job *job, const struct server_view *server,
	struct archive_view *archive, struct err *err)
{
	CLEANUP(part_plan_free) struct part_plan plan = {0};

	if (!view_flags(job, server, archive, err))
		return false;
	plan_part(server, archive, &job->without, &plan);
	if (!bury(job, server, err) || !set_flags(job, &plan.reflag, err))
		return false;
	if (plan.fetch.count > 0 && !folder_fetch(job, &plan.fetch, err))
		return false;
	rangeset_add_set(&job->gone, &plan.gone);
	settle(job, &server->scope, &plan.missing);
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
	return !*ret_adds_up || bring_up_to_date(job, &server, &archive, err);
}

static bool compare_window(struct folder_job *job, struct rangeset *left, uint32_t from,
	uint32_t *ret_next, struct err *err)
{
	CLEANUP(server_view_free) struct server_view server = {0};
	CLEANUP(archive_view_free) struct archive_view archive = {0};

	view_of_window(left, from, job->window_messages, &server, ret_next);
	return view_uids(job, &server, &archive, err) && ask_flags(job, &archive, &server, err) &&
	       bring_up_to_date(job, &server, &archive, err);
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
