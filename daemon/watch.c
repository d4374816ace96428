#include "daemon/watch.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>

#include <uv.h>

#include "base/alloc.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/str.h"
#include "daemon/backoff.h"
#include "daemon/notify.h"
#include "daemon/work.h"

enum { JITTER_VALUES = 1001 };

enum watch_state { WATCH_NEW, WATCH_TURN, WATCH_PARKED, WATCH_BACKOFF, WATCH_STOPPED };

struct watcher {
	struct house *house;
	struct account_work work;
	enum watch_state state;
	unsigned failures;
	bool turned_well;
	struct err err; /* of the last turn */
	uv_work_t job;
	uv_timer_t timer;
	uv_poll_t poll;
	bool polling;
};

struct house {
	uv_loop_t *loop;
	uv_signal_t term, interrupt;
	struct cancel cancel;
	struct watcher *watchers;
	size_t count;
	bool stopping;
};

static void begin_turn(struct watcher *watcher);

static void run_turn(uv_work_t *job)
{
	struct watcher *watcher = job->data;

	watcher->turned_well = work_turn(&watcher->work, &watcher->err);
}

static void stop_polling(struct watcher *watcher)
{
	if (!watcher->polling)
		return;
	uv_poll_stop(&watcher->poll);
	uv_close((uv_handle_t *)&watcher->poll, NULL);
	watcher->polling = false;
}

static void close_watcher(struct watcher *watcher)
{
	watcher->state = WATCH_STOPPED;
	stop_polling(watcher);
	uv_timer_stop(&watcher->timer);
	uv_close((uv_handle_t *)&watcher->timer, NULL);
	work_close(&watcher->work);
	work_state(&watcher->work, ACCOUNT_STOPPED, "", "");
}

static void on_timer(uv_timer_t *timer)
{
	begin_turn(timer->data);
}

static void back_off(struct watcher *watcher)
{
	int64_t wait_ms =
		backoff_ms(++watcher->failures, watcher->err.kind, rand_below(JITTER_VALUES));

	log_warning("%s: %s; next attempt in %lld s", watcher->work.account->name,
		watcher->err.text, (long long)(wait_ms + 999) / 1000);
	watcher->state = WATCH_BACKOFF;
	uv_timer_start(&watcher->timer, on_timer, (uint64_t)wait_ms, 0);
}

static void on_input(uv_poll_t *poll, int status, int events)
{
	struct watcher *watcher = poll->data;
	bool news = false;

	(void)status;
	(void)events;
	if (!imap_idle_drain(watcher->work.imap, &news, &watcher->err)) {
		stop_polling(watcher);
		work_close(&watcher->work);
		work_state(&watcher->work, ACCOUNT_OFFLINE, "", watcher->err.text);
		back_off(watcher);
	} else if (news) {
		begin_turn(watcher);
	} else {
		(void)imap_park(watcher->work.imap);
	}
}

static void park(struct watcher *watcher)
{
	const struct config_account *account = watcher->work.account;
	int64_t wait_ms = account->poll_ms;

	if (watcher->work.idling) {
		bool news = false;

		if (account->idle_renew_ms < wait_ms)
			wait_ms = account->idle_renew_ms;
		/* news that came with the answer to IDLE would never wake the poll */
		if (!imap_idle_drain(watcher->work.imap, &news, &watcher->err) || news) {
			begin_turn(watcher);
			return;
		}
		(void)imap_park(watcher->work.imap);
		uv_poll_init(watcher->house->loop, &watcher->poll, imap_fd(watcher->work.imap));
		watcher->poll.data = watcher;
		watcher->polling = true;
		uv_poll_start(&watcher->poll, UV_READABLE | UV_DISCONNECT, on_input);
	}
	watcher->state = WATCH_PARKED;
	uv_timer_start(&watcher->timer, on_timer, (uint64_t)wait_ms, 0);
}

static void turn_done(uv_work_t *job, int status)
{
	struct watcher *watcher = job->data;

	(void)status;
	if (watcher->house->stopping) {
		close_watcher(watcher);
	} else if (watcher->turned_well) {
		watcher->failures = 0;
		park(watcher);
	} else {
		back_off(watcher);
	}
}

static void begin_turn(struct watcher *watcher)
{
	int failed;

	assert(watcher->state != WATCH_TURN || !watcher->house->stopping);
	stop_polling(watcher);
	uv_timer_stop(&watcher->timer);
	watcher->state = WATCH_TURN;
	failed = uv_queue_work(watcher->house->loop, &watcher->job, run_turn, turn_done);
	assert(!failed);
}

static void on_signal(uv_signal_t *handle, int number)
{
	struct house *house = handle->data;

	(void)number;
	if (house->stopping)
		return;
	house->stopping = true;
	notify_systemd("STOPPING=1");
	cancel_now(&house->cancel);
	for (size_t i = 0; i < house->count; i++)
		if (house->watchers[i].state != WATCH_TURN)
			close_watcher(&house->watchers[i]);
	uv_close((uv_handle_t *)&house->term, NULL);
	uv_close((uv_handle_t *)&house->interrupt, NULL);
}

static void add_watcher(
	struct house *house, const struct config_account *account, const char *state_dir)
{
	struct watcher *watcher = &house->watchers[house->count++];

	*watcher = (struct watcher){
		.house = house,
		.work = {.account = account, .state_dir = state_dir, .cancel = &house->cancel},
	};
	watcher->job.data = watcher;
	uv_timer_init(house->loop, &watcher->timer);
	watcher->timer.data = watcher;
	work_state(&watcher->work, ACCOUNT_STARTING, "", "");
}

static void add_signals(struct house *house)
{
	uv_signal_init(house->loop, &house->term);
	uv_signal_init(house->loop, &house->interrupt);
	house->term.data = house->interrupt.data = house;
	uv_signal_start(&house->term, on_signal, SIGTERM);
	uv_signal_start(&house->interrupt, on_signal, SIGINT);
}

bool watch_run(const struct config *config, const char *state_dir, struct err *err)
{
	struct house house = {.loop = uv_default_loop(), .cancel = {-1}};
	CLEANUP(freep) char *threads = str_printf("%d", config->workers);

	if (!cancel_init(&house.cancel, err))
		return false;
	(void)setenv("UV_THREADPOOL_SIZE", threads, 0);
	house.watchers = xcalloc(config->accounts_count, sizeof(*house.watchers));
	add_signals(&house);
	for (size_t i = 0; i < config->accounts_count; i++)
		if (config->accounts[i].mirror)
			add_watcher(&house, &config->accounts[i], state_dir);
	notify_systemd("READY=1");
	log_info("watching %zu accounts", house.count);
	for (size_t i = 0; i < house.count; i++)
		begin_turn(&house.watchers[i]);
	uv_run(house.loop, UV_RUN_DEFAULT);
	free(house.watchers);
	cancel_close(&house.cancel);
	log_info("stopped");
	return true;
}
