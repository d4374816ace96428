#include "base/alloc.h"
#include "mirror/pass_internal.h"

/* --- looking --- */

static bool hear_fetched(void *context, const struct imap_fetch_reply *fetch, struct err *err)
{
	(void)err;
	if ((fetch->has & IMAP_FETCHED_UID) && (fetch->has & IMAP_FETCHED_FLAGS))
		delta_told(context, fetch->uid, fetch->flags);
	return true;
}

static bool hear_vanished(void *context, const struct rangeset *uids, bool earlier, struct err *err)
{
	(void)earlier;
	(void)err;
	delta_vanished(context, uids);
	return true;
}

static bool new_uidvalidity(struct folder_job *job, uint32_t uidvalidity, struct err *err)
{
	job->uidvalidity = uidvalidity;
	job->has_mark = false;
	job->mark = (struct archive_mark){0};
	return archive_set_uidvalidity(job->pass->writer, job->id, uidvalidity, err);
}

/* The mark's mod-sequence, where the server's go on from it. One that went back, or that the folder
 * has no more, says nothing. */
static uint64_t since_mark(const struct folder_job *job, const struct imap_examined *examined)
{
	const struct archive_mark *mark = &job->mark;
	bool goes_on = job->has_mark && examined->uidvalidity == mark->uidvalidity &&
		       examined->highestmodseq >= mark->highestmodseq;

	return goes_on && imap_condstore(job->pass->job->imap) ? mark->highestmodseq : 0;
}

/* *ret_told: the server told of all that happened since the mark. */
static bool examine(struct folder_job *job, struct delta *delta, struct imap_examined *ret_examined,
	bool *ret_told, struct err *err)
{
	struct imap *imap = job->pass->job->imap;
	struct imap_qresync since = {
		.uidvalidity = job->mark.uidvalidity, .modseq = job->mark.highestmodseq};
	struct imap_fetch_sink sink = {
		.context = delta, .fetched = hear_fetched, .vanished = hear_vanished};
	bool asked = job->has_mark && job->mark.highestmodseq != 0 && imap_qresync_enabled(imap);

	*ret_told = false;
	if (!imap_examine(
		    imap, job->server->wire_name, asked ? &since : NULL, &sink, ret_examined, err))
		return false;
	if (ret_examined->uidvalidity == 0)
		return err_set(err, ERR_REFUSED, "server gives no UIDVALIDITY");
	job->since = since_mark(job, ret_examined);
	*ret_told = asked && job->since != 0 && ret_examined->uidnext != 0 && !delta->too_much;
	if (ret_examined->uidvalidity != job->uidvalidity)
		return new_uidvalidity(job, ret_examined->uidvalidity, err);
	return true;
}

/* What is not to be asked for: forgotten, or not yet due. */
static bool hold_back(struct folder_job *job, struct err *err)
{
	ledger_hold(&job->pass->ledger, job->server->path, job->uidvalidity, &job->without,
		&job->unfinished);
	if (!archive_add_forgotten(archive_writer_view(job->pass->writer), job->id,
		    job->uidvalidity, &job->forgotten, err))
		return false;
	rangeset_add_set(&job->without, &job->forgotten);
	return true;
}

/* --- the mark --- */

static struct archive_mark mark_of(
	const struct folder_job *job, const struct imap_examined *examined)
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
	return mark;
}

static bool same_mark(const struct folder_job *job, const struct archive_mark *mark)
{
	const struct archive_mark *old = &job->mark;

	return job->has_mark && old->uidvalidity == mark->uidvalidity &&
	       old->uidnext == mark->uidnext && old->highestmodseq == mark->highestmodseq &&
	       old->messages == mark->messages && old->flags_compared_ms == mark->flags_compared_ms;
}

static void close_later(struct folder_job *job, struct archive_mark mark)
{
	struct pass *pass = job->pass;

	ARRAY_GROW(pass->closures, pass->closures_count, pass->closures_cap);
	pass->closures[pass->closures_count++] = (struct closure){
		.folder_id = job->id,
		.uidvalidity = job->uidvalidity,
		.uids = job->gone,
		.mark = mark,
		.has_mark = !job->unfinished,
	};
	pass->result.gone += rangeset_size(&job->gone);
	job->gone = (struct rangeset){0};
}

uint64_t folder_left_out(const struct folder_job *job, const struct archive_mark *mark)
{
	return ledger_size_below(
		&job->pass->ledger, job->server->path, mark->uidvalidity, mark->uidnext);
}

/* Of what the server listed, some was gone when it was asked for: the mark does not promise it. */
static uint64_t lost_below(const struct folder_job *job, uint32_t uidnext)
{
	CLEANUP(rangeset_free) struct rangeset lost = {0};

	rangeset_subtract(&job->lacking, &job->without, &lost);
	return rangeset_size_below(&lost, uidnext);
}

static bool move_mark(struct folder_job *job, struct archive_mark mark, struct err *err)
{
	uint64_t uncounted;

	ledger_hold(&job->pass->ledger, job->server->path, job->uidvalidity, &job->without,
		&job->unfinished);
	job->unfinished |= job->flags_refused;
	uncounted = lost_below(job, mark.uidnext) + folder_left_out(job, &mark);
	mark.messages -= uncounted < mark.messages ? (uint32_t)uncounted : mark.messages;
	if (job->gone.count > 0) {
		close_later(job, mark);
		return true;
	}
	if (job->unfinished || same_mark(job, &mark))
		return true;
	return archive_set_mark(job->pass->writer, job->id, &mark, err) &&
	       archive_may_commit(job->pass->writer, err);
}

/* --- the ladder --- */

static bool compare_whole(struct folder_job *job, struct archive_mark *mark, struct err *err)
{
	CLEANUP(rangeset_free) struct rangeset uids = {0};

	if (!imap_search_all(job->pass->job->imap, &uids, err))
		return false;
	if (mark->uidnext == 0 && uids.count > 0)
		mark->uidnext = uids.items[uids.count - 1].last + 1;
	mark->messages = (uint32_t)rangeset_size_below(&uids, mark->uidnext);
	return compare_windows(job, &uids, err);
}

static bool look_and_apply(struct folder_job *job, struct err *err)
{
	CLEANUP(imap_examined_free) struct imap_examined examined = {0};
	CLEANUP(delta_free) struct delta delta = {.most = job->window_messages};
	struct archive_mark mark;
	bool told, adds_up = false;

	if (!examine(job, &delta, &examined, &told, err) || !hold_back(job, err))
		return false;
	mark = mark_of(job, &examined);
	if (told && !job->unfinished && !compare_delta(job, &delta, examined.exists, &adds_up, err))
		return false;
	if (!adds_up && !compare_whole(job, &mark, err))
		return false;
	return move_mark(job, mark, err);
}

bool folder_mirror(struct folder_job *job, struct err *err)
{
	if (look_and_apply(job, err)) {
		job->pass->result.folders_refused += job->flags_refused;
		return true;
	}
	if (err->kind != ERR_REFUSED)
		return err_wrap(err, "%s", job->server->path);
	job->pass->result.folders_refused++;
	pass_note(job->pass, job->server->path, err->text);
	err_clear(err);
	return true;
}
