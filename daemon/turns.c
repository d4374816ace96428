#include "daemon/turns.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "archive/seal.h"
#include "archive/unlock.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "mirror/account_connect.h"
#include "mirror/account_prune.h"
#include "mirror/account_unlock.h"

enum { PASSES_IN_A_ROW_MAX = 5, PRUNE_EVERY_MS = 60 * 60 * 1000 };

static enum account_state state_of_kind(enum err_kind kind)
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

static struct archive_ref archive_of(const struct account_turns *turns)
{
	return (struct archive_ref){turns->account->archive_path, turns->keys};
}

static bool get_status(struct account_turns *turns, struct account_status *ret_status)
{
	struct err err = ERR_INIT;

	if (state_get(turns->state, turns->account->archive_path, ret_status, &err))
		return true;
	log_warning("%s: state: %s", turns->account->name, err.text);
	return false;
}

/* The state file is not encrypted: the detail, which may name a folder, stays out of it. */
static void put_status(struct account_turns *turns, struct account_status *status)
{
	const struct archive_ref archive = archive_of(turns);
	struct err err = ERR_INIT;

	if (status->detail[0] &&
		(archive_is_encrypted(&archive) || mirror_has_secret(turns->account)))
		(void)snprintf(status->detail, sizeof(status->detail), "see the log");
	if (!state_put(turns->state, archive.path, status, &err))
		log_warning("%s: state: %s", turns->account->name, err.text);
}

void turns_set_state(
	struct account_turns *turns, enum account_state next, const char *push, const char *detail)
{
	struct account_status status;

	if (!get_status(turns, &status))
		return;
	if (status.state != next)
		status.since_ms = clock_wall_ms();
	status.state = next;
	(void)snprintf(status.push, sizeof(status.push), "%s", push);
	(void)snprintf(status.detail, sizeof(status.detail), "%s", detail);
	put_status(turns, &status);
}

static void record_pass(struct account_turns *turns, const struct mirror_result *result)
{
	struct account_status status;

	if (!get_status(turns, &status))
		return;
	/* a complete pass sends the account to the other pool, and lets it prune */
	assert(!result->complete || result->folders_refused == 0);
	status.last_check_ms = clock_wall_ms();
	if (result->complete)
		status.last_success_ms = status.last_check_ms;
	(void)snprintf(status.detail, sizeof(status.detail), "%s", result->detail);
	put_status(turns, &status);
}

static void log_pass(const struct account_turns *turns, const struct mirror_result *result)
{
	char size[STR_SIZE_MAX];
	CLEANUP(freep)
	char *detail =
		str_printable(result->detail, strlen(result->detail), sizeof(result->detail));

	str_format_size(result->bytes, size);
	if (result->fetched || result->reflagged || result->gone)
		log_info("%s: %llu new (%s), %llu flags changed, %llu gone: snapshot %lld",
			turns->account->name, (unsigned long long)result->fetched, size,
			(unsigned long long)result->reflagged, (unsigned long long)result->gone,
			(long long)result->generation);
	if (result->renamed)
		log_info("%s: %u folders renamed", turns->account->name, result->renamed);
	if (result->detail[0])
		log_warning("%s: %s: %s", turns->account->name,
			result->complete ? "left out" : "incomplete", detail);
}

/* A missing or wrong archive secret is ACCOUNT_LOCKED, unlike a refused server password. */
static enum account_state state_after_error(const struct account_turns *turns, enum err_kind kind)
{
	const struct archive_ref archive = archive_of(turns);
	bool locked = archive_is_encrypted(&archive) && !archive_is_unlocked(&archive);

	return locked && kind != ERR_CANCELLED ? ACCOUNT_LOCKED : state_of_kind(kind);
}

static bool unlock(const struct account_turns *turns, struct err *err)
{
	return mirror_unlock(turns->account, turns->keys, turns->cancel, err) ||
	       err_wrap(err, "archive");
}

static bool connect_when_needed(struct account_turns *turns, struct err *err)
{
	if (turns->imap)
		return true;
	return mirror_connect(turns->account, turns->wire_log, turns->cancel, &turns->imap, err);
}

static void note_folder(void *context, const struct imap_folder *folder, bool changed)
{
	struct account_turns *turns = context;

	if (!(folder->attributes & IMAP_ATTR_NOSELECT))
		busy_folders_note(&turns->busy, folder->wire_name, folder->counts.messages,
			changed ? clock_mono_ms() : 0);
}

/* Unlocks and connects for --once; in a turn, compare_in_pool() has done both already. */
static bool run_pass(struct account_turns *turns, struct mirror_result *ret_result, struct err *err)
{
	struct mirror_job job = {.account = turns->account,
		.keys = turns->keys,
		.state = turns->state,
		.writer = turns->writer,
		.cancel = turns->cancel,
		.folder = note_folder,
		.context = turns};

	if (!unlock(turns, err) || !connect_when_needed(turns, err))
		return false;
	turns_set_state(turns, ACCOUNT_MIRRORING, "", "");
	job.imap = turns->imap;
	return mirror_pass(&job, ret_result, err);
}

bool turns_pass(struct account_turns *turns, struct mirror_result *ret_result, struct err *err)
{
	turns->complete = false;
	if (run_pass(turns, ret_result, err)) {
		turns->complete = ret_result->complete;
		turns->changed = turns->changed || ret_result->fetched || ret_result->reflagged ||
				 ret_result->gone;
		record_pass(turns, ret_result);
		log_pass(turns, ret_result);
		return true;
	}
	turns_close(turns);
	turns_set_state(turns, state_after_error(turns, err->kind), "", err->text);
	return false;
}

static bool is_same_inbox(const struct imap_examined *now, const struct imap_examined *before)
{
	return now->uidvalidity == before->uidvalidity && now->uidnext == before->uidnext &&
	       now->exists == before->exists && now->highestmodseq == before->highestmodseq;
}

/* Selects INBOX. *ret_same: it is unchanged since *before, which is then replaced. */
static bool examine_inbox(
	struct account_turns *turns, struct imap_examined *before, bool *ret_same, struct err *err)
{
	CLEANUP(imap_examined_free) struct imap_examined now = {0};

	if (!imap_examine(turns->imap, "INBOX", NULL, NULL, &now, err))
		return false;
	(void)imap_take_news(turns->imap);
	*ret_same = is_same_inbox(&now, before);
	imap_examined_free(before);
	*before = now;
	now = (struct imap_examined){0};
	return true;
}

/*
 * Runs passes until one finds nothing to compare while INBOX is selected. A pass that opened other
 * folders deselected INBOX: it is selected again, and must be unchanged. If it never is, IDLE will
 * not report what the last selection already saw, and another turn has to compare it (restless).
 */
static bool pass_until_quiet(struct account_turns *turns, struct err *err)
{
	CLEANUP(imap_examined_free) struct imap_examined before = {0};
	bool same = true;

	/* INBOX was not selected during the first pass: nobody reported what changed after that
	 * pass read its counts, so it is never the quiet one */
	for (int i = 0; i < PASSES_IN_A_ROW_MAX; i++) {
		struct mirror_result result;
		bool quiet;

		if (!turns_pass(turns, &result, err))
			return false;
		quiet = i > 0 && result.compared == 0 && !imap_take_news(turns->imap);
		if (!quiet || result.looked > 0) {
			if (!examine_inbox(turns, &before, &same, err))
				return false;
			quiet = quiet && same;
		}
		if (quiet) {
			turns->restless = 0;
			return true;
		}
	}
	turns->restless = same ? 0 : turns->restless + 1;
	return true;
}

void turns_prune(struct account_turns *turns)
{
	struct archive_pruned pruned;
	struct err err = ERR_INIT;
	int64_t now_ms = clock_mono_ms();
	char size[STR_SIZE_MAX];

	assert(!turns->writer); /* pruning takes the writer lock itself */
	if (!turns->complete ||
		(turns->pruned_mono_ms && now_ms - turns->pruned_mono_ms < PRUNE_EVERY_MS))
		return;
	turns->pruned_mono_ms = now_ms;
	if (!mirror_prune(turns->account, turns->keys, &pruned, &err)) {
		log_warning("%s: prune: %s", turns->account->name, err.text);
		return;
	}
	str_format_size(pruned.bytes, size);
	if (pruned.snapshots > 0 || pruned.messages > 0)
		log_info("%s: pruned: %llu snapshots, %llu messages, %s freed",
			turns->account->name, (unsigned long long)pruned.snapshots,
			(unsigned long long)pruned.messages, size);
}

void turns_empty_wal(struct account_turns *turns)
{
	const struct archive_ref archive = archive_of(turns);
	struct err err = ERR_INIT;

	assert(!turns->writer);
	if (!archive_checkpoint_wal(&archive, 0, &err) && err.kind != ERR_BUSY)
		log_warning("%s: %s", turns->account->name, err.text);
}

/* Keeps the archive open, holding the writer lock, for all passes of the turn. */
static bool compare_with_writer(struct account_turns *turns, struct err *err)
{
	bool done;

	assert(!turns->writer);
	if (!mirror_open_archive(turns->account, turns->keys, turns->cancel, &turns->writer, err))
		return false;
	done = pass_until_quiet(turns, err);
	archive_writer_freep(&turns->writer);
	if (done)
		turns_prune(turns);
	return done;
}

static bool was_mirrored_completely(struct account_turns *turns)
{
	struct account_status status;

	return get_status(turns, &status) && status.last_success_ms > 0;
}

/* Takes a slot only when connected and unlocked: a stalled server, or a passphrase command that
 * waits, must not keep other accounts from comparing. */
static bool compare_in_pool(struct account_turns *turns, struct err *err)
{
	const struct pool *pool =
		was_mirrored_completely(turns) ? &turns->pools->brief : &turns->pools->bulk;
	bool done;

	if (!unlock(turns, err) || !connect_when_needed(turns, err) ||
		!pool_take(pool, turns->cancel, err))
		return false;
	done = compare_with_writer(turns, err);
	pool_give(pool);
	return done;
}

static bool drain_idle(struct account_turns *turns, bool *ret_news, struct err *err)
{
	if (!turns->idling)
		return true;
	return imap_idle_drain(turns->imap, ret_news, err);
}

static bool end_idle(struct account_turns *turns, struct err *err)
{
	if (!turns->idling)
		return true;
	turns->idling = false;
	return imap_idle_done(turns->imap, err);
}

static bool watch_inbox(struct account_turns *turns, bool *ret_again, struct err *err)
{
	*ret_again = false;
	if (!(imap_caps(turns->imap) & IMAP_CAP_IDLE))
		return true;
	if (!imap_idle_start(turns->imap, err))
		return false;
	turns->idling = true;
	/* a change just before IDLE may be reported together with the "+" that starts it: the event
	 * loop, which polls the socket, would never see what was read already */
	return drain_idle(turns, ret_again, err);
}

static bool take_turn(struct account_turns *turns, bool due, bool *ret_again, struct err *err)
{
	bool news = false;

	assert(turns->pools && !turns->writer);
	*ret_again = false;
	/* what was reported first, then DONE: IDLE allows no other command (RFC 2177) */
	if (!drain_idle(turns, &news, err))
		return false;
	if ((news || due) && (!end_idle(turns, err) || !compare_in_pool(turns, err) ||
				     !watch_inbox(turns, ret_again, err)))
		return false;
	return !turns->idling || imap_park(turns->imap) ||
	       err_set(err, ERR_PROTOCOL, "IDLE: the server stopped in the middle of a response");
}

bool turns_take(struct account_turns *turns, bool due, bool *ret_again, struct err *err)
{
	if (take_turn(turns, due, ret_again, err)) {
		turns_set_state(turns, ACCOUNT_WATCHING, turns->idling ? "idle" : "poll", "");
		return true;
	}
	turns_close(turns);
	turns_set_state(turns, state_after_error(turns, err->kind), "", err->text);
	return false;
}

void turns_close(struct account_turns *turns)
{
	turns->idling = false;
	imap_freep(&turns->imap);
}

void turns_free(struct account_turns *turns)
{
	turns_close(turns);
	busy_folders_free(&turns->busy);
}
