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

static bool stand_at_wanted(struct idle_watcher *sentry, struct err *err)
{
	CLEANUP(imap_examined_free) struct imap_examined examined = {0};

	if (sentry->folder && strcmp(sentry->folder, sentry->wanted) == 0)
		return true;
	free(TAKE(sentry->folder));
	if (!imap_examine(sentry->imap, sentry->wanted, NULL, NULL, &examined, err))
		return false;
	sentry->folder = xstrdup(sentry->wanted);
	sentry->had_news = true; /* what changed before was not watched */
	return true;
}

static bool listen_again(struct idle_watcher *sentry, struct err *err)
{
	bool news = false;

	if (!imap_idle_start(sentry->imap, err))
		return false;
	sentry->idling = true;
	if (!imap_idle_drain(sentry->imap, &news, err))
		return false;
	sentry->had_news = sentry->had_news || news;
	return imap_park(sentry->imap) || err_set(err, ERR_PROTOCOL, "IDLE: half a response");
}

static bool turn(struct idle_watcher *sentry, struct err *err)
{
	sentry->had_news = false;
	if (!sentry->imap &&
		!mirror_connect(sentry->account, NULL, sentry->cancel, &sentry->imap, err))
		return false;
	if (!(imap_caps(sentry->imap) & IMAP_CAP_IDLE))
		return err_set(err, ERR_REFUSED, "the server offers no IDLE");
	if (sentry->idling) {
		if (!imap_idle_drain(sentry->imap, &sentry->had_news, err))
			return false;
		sentry->idling = false;
		if (!imap_idle_done(sentry->imap, err))
			return false;
	}
	return stand_at_wanted(sentry, err) && listen_again(sentry, err);
}

static void run_turn(uv_work_t *job)
{
	struct idle_watcher *sentry = job->data;

	err_clear(&sentry->err);
	sentry->turned_well = turn(sentry, &sentry->err);
}

/* --- in the event loop --- */

static void close_session(struct idle_watcher *sentry)
{
	sentry->state = IDLE_WATCHER_OFF;
	sentry->idling = false;
	imap_freep(&sentry->imap);
	free(TAKE(sentry->folder));
}

static void close_for_good(struct idle_watcher *sentry)
{
	uv_close((uv_handle_t *)&sentry->renewal, NULL);
	free(TAKE(sentry->wanted));
}

static void rest(struct idle_watcher *sentry)
{
	int64_t wait_ms =
		backoff_ms(++sentry->failures, sentry->err.kind, rand_below(JITTER_VALUES));

	sentry->rest_until_ms = clock_mono_ms() + wait_ms;
	log_info("%s: a further connection: %s", sentry->account->name, sentry->err.text);
}

static void begin_turn(struct idle_watcher *sentry);

static void on_renewal(uv_timer_t *timer)
{
	begin_turn(timer->data);
}

static void on_input(void *context)
{
	begin_turn(context);
}

static void turn_done(uv_work_t *job, int status)
{
	struct idle_watcher *sentry = job->data;

	(void)status;
	if (sentry->ending || !sentry->turned_well) {
		close_session(sentry);
		if (!sentry->ending)
			rest(sentry);
		if (sentry->dismissed)
			close_for_good(sentry);
		return;
	}
	sentry->failures = 0;
	sentry->state = IDLE_WATCHER_PARKED;
	park_begin(&sentry->park, imap_fd(sentry->imap));
	uv_timer_start(&sentry->renewal, on_renewal, (uint64_t)sentry->account->idle_renew_ms, 0);
	if (sentry->had_news)
		sentry->news(sentry->context);
}

static void begin_turn(struct idle_watcher *sentry)
{
	int failed;

	park_end(&sentry->park);
	uv_timer_stop(&sentry->renewal);
	sentry->state = IDLE_WATCHER_TURN;
	sentry->ending = false;
	failed = uv_queue_work(sentry->park.loop, &sentry->job, run_turn, turn_done);
	assert(!failed);
}

void idle_watcher_init(struct idle_watcher *sentry, uv_loop_t *loop,
	const struct config_account *account, const struct cancel *cancel,
	void (*news)(void *context), void *context)
{
	*sentry = (struct idle_watcher){.account = account,
		.cancel = cancel,
		.context = context,
		.news = news,
		.park = {.loop = loop, .context = sentry, .input = on_input}};
	sentry->job.data = sentry;
	uv_timer_init(loop, &sentry->renewal);
	sentry->renewal.data = sentry;
}

void idle_watcher_send(struct idle_watcher *sentry, const char *wire_name)
{
	bool same = sentry->wanted && strcmp(sentry->wanted, wire_name) == 0;

	if (sentry->state == IDLE_WATCHER_TURN || clock_mono_ms() < sentry->rest_until_ms)
		return;
	if (sentry->state == IDLE_WATCHER_PARKED && same)
		return;
	if (!same) { /* else wire_name may be sentry->wanted itself */
		free(sentry->wanted);
		sentry->wanted = xstrdup(wire_name);
	}
	begin_turn(sentry);
}

void idle_watcher_recall(struct idle_watcher *sentry)
{
	if (sentry->state == IDLE_WATCHER_TURN) {
		sentry->ending = true;
		return;
	}
	park_end(&sentry->park);
	uv_timer_stop(&sentry->renewal);
	close_session(sentry);
}

void idle_watcher_dismiss(struct idle_watcher *sentry)
{
	idle_watcher_recall(sentry);
	sentry->dismissed = true;
	if (sentry->state != IDLE_WATCHER_TURN)
		close_for_good(sentry);
}
