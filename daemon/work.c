#include "daemon/work.h"

#include <stdio.h>
#include <string.h>

#include "archive/archive.h"
#include "archive/seal.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "mirror/account_connect.h"
#include "mirror/account_prune.h"
#include "mirror/account_unlock.h"

enum { PASSES_IN_A_ROW_MAX = 5, PRUNE_EVERY_MS = 60 * 60 * 1000 };

static enum account_state state_of_error(enum err_kind kind)
{
	switch (kind) {
	case ERR_RETRY:
		return ACCOUNT_OFFLINE;
	case ERR_AUTH:
		return ACCOUNT_AUTH_REQUIRED;
	case ERR_BUSY:
		return ACCOUNT_LOCKED;
	case ERR_CANCELLED:
		return ACCOUNT_STOPPED;
	default:
		return ACCOUNT_FAILED;
	}
}

static bool get_status(struct account_work *work, struct account_status *ret_status)
{
	struct err err = ERR_INIT;

	if (state_get(work->state, work->account->archive_path, ret_status, &err))
		return true;
	log_warning("%s: state: %s", work->account->name, err.text);
	return false;
}

/* The state file is not encrypted, and a detail may name a folder. */
static void put_status(struct account_work *work, struct account_status *status)
{
	const char *path = work->account->archive_path;
	struct err err = ERR_INIT;

	if (status->detail[0] && (archive_is_encrypted(path) || mirror_has_secret(work->account)))
		(void)snprintf(status->detail, sizeof(status->detail), "the log says more");
	if (!state_put(work->state, path, status, &err))
		log_warning("%s: state: %s", work->account->name, err.text);
}

void work_state(
	struct account_work *work, enum account_state next, const char *push, const char *detail)
{
	struct account_status status;

	if (!get_status(work, &status))
		return;
	if (status.state != next)
		status.since_ms = clock_wall_ms();
	status.state = next;
	(void)snprintf(status.push, sizeof(status.push), "%s", push);
	(void)snprintf(status.detail, sizeof(status.detail), "%s", detail);
	put_status(work, &status);
}

static void record_pass(struct account_work *work, const struct mirror_result *result)
{
	struct account_status status;

	if (!get_status(work, &status))
		return;
	status.last_check_ms = clock_wall_ms();
	if (result->complete)
		status.last_success_ms = status.last_check_ms;
	(void)snprintf(status.detail, sizeof(status.detail), "%s", result->detail);
	put_status(work, &status);
}

static void log_pass(const struct account_work *work, const struct mirror_result *result)
{
	char size[STR_SIZE_MAX];
	CLEANUP(freep)
	char *detail =
		str_printable(result->detail, strlen(result->detail), sizeof(result->detail));

	str_format_size(result->bytes, size);
	if (result->fetched || result->reflagged || result->gone)
		log_info("%s: %llu new (%s), %llu flags changed, %llu gone: generation %lld",
			work->account->name, (unsigned long long)result->fetched, size,
			(unsigned long long)result->reflagged, (unsigned long long)result->gone,
			(long long)result->generation);
	if (result->renamed)
		log_info("%s: %u folders renamed", work->account->name, result->renamed);
	if (result->detail[0])
		log_warning("%s: %s: %s", work->account->name,
			result->complete ? "left out" : "not complete", detail);
}

/* A secret that is wrong or not to be had is another matter than the server's password. */
static enum account_state state_of(const struct account_work *work, enum err_kind kind)
{
	const char *path = work->account->archive_path;
	bool locked = archive_is_encrypted(path) && !archive_is_unlocked(path);

	return locked && kind != ERR_CANCELLED ? ACCOUNT_LOCKED : state_of_error(kind);
}

static bool unlock(const struct account_work *work, struct err *err)
{
	return mirror_unlock(work->account, work->cancel, err) || err_wrap(err, "archive");
}

static bool connect_when_needed(struct account_work *work, struct err *err)
{
	if (work->imap)
		return true;
	return mirror_connect(work->account, work->wire_log, work->cancel, &work->imap, err);
}

static void note_folder(void *context, const struct imap_folder *folder, bool changed)
{
	struct account_work *work = context;

	if (!(folder->attributes & IMAP_ATTR_NOSELECT))
		busy_note(&work->busy, folder->wire_name, folder->counts.messages,
			changed ? clock_mono_ms() : 0);
}

static bool pass(struct account_work *work, struct mirror_result *ret_result, struct err *err)
{
	struct mirror_job job = {.account = work->account,
		.state = work->state,
		.writer = work->writer,
		.cancel = work->cancel,
		.folder = note_folder,
		.context = work};

	if (!unlock(work, err) || !connect_when_needed(work, err))
		return false;
	work_state(work, ACCOUNT_MIRRORING, "", "");
	job.imap = work->imap;
	return mirror_pass(&job, ret_result, err);
}

bool work_pass(struct account_work *work, struct mirror_result *ret_result, struct err *err)
{
	work->complete = false;
	if (pass(work, ret_result, err)) {
		work->complete = ret_result->complete;
		work->changed = work->changed || ret_result->fetched || ret_result->reflagged ||
				ret_result->gone;
		record_pass(work, ret_result);
		log_pass(work, ret_result);
		return true;
	}
	work_close(work);
	work_state(work, state_of(work, err->kind), "", err->text);
	return false;
}

static bool is_as_it_was(const struct imap_examined *now, const struct imap_examined *before)
{
	return now->uidvalidity == before->uidvalidity && now->uidnext == before->uidnext &&
	       now->exists == before->exists && now->highestmodseq == before->highestmodseq;
}

/* *ret_same: INBOX is as it was at the last look, which this one is now. */
static bool look_at_inbox(
	struct account_work *work, struct imap_examined *before, bool *ret_same, struct err *err)
{
	CLEANUP(imap_examined_free) struct imap_examined now = {0};

	if (!imap_examine(work->imap, "INBOX", NULL, NULL, &now, err))
		return false;
	(void)imap_take_news(work->imap);
	*ret_same = is_as_it_was(&now, before);
	imap_examined_free(before);
	*before = now;
	now = (struct imap_examined){0};
	return true;
}

/*
 * Passes until one finds nothing to compare, with INBOX selected all the time. One that had to look
 * into other folders left it meanwhile: it must be as it was before. When it never is, IDLE will
 * not tell of what the last look at it saw: another turn has to.
 */
static bool pass_until_quiet(struct account_work *work, struct err *err)
{
	CLEANUP(imap_examined_free) struct imap_examined before = {0};
	bool same = true;

	for (int i = 0; i < PASSES_IN_A_ROW_MAX; i++) {
		struct mirror_result result;
		bool quiet;

		if (!work_pass(work, &result, err))
			return false;
		quiet = i > 0 && result.compared == 0 && !imap_take_news(work->imap);
		if (!quiet || result.looked > 0) {
			if (!look_at_inbox(work, &before, &same, err))
				return false;
			quiet = quiet && same;
		}
		if (quiet) {
			work->restless = 0;
			return true;
		}
	}
	work->restless = same ? 0 : work->restless + 1;
	return true;
}

static void log_pruned(const struct account_work *work, const struct archive_pruned *pruned)
{
	char size[STR_SIZE_MAX];

	str_format_size(pruned->bytes, size);
	if (pruned->snapshots > 0 || pruned->messages > 0)
		log_info("%s: pruned: %llu snapshots, %llu messages, %s freed", work->account->name,
			(unsigned long long)pruned->snapshots, (unsigned long long)pruned->messages,
			size);
}

void work_prune(struct account_work *work)
{
	struct archive_pruned pruned;
	struct err err = ERR_INIT;
	int64_t now_ms = clock_mono_ms();

	if (!work->complete ||
		(work->pruned_mono_ms && now_ms - work->pruned_mono_ms < PRUNE_EVERY_MS))
		return;
	work->pruned_mono_ms = now_ms;
	if (mirror_prune(work->account, &pruned, &err))
		log_pruned(work, &pruned);
	else
		log_warning("%s: prune: %s", work->account->name, err.text);
}

void work_settle(struct account_work *work)
{
	struct err err = ERR_INIT;

	if (!archive_checkpoint_wal(work->account->archive_path, 0, &err) && err.kind != ERR_BUSY)
		log_warning("%s: %s", work->account->name, err.text);
}

/* The archive is held open and locked for the passes of a turn. */
static bool compare_now(struct account_work *work, struct err *err)
{
	bool done;

	if (!mirror_open_archive(work->account, work->cancel, &work->writer, err))
		return false;
	done = pass_until_quiet(work, err);
	archive_writer_freep(&work->writer);
	if (done)
		work_prune(work);
	return done;
}

static bool was_mirrored_whole(struct account_work *work)
{
	struct account_status status;

	return get_status(work, &status) && status.last_success_ms > 0;
}

static bool compare(struct account_work *work, struct err *err)
{
	const struct slots *slots =
		was_mirrored_whole(work) ? &work->pools->brief : &work->pools->bulk;
	bool done;

	if (!unlock(work, err) || !connect_when_needed(work, err) ||
		!slots_take(slots, work->cancel, err))
		return false;
	done = compare_now(work, err);
	slots_give(slots);
	return done;
}

static bool hear_idle(struct account_work *work, bool *ret_news, struct err *err)
{
	if (!work->idling)
		return true;
	return imap_idle_drain(work->imap, ret_news, err);
}

static bool end_idle(struct account_work *work, struct err *err)
{
	if (!work->idling)
		return true;
	work->idling = false;
	return imap_idle_done(work->imap, err);
}

static bool watch_inbox(struct account_work *work, bool *ret_again, struct err *err)
{
	*ret_again = false;
	if (!(imap_caps(work->imap) & IMAP_CAP_IDLE))
		return true;
	if (!imap_idle_start(work->imap, err))
		return false;
	work->idling = true;
	return hear_idle(work, ret_again, err);
}

static bool turn(struct account_work *work, bool due, bool *ret_again, struct err *err)
{
	bool news = false;

	*ret_again = false;
	if (!hear_idle(work, &news, err))
		return false;
	if ((news || due) &&
		(!end_idle(work, err) || !compare(work, err) || !watch_inbox(work, ret_again, err)))
		return false;
	return !work->idling || imap_park(work->imap) ||
	       err_set(err, ERR_PROTOCOL, "IDLE: half a response");
}

bool work_turn(struct account_work *work, bool due, bool *ret_again, struct err *err)
{
	if (turn(work, due, ret_again, err)) {
		work_state(work, ACCOUNT_WATCHING, work->idling ? "idle" : "poll", "");
		return true;
	}
	work_close(work);
	work_state(work, state_of(work, err->kind), "", err->text);
	return false;
}

void work_close(struct account_work *work)
{
	work->idling = false;
	imap_freep(&work->imap);
}

void work_free(struct account_work *work)
{
	work_close(work);
	busy_free(&work->busy);
}
