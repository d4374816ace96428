#include "daemon/work.h"

#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/str.h"
#include "mirror/connect.h"

enum { PASSES_IN_A_ROW_MAX = 5 };

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

static void record(struct account_work *work, struct account_status *status, struct state *state)
{
	struct err err = ERR_INIT;

	if (!state_put(state, work->account->archive_path, status, &err))
		log_warning("%s: state: %s", work->account->name, err.text);
}

static void change_state(struct account_work *work, struct state *state, enum account_state next,
	const char *push, const char *detail)
{
	struct account_status status;
	struct err err = ERR_INIT;

	if (!state_get(state, work->account->archive_path, &status, &err)) {
		log_warning("%s: state: %s", work->account->name, err.text);
		return;
	}
	if (status.state != next)
		status.since_ms = clock_wall_ms();
	status.state = next;
	(void)snprintf(status.push, sizeof(status.push), "%s", push);
	(void)snprintf(status.detail, sizeof(status.detail), "%s", detail);
	record(work, &status, state);
}

void work_state(
	struct account_work *work, enum account_state next, const char *push, const char *detail)
{
	CLEANUP(state_freep) struct state *state = NULL;
	struct err err = ERR_INIT;

	if (!state_open(work->state_dir, &state, &err))
		log_warning("%s: state: %s", work->account->name, err.text);
	else
		change_state(work, state, next, push, detail);
}

static void record_pass(
	struct account_work *work, struct state *state, const struct mirror_result *result)
{
	struct account_status status;
	struct err err = ERR_INIT;

	if (!state_get(state, work->account->archive_path, &status, &err)) {
		log_warning("%s: state: %s", work->account->name, err.text);
		return;
	}
	status.last_check_ms = clock_wall_ms();
	if (result->complete)
		status.last_success_ms = status.last_check_ms;
	(void)snprintf(status.detail, sizeof(status.detail), "%s", result->detail);
	record(work, &status, state);
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
	if (!result->complete)
		log_warning("%s: not complete: %s", work->account->name, detail);
}

static bool connect_when_needed(struct account_work *work, struct err *err)
{
	if (work->imap)
		return true;
	return mirror_connect(work->account, NULL, work->cancel, &work->imap, err);
}

static bool pass(struct account_work *work, struct state *state, struct mirror_result *ret_result,
	struct err *err)
{
	struct mirror_job job = {.account = work->account, .state = state};

	if (!connect_when_needed(work, err))
		return false;
	change_state(work, state, ACCOUNT_MIRRORING, "", "");
	job.imap = work->imap;
	return mirror_pass(&job, ret_result, err);
}

bool work_pass(struct account_work *work, struct mirror_result *ret_result, struct err *err)
{
	CLEANUP(state_freep) struct state *state = NULL;

	if (!state_open(work->state_dir, &state, err))
		return false;
	if (pass(work, state, ret_result, err)) {
		record_pass(work, state, ret_result);
		log_pass(work, ret_result);
		return true;
	}
	work_close(work);
	change_state(work, state, state_of_error(err->kind), "", err->text);
	return false;
}

/* Passes until one finds nothing to compare, the last of them with INBOX selected. */
static bool pass_until_quiet(struct account_work *work, struct err *err)
{
	for (int i = 0; i < PASSES_IN_A_ROW_MAX; i++) {
		CLEANUP(imap_examined_free) struct imap_examined examined = {0};
		struct mirror_result result;

		if (!work_pass(work, &result, err))
			return false;
		if (i > 0 && result.compared == 0 && !imap_take_news(work->imap))
			return true;
		if (!imap_examine(work->imap, "INBOX", NULL, NULL, &examined, err))
			return false;
		(void)imap_take_news(work->imap);
	}
	return true;
}

static bool turn(struct account_work *work, struct err *err)
{
	if (work->idling) {
		work->idling = false;
		if (!imap_idle_done(work->imap, err))
			return false;
	}
	if (!pass_until_quiet(work, err))
		return false;
	if (imap_caps(work->imap) & IMAP_CAP_IDLE) {
		if (!imap_idle_start(work->imap, err))
			return false;
		work->idling = true;
	}
	return true;
}

bool work_turn(struct account_work *work, struct err *err)
{
	if (turn(work, err)) {
		work_state(work, ACCOUNT_WATCHING, work->idling ? "idle" : "poll", "");
		return true;
	}
	work_close(work);
	work_state(work, state_of_error(err->kind), "", err->text);
	return false;
}

void work_close(struct account_work *work)
{
	work->idling = false;
	imap_freep(&work->imap);
}
