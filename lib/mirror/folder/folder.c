#include "mirror/folder/folder.h"

#include <assert.h>

#include "base/alloc.h"
#include "mirror/folder/folder_compare.h"

/* --- open the folder --- */

static bool on_changed_flags(void *context, const struct imap_fetch_reply *fetch, struct err *err)
{
	(void)err;
	if ((fetch->has & IMAP_FETCHED_UID) && (fetch->has & IMAP_FETCHED_FLAGS))
		delta_add_changed(context, fetch->uid, fetch->flags);
	return true;
}

static bool on_vanished(void *context, const struct rangeset *uids, bool earlier, struct err *err)
{
	(void)earlier;
	(void)err;
	delta_add_vanished(context, uids);
	return true;
}

/* The mod-sequence to ask for changes since: the mark's, if the server's continue from it. 0 when
 * it went back or the folder no longer has one: then the mark says nothing about flags. */
static uint64_t since_mark(const struct folder_job *job, const struct imap_examined *examined)
{
	const struct archive_mark *mark = &job->mark;
	bool continues = job->has_mark && examined->uidvalidity == mark->uidvalidity &&
			 examined->highestmodseq >= mark->highestmodseq;

	return continues && imap_condstore(job->pass->job->imap) ? mark->highestmodseq : 0;
}

/* *ret_told: delta has everything the server reports since the mark (QRESYNC, RFC 7162). */
static bool examine(struct folder_job *job, struct delta *delta, struct imap_examined *ret_examined,
	bool *ret_told, struct err *err)
{
	struct imap *imap = job->pass->job->imap;
	struct imap_qresync since = {
		.uidvalidity = job->mark.uidvalidity, .modseq = job->mark.highestmodseq};
	struct imap_fetch_sink sink = {
		.context = delta, .fetched = on_changed_flags, .vanished = on_vanished};
	bool asked = job->has_mark && job->mark.highestmodseq != 0 && imap_qresync_enabled(imap);

	*ret_told = false;
	if (!imap_examine(
		    imap, job->server->wire_name, asked ? &since : NULL, &sink, ret_examined, err))
		return false;
	if (ret_examined->uidvalidity == 0)
		return err_set(err, ERR_REFUSED, "server gives no UIDVALIDITY");
	job->since = since_mark(job, ret_examined);
	*ret_told = asked && job->since != 0 && ret_examined->uidnext != 0 && !delta->too_much;
	if (ret_examined->uidvalidity == job->uidvalidity)
		return true;
	/* every UID may now be another message: nothing that the mark says holds */
	job->uidvalidity = ret_examined->uidvalidity;
	job->has_mark = false;
	job->mark = (struct archive_mark){0};
	return archive_set_uidvalidity(job->pass->writer, job->id, job->uidvalidity, err);
}

/* Finds the UIDs not to fetch: forgotten, or in the ledger and not yet due. */
static bool find_excluded(struct folder_job *job, struct err *err)
{
	ledger_not_due(&job->pass->ledger, job->server->path, job->uidvalidity, &job->without,
		&job->unfinished);
	if (!archive_add_forgotten(archive_writer_view(job->pass->writer), job->id,
		    job->uidvalidity, &job->forgotten, err))
		return false;
	rangeset_add_set(&job->without, &job->forgotten);
	return true;
}

/* --- the mark --- */

/*
 * The mark has the numbers of EXAMINE, which came before anything was compared. What arrives or
 * changes while the folder is compared has a higher UID or mod-sequence, so the next pass asks for
 * it. The MODSEQ of a FETCH response (RFC 7162, 3.1.4.2) must not raise HIGHESTMODSEQ: it speaks
 * for one message only, and changes of others below it may not have been reported yet.
 */
static struct archive_mark mark_of(
	const struct folder_job *job, const struct imap_examined *examined)
{
	const struct imap_counts *counts = &job->server->counts;
	struct archive_mark mark = {
		.uidvalidity = job->uidvalidity,
		.uidnext = examined->uidnext,
		.highestmodseq = examined->highestmodseq,
		.messages = examined->exists,
		.flags_compared_ms = examined->highestmodseq ? 0 : job->pass->now_ms,
	};

	/* Courier sends no UIDNEXT in response to EXAMINE, but STATUS has it. STATUS came first, so
	 * the number may be too low, which costs a comparison, but never too high, unless it is of
	 * a folder that was deleted and created again since. */
	if (mark.uidnext == 0 && (counts->has & IMAP_HAS_UIDNEXT) &&
		(counts->has & IMAP_HAS_UIDVALIDITY) && counts->uidvalidity == mark.uidvalidity)
		mark.uidnext = counts->uidnext;
	return mark;
}

static bool same_mark(const struct folder_job *job, const struct archive_mark *mark)
{
	const struct archive_mark *old = &job->mark;

	return job->has_mark && old->uidvalidity == mark->uidvalidity &&
	       old->uidnext == mark->uidnext && old->highestmodseq == mark->highestmodseq &&
	       old->messages == mark->messages && old->flags_compared_ms == mark->flags_compared_ms;
}

/* Leaves closing what is gone, and the mark, to the end of the pass (apply_closures()). */
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

/* Messages the server listed that were expunged before they were fetched: not counted by the mark.
 */
static uint64_t expunged_below(const struct folder_job *job, uint32_t uidnext)
{
	CLEANUP(rangeset_free) struct rangeset expunged = {0};

	rangeset_subtract(&job->lacking, &job->without, &expunged);
	return rangeset_size_below(&expunged, uidnext);
}

/*
 * Moves the mark, last of all: the flags and bodies it promises are recorded, each range after its
 * tagged OK, and what the server refused is in the ledger. A crash before the commit that has the
 * mark leaves the old one beside whatever was committed earlier; the next pass compares from there
 * and finds those messages present. An unchanged mark is not recorded: a pass over an unchanged
 * server writes nothing, except for the time of a flag scan where the server lacks CONDSTORE.
 */
static bool move_mark(struct folder_job *job, struct archive_mark mark, struct err *err)
{
	uint64_t uncounted;

	ledger_not_due(&job->pass->ledger, job->server->path, job->uidvalidity, &job->without,
		&job->unfinished);
	job->unfinished |= job->flags_refused;
	assert(mark.uidvalidity == job->uidvalidity);
	assert(job->placed.count == 0); /* all of it was compared (resolve_part()) */
	uncounted = expunged_below(job, mark.uidnext) + folder_left_out(job, &mark);
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

/* --- the ladder: changes since the mark, else the whole folder --- */

static bool compare_whole(struct folder_job *job, struct archive_mark *mark, struct err *err)
{
	CLEANUP(rangeset_free) struct rangeset uids = {0};

	if (!imap_search_all(job->pass->job->imap, &uids, err))
		return false;
	/* SEARCH came after EXAMINE: it lacks what was expunged since, and what arrived since has
	 * UIDs from the mark's UIDNEXT on. The mark counts what is listed below that. */
	if (mark->uidnext == 0 && uids.count > 0)
		mark->uidnext = uids.items[uids.count - 1].last + 1;
	mark->messages = (uint32_t)rangeset_size_below(&uids, mark->uidnext);
	return compare_windows(job, &uids, err);
}

static bool compare_folder(struct folder_job *job, struct err *err)
{
	CLEANUP(imap_examined_free) struct imap_examined examined = {0};
	CLEANUP(delta_free) struct delta delta = {.most = job->window_messages};
	struct archive_mark mark;
	bool told, adds_up = false;

	if (!examine(job, &delta, &examined, &told, err) || !find_excluded(job, err))
		return false;
	mark = mark_of(job, &examined);
	/* the report does not list what the ledger owes: only a whole comparison fetches that */
	if (told && !job->unfinished && !compare_delta(job, &delta, examined.exists, &adds_up, err))
		return false;
	if (!adds_up && !compare_whole(job, &mark, err))
		return false;
	assert(mark.highestmodseq == examined.highestmodseq); /* mark_of() */
	return move_mark(job, mark, err);
}

bool folder_mirror(struct folder_job *job, struct err *err)
{
	if (compare_folder(job, err)) {
		assert(!job->flags_refused || job->pass->result.detail[0]); /* it was noted */
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
