#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "mirror/pass_internal.h"

/* --- what the archive has --- */

static bool hold_uid(void *context, uint32_t uid, const char *flags, struct err *err)
{
	struct archive_view *view = context;

	(void)err;
	uid_list_add(&view->present, uid, flags);
	rangeset_add(&view->uids, uid, uid);
	return true;
}

static bool view_archive(struct folder_job *job, struct archive_view *view, struct err *err)
{
	return archive_each_uid(archive_writer_view(job->pass->writer), job->id, job->uidvalidity,
		hold_uid, view, err);
}

/* --- what the server has --- */

static bool hear_fetched(void *context, const struct imap_fetch_reply *fetch, struct err *err)
{
	struct server_view *view = context;

	(void)err;
	if ((fetch->has & IMAP_FETCHED_UID) && (fetch->has & IMAP_FETCHED_FLAGS))
		uid_list_add(&view->changed, fetch->uid, fetch->flags);
	return true;
}

static bool hear_vanished(void *context, const struct rangeset *uids, bool earlier, struct err *err)
{
	struct server_view *view = context;

	(void)earlier;
	(void)err;
	rangeset_add_set(&view->vanished, uids);
	return true;
}

static struct imap_fetch_sink listen_into(struct server_view *view)
{
	return (struct imap_fetch_sink){
		.context = view, .fetched = hear_fetched, .vanished = hear_vanished};
}

static bool fetch_flags(struct folder_job *job, const struct rangeset *uids, uint64_t changed_since,
	struct server_view *view, struct err *err)
{
	struct imap_fetch fetch = {
		.uids = uids,
		.items = IMAP_ITEM_FLAGS,
		.range_messages = UINT32_MAX,
		.changed_since = changed_since,
	};
	struct imap_fetch_sink sink = listen_into(view);

	if (uids->count == 0)
		return true;
	return imap_fetch(job->pass->job->imap, &fetch, &sink, err);
}

/* All uids, and the flags of what the archive holds: since the mark, or all of them. */
static bool view_whole(struct folder_job *job, const struct archive_view *archive,
	struct server_view *view, struct err *err)
{
	CLEANUP(rangeset_free) struct rangeset both = {0};
	bool since = job->has_mark && job->mark.highestmodseq != 0 &&
		     imap_condstore(job->pass->job->imap);

	view->whole = true;
	rangeset_clear(&view->uids);
	rangeset_clear(&view->vanished);
	if (!imap_search_all(job->pass->job->imap, &view->uids, err))
		return false;
	rangeset_intersect(&view->uids, &archive->uids, &both);
	return fetch_flags(job, &both, since ? job->mark.highestmodseq : 0, view, err);
}

/* --- doing --- */

static bool new_uidvalidity(struct folder_job *job, uint32_t uidvalidity, struct err *err)
{
	job->uidvalidity = uidvalidity;
	job->has_mark = false;
	job->mark = (struct archive_mark){0};
	return archive_set_uidvalidity(job->pass->writer, job->id, uidvalidity, err);
}

static bool examine(struct folder_job *job, struct server_view *view,
	struct imap_examined *ret_examined, bool *ret_delta, struct err *err)
{
	struct imap *imap = job->pass->job->imap;
	struct imap_qresync qresync = {
		.uidvalidity = job->mark.uidvalidity, .modseq = job->mark.highestmodseq};
	struct imap_fetch_sink sink = listen_into(view);
	bool delta = job->has_mark && job->mark.highestmodseq != 0 && imap_qresync_enabled(imap);

	if (!imap_examine(imap, job->server->wire_name, delta ? &qresync : NULL, &sink,
		    ret_examined, err))
		return false;
	if (ret_examined->uidvalidity == 0)
		return err_set(err, ERR_REFUSED, "server gives no UIDVALIDITY");
	*ret_delta = delta && ret_examined->uidvalidity == job->mark.uidvalidity &&
		     ret_examined->highestmodseq != 0;
	if (ret_examined->uidvalidity != job->uidvalidity)
		return new_uidvalidity(job, ret_examined->uidvalidity, err);
	return true;
}

static bool set_flags(struct folder_job *job, const struct uid_list *reflag, struct err *err)
{
	for (size_t i = 0; i < reflag->count; i++)
		if (!archive_set_flags(job->pass->writer, job->id, job->uidvalidity,
			    reflag->items[i].uid, reflag->items[i].flags, err))
			return false;
	job->pass->result.reflagged += reflag->count;
	return true;
}

static struct archive_mark mark_after(const struct folder_job *job,
	const struct imap_examined *examined, const struct server_view *view)
{
	struct archive_mark mark = {
		.uidvalidity = job->uidvalidity,
		.uidnext = examined->uidnext,
		.highestmodseq = examined->highestmodseq,
		.messages = examined->exists,
		.flags_compared_ms = examined->highestmodseq ? 0 : job->pass->now_ms,
	};

	/* Courier gives no UIDNEXT here; its STATUS does */
	if (mark.uidnext == 0 && (job->server->counts.has & IMAP_HAS_UIDNEXT))
		mark.uidnext = job->server->counts.uidnext;
	if (mark.uidnext == 0 && view->uids.count > 0)
		mark.uidnext = view->uids.items[view->uids.count - 1].last + 1;
	return mark;
}

static void close_later(struct folder_job *job, struct rangeset *gone, struct archive_mark mark)
{
	struct pass *pass = job->pass;

	ARRAY_GROW(pass->closures, pass->closures_count, pass->closures_cap);
	pass->closures[pass->closures_count++] = (struct closure){
		.folder_id = job->id,
		.uidvalidity = job->uidvalidity,
		.uids = *gone,
		.mark = mark,
		.has_mark = !job->unfinished,
	};
	pass->result.gone += rangeset_size(gone);
	*gone = (struct rangeset){0};
}

static bool same_mark(const struct folder_job *job, const struct archive_mark *mark)
{
	const struct archive_mark *old = &job->mark;

	return job->has_mark && old->uidvalidity == mark->uidvalidity &&
	       old->uidnext == mark->uidnext && old->highestmodseq == mark->highestmodseq &&
	       old->messages == mark->messages && old->flags_compared_ms == mark->flags_compared_ms;
}

static bool apply(
	struct folder_job *job, struct folder_plan *plan, struct archive_mark mark, struct err *err)
{
	if (!set_flags(job, &plan->reflag, err))
		return false;
	if (plan->gone.count > 0) {
		close_later(job, &plan->gone, mark);
		return true;
	}
	if (job->unfinished || same_mark(job, &mark))
		return true;
	return archive_set_mark(job->pass->writer, job->id, &mark, err) &&
	       archive_may_commit(job->pass->writer, err);
}

/* What the server holds no more, or the archive holds, is no longer owed. */
static void settle(struct folder_job *job, const struct server_view *server,
	const struct archive_view *archive)
{
	CLEANUP(rangeset_free) struct rangeset all = {0}, settled = {0};

	rangeset_add(&all, 1, UINT32_MAX);
	if (server->whole)
		rangeset_subtract(&all, &server->uids, &settled);
	else
		rangeset_add_set(&settled, &server->vanished);
	rangeset_add_set(&settled, &archive->uids);
	rangeset_add_set(&settled, &job->placed);
	ledger_settle(&job->pass->ledger, job->server->path, job->uidvalidity, &settled);
}

/* What is not to be asked for: forgotten, or not yet due. */
static bool hold_back(struct folder_job *job, struct err *err)
{
	ledger_hold(&job->pass->ledger, job->server->path, job->uidvalidity, &job->without,
		&job->unfinished);
	return archive_add_forgotten(archive_writer_view(job->pass->writer), job->id,
		job->uidvalidity, &job->without, err);
}

/* Of what was forgotten, the server holds some no more: nothing has to keep it away. */
static bool bury(struct folder_job *job, const struct server_view *server, struct err *err)
{
	CLEANUP(rangeset_free) struct rangeset forgotten = {0}, gone = {0};

	if (!archive_add_forgotten(archive_writer_view(job->pass->writer), job->id,
		    job->uidvalidity, &forgotten, err))
		return false;
	if (server->whole)
		rangeset_subtract(&forgotten, &server->uids, &gone);
	else
		rangeset_intersect(&forgotten, &server->vanished, &gone);
	return gone.count == 0 ||
	       archive_set_gone(job->pass->writer, job->id, job->uidvalidity, &gone, err);
}

static bool fetch_missing(struct folder_job *job, const struct folder_plan *plan,
	const struct server_view *server, const struct archive_view *archive, struct err *err)
{
	if (plan->fetch.count > 0 && !folder_fetch(job, &plan->fetch, err))
		return false;
	settle(job, server, archive);
	return hold_back(job, err);
}

static bool look_and_apply(struct folder_job *job, struct imap_examined *examined, struct err *err)
{
	CLEANUP(server_view_free) struct server_view server = {0};
	CLEANUP(archive_view_free) struct archive_view archive = {0};
	CLEANUP(folder_plan_free) struct folder_plan plan = {0};
	bool delta = false;

	if (!examine(job, &server, examined, &delta, err))
		return false;
	if (!hold_back(job, err) || !view_archive(job, &archive, err))
		return false;
	server.uidvalidity = job->uidvalidity;
	server.exists = examined->exists;
	uid_list_sort(&server.changed);
	if (!delta || job->unfinished || !plan_delta_adds_up(&server, &archive, &job->without)) {
		if (!view_whole(job, &archive, &server, err))
			return false;
		uid_list_sort(&server.changed);
	}
	plan_folder(&server, &archive, &job->without, &plan);
	return bury(job, &server, err) && fetch_missing(job, &plan, &server, &archive, err) &&
	       apply(job, &plan, mark_after(job, examined, &server), err);
}

bool folder_mirror(struct folder_job *job, struct err *err)
{
	CLEANUP(imap_examined_free) struct imap_examined examined = {0};

	if (look_and_apply(job, &examined, err))
		return true;
	if (err->kind != ERR_REFUSED)
		return err_wrap(err, "%s", job->server->path);
	job->pass->result.folders_refused++;
	pass_note(job->pass, job->server->path, err->text);
	err_clear(err);
	return true;
}
