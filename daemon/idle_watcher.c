#include "daemon/idle_watcher.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"
#include "daemon/backoff.h"
#include "mirror/account_connect.h"

enum { JITTER_VALUES = 1001 };

/* --- in a worker thread --- */

static bool select_wanted(struct idle_watcher *watcher, struct err *err)
{
	CLEANUP(imap_examined_free) struct imap_examined examined = {0};

	if (watcher->folder && strcmp(watcher->folder, watcher->wanted) == 0)
		return true;
	/* after a failed EXAMINE no mailbox is selected (RFC 3501, 6.3.1) */
	free(TAKE(watcher->folder));
	if (!imap_examine(watcher->imap, watcher->wanted, NULL, NULL, &examined, err))
		return false;
	watcher->folder = xstrdup(watcher->wanted);
	watcher->had_news = true; /* changes before this were not watched */
	return true;
}

static bool resume_idle(struct idle_watcher *watcher, struct err *err)
{
	bool news = false;

	if (!imap_idle_start(watcher->imap, err))
		return false;
	watcher->idling = true;
	if (!imap_idle_drain(watcher->imap, &news, err))
		return false;
	watcher->had_news = watcher->had_news || news;
	return imap_park(watcher->imap) ||
	       err_set(err, ERR_PROTOCOL, "IDLE: the server stopped in the middle of a response");
}

static bool watch_folder(struct idle_watcher *watcher, struct err *err)
{
	watcher->had_news = false;
	if (!watcher->imap &&
		!mirror_connect(watcher->account, NULL, watcher->cancel, &watcher->imap, err))
		return false;
	if (!(imap_caps(watcher->imap) & IMAP_CAP_IDLE))
		return err_set(err, ERR_REFUSED, "the server does not support IDLE");
	if (watcher->idling) {
		if (!imap_idle_drain(watcher->imap, &watcher->had_news, err))
			return false;
		watcher->idling = false;
		if (!imap_idle_done(watcher->imap, err))
			return false;
	}
	return select_wanted(watcher, err) && resume_idle(watcher, err);
}

static void run_watcher_turn(uv_work_t *job)
{
	struct idle_watcher *watcher = job->data;

	err_clear(&watcher->err);
	watcher->turned_well = watch_folder(watcher, &watcher->err);
}

/* --- in the event loop --- */

static void close_session(struct idle_watcher *watcher)
{
	watcher->state = IDLE_WATCHER_OFF;
	watcher->idling = false;
	imap_freep(&watcher->imap);
	free(TAKE(watcher->folder));
}

static void close_handles(struct idle_watcher *watcher)
{
	uv_close((uv_handle_t *)&watcher->renewal, NULL);
	free(TAKE(watcher->wanted));
}

static void rest_after_failure(struct idle_watcher *watcher)
{
	int64_t wait_ms =
		backoff_ms(++watcher->failures, watcher->err.kind, rand_below(JITTER_VALUES));

	watcher->rest_until_ms = clock_mono_ms() + wait_ms;
	log_info("%s: idle watcher: %s; the folder is polled until it succeeds",
		watcher->account->name, watcher->err.text);
}

static void begin_watcher_turn(struct idle_watcher *watcher);

static void on_renewal(uv_timer_t *timer)
{
	begin_watcher_turn(timer->data);
}

static void on_watcher_input(void *context)
{
	begin_watcher_turn(context);
}

static void watcher_turn_done(uv_work_t *job, int status)
{
	struct idle_watcher *watcher = job->data;

	(void)status;
	assert(watcher->state == IDLE_WATCHER_TURN);
	if (watcher->ending || !watcher->turned_well) {
		close_session(watcher);
		if (!watcher->ending)
			rest_after_failure(watcher);
		if (watcher->dismissed)
			close_handles(watcher);
		return;
	}
	if (!park_begin(&watcher->park, imap_fd(watcher->imap))) {
		(void)err_set(&watcher->err, ERR_RETRY, "%s", park_failure);
		close_session(watcher);
		rest_after_failure(watcher);
		return;
	}
	watcher->failures = 0;
	watcher->state = IDLE_WATCHER_PARKED;
	uv_timer_start(&watcher->renewal, on_renewal, (uint64_t)watcher->account->idle_renew_ms, 0);
	if (watcher->had_news)
		watcher->news(watcher->context);
}

static void begin_watcher_turn(struct idle_watcher *watcher)
{
	int failed;

	assert(watcher->state != IDLE_WATCHER_TURN && !watcher->dismissed);
	park_end(&watcher->park);
	uv_timer_stop(&watcher->renewal);
	watcher->state = IDLE_WATCHER_TURN;
	watcher->ending = false;
	failed = uv_queue_work(
		watcher->park.loop, &watcher->job, run_watcher_turn, watcher_turn_done);
	assert(!failed);
}

void idle_watcher_init(struct idle_watcher *watcher, uv_loop_t *loop,
	const struct config_account *account, const struct cancel *cancel,
	void (*news)(void *context), void *context)
{
	*watcher = (struct idle_watcher){.account = account,
		.cancel = cancel,
		.context = context,
		.news = news,
		.park = {.loop = loop, .context = watcher, .input = on_watcher_input}};
	watcher->job.data = watcher;
	uv_timer_init(loop, &watcher->renewal);
	watcher->renewal.data = watcher;
}

void idle_watcher_send(struct idle_watcher *watcher, const char *wire_name)
{
	bool same = watcher->wanted && strcmp(watcher->wanted, wire_name) == 0;

	if (watcher->state == IDLE_WATCHER_TURN || clock_mono_ms() < watcher->rest_until_ms)
		return;
	if (watcher->state == IDLE_WATCHER_PARKED && same)
		return;
	if (!same) { /* if same, wire_name may be watcher->wanted itself */
		free(watcher->wanted);
		watcher->wanted = xstrdup(wire_name);
	}
	begin_watcher_turn(watcher);
}

void idle_watcher_recall(struct idle_watcher *watcher)
{
	if (watcher->state == IDLE_WATCHER_TURN) { /* the worker has the session */
		watcher->ending = true;
		return;
	}
	park_end(&watcher->park);
	uv_timer_stop(&watcher->renewal);
	close_session(watcher);
}

void idle_watcher_dismiss(struct idle_watcher *watcher)
{
	idle_watcher_recall(watcher);
	watcher->dismissed = true;
	if (watcher->state != IDLE_WATCHER_TURN)
		close_handles(watcher);
}
