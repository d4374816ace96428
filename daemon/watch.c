#include "daemon/watch.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>

#include <uv.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/str.h"
#include "daemon/backoff.h"
#include "daemon/idle_watcher.h"
#include "daemon/notify.h"
#include "daemon/park.h"
#include "daemon/sealer.h"
#include "daemon/slots.h"
#include "daemon/wake.h"
#include "daemon/work.h"

enum { JITTER_VALUES = 1001, THREADS_MAX = 128 };

enum watch_state { WATCH_NEW, WATCH_TURN, WATCH_PARKED, WATCH_BACKOFF, WATCH_STOPPED };

struct watcher {
	struct house *house;
	struct account_work work;
	enum watch_state state;
	unsigned failures;
	bool due;         /* the turn compares whatever IDLE says */
	bool called;      /* during the turn a sentry had news */
	bool again;       /* the worker wants another turn */
	bool turned_well; /* the last turn, and why not: */
	struct err err;
	uv_work_t job;
	uv_timer_t timer;
	struct park park;
	struct idle_watcher *sentries;
	size_t sentries_count;
};

struct house {
	uv_loop_t *loop;
	uv_signal_t term, interrupt, hangup;
	uv_timer_t clock; /* looks whether the machine slept */
	struct wake wake;
	struct cancel cancel;
	struct pools pools;
	struct sealer *sealer;
	struct watcher *watchers;
	size_t count;
	bool stopping;
};

static void begin_turn(struct watcher *watcher, bool due);

static void run_turn(uv_work_t *job)
{
	struct watcher *watcher = job->data;

	err_clear(&watcher->err);
	watcher->turned_well =
		work_turn(&watcher->work, watcher->due, &watcher->again, &watcher->err);
}

/* --- further connections --- */

/* The busiest folders are watched. A sentry stays where it is as long as its folder is one. */
static void post_sentries(struct watcher *watcher)
{
	const struct busy *busy = &watcher->work.busy;
	bool taken[BUSY_FOLDERS_MAX] = {false};
	size_t wanted =
		busy->count < watcher->sentries_count ? busy->count : watcher->sentries_count;
	bool stays[BUSY_FOLDERS_MAX] = {false};

	if (!watcher->work.idling)
		return;
	for (size_t i = 0; i < watcher->sentries_count; i++) {
		const char *folder = watcher->sentries[i].wanted;
		size_t rank = folder ? busy_rank(busy, folder) : wanted;

		stays[i] = rank < wanted && !taken[rank];
		if (stays[i]) {
			taken[rank] = true;
			idle_watcher_send(&watcher->sentries[i], folder);
		}
	}
	for (size_t i = 0, rank = 0; i < watcher->sentries_count; i++) {
		while (rank < wanted && taken[rank])
			rank++;
		if (stays[i] || rank == wanted)
			continue;
		taken[rank] = true;
		idle_watcher_send(&watcher->sentries[i], busy->items[rank].wire_name);
	}
}

static void on_idle_watcher(void *context)
{
	struct watcher *watcher = context;

	if (watcher->state == WATCH_PARKED)
		begin_turn(watcher, true);
	else
		watcher->called = true;
}

/* --- turns --- */

static void close_watcher(struct watcher *watcher)
{
	watcher->state = WATCH_STOPPED;
	park_end(&watcher->park);
	uv_timer_stop(&watcher->timer);
	uv_close((uv_handle_t *)&watcher->timer, NULL);
	work_state(&watcher->work, ACCOUNT_STOPPED, "", "");
	work_free(&watcher->work);
}

static void on_timer(uv_timer_t *timer)
{
	begin_turn(timer->data, true);
}

static void on_input(void *context)
{
	begin_turn(context, false);
}

static void back_off(struct watcher *watcher)
{
	int64_t wait_ms =
		backoff_ms(++watcher->failures, watcher->err.kind, rand_below(JITTER_VALUES));

	log_warning("%s: %s; next attempt in %lld s", watcher->work.account->name,
		watcher->err.text, (long long)(wait_ms + 999) / 1000);
	watcher->state = WATCH_BACKOFF;
	for (size_t i = 0; i < watcher->sentries_count; i++)
		idle_watcher_recall(&watcher->sentries[i]);
	uv_timer_start(&watcher->timer, on_timer, (uint64_t)wait_ms, 0);
}

static void park(struct watcher *watcher)
{
	const struct config_account *account = watcher->work.account;
	int64_t wait_ms = account->poll_ms;

	watcher->state = WATCH_PARKED;
	if (watcher->work.restless > 0)
		wait_ms = restless_ms(watcher->work.restless, wait_ms);
	if (watcher->work.idling) {
		if (account->idle_renew_ms < wait_ms)
			wait_ms = account->idle_renew_ms;
		park_begin(&watcher->park, imap_fd(watcher->work.imap));
	}
	uv_timer_start(&watcher->timer, on_timer, (uint64_t)wait_ms, 0);
	post_sentries(watcher);
}

static void turn_done(uv_work_t *job, int status)
{
	struct watcher *watcher = job->data;

	(void)status;
	if (watcher->work.changed)
		sealer_note(watcher->house->sealer, watcher->work.account);
	watcher->work.changed = false;
	if (watcher->house->stopping) {
		close_watcher(watcher);
	} else if (!watcher->turned_well) {
		back_off(watcher);
	} else {
		watcher->failures = 0;
		if (watcher->again || watcher->called)
			begin_turn(watcher, true);
		else
			park(watcher);
	}
}

static void begin_turn(struct watcher *watcher, bool due)
{
	int failed;

	assert(!watcher->house->stopping);
	park_end(&watcher->park);
	uv_timer_stop(&watcher->timer);
	watcher->state = WATCH_TURN;
	watcher->due = due;
	watcher->called = false;
	failed = uv_queue_work(watcher->house->loop, &watcher->job, run_turn, turn_done);
	assert(!failed);
}

/* --- the house --- */

static void stop_watcher(struct watcher *watcher)
{
	for (size_t i = 0; i < watcher->sentries_count; i++)
		idle_watcher_dismiss(&watcher->sentries[i]);
	if (watcher->state != WATCH_TURN)
		close_watcher(watcher);
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
		stop_watcher(&house->watchers[i]);
	uv_close((uv_handle_t *)&house->term, NULL);
	uv_close((uv_handle_t *)&house->interrupt, NULL);
	uv_close((uv_handle_t *)&house->hangup, NULL);
	uv_close((uv_handle_t *)&house->clock, NULL);
}

/* Whoever waits for whatever reason compares now: a password was put right, the network is back. */
static void on_hangup(uv_signal_t *handle, int number)
{
	struct house *house = handle->data;

	(void)number;
	for (size_t i = 0; i < house->count; i++) {
		enum watch_state state = house->watchers[i].state;

		if (state == WATCH_PARKED || state == WATCH_BACKOFF)
			begin_turn(&house->watchers[i], true);
	}
}

/* What was connected is believed dead: nobody kept it alive. A refused password stays refused. */
static void wake_watcher(struct watcher *watcher)
{
	enum err_kind kind = watcher->err.kind;
	bool parked = watcher->state == WATCH_PARKED;
	bool for_a_person = kind == ERR_AUTH || kind == ERR_CONFIG;

	if (!parked && (watcher->state != WATCH_BACKOFF || for_a_person))
		return;
	park_end(&watcher->park);
	work_close(&watcher->work);
	for (size_t i = 0; i < watcher->sentries_count; i++)
		idle_watcher_recall(&watcher->sentries[i]);
	begin_turn(watcher, true);
}

static void on_clock(uv_timer_t *timer)
{
	struct house *house = timer->data;

	if (!wake_slept(&house->wake, clock_boot_ms(), clock_mono_ms()))
		return;
	log_info("the machine slept: all accounts are compared");
	for (size_t i = 0; i < house->count; i++)
		wake_watcher(&house->watchers[i]);
}

static void add_clock(struct house *house)
{
	wake_init(&house->wake, clock_boot_ms(), clock_mono_ms());
	uv_timer_init(house->loop, &house->clock);
	house->clock.data = house;
	uv_timer_start(&house->clock, on_clock, WAKE_LOOK_MS, WAKE_LOOK_MS);
}

static void add_sentries(struct watcher *watcher, const struct config_account *account)
{
	watcher->sentries_count = (size_t)account->connections - 1;
	assert(watcher->sentries_count <= BUSY_FOLDERS_MAX);
	watcher->sentries = xcalloc(watcher->sentries_count + 1, sizeof(*watcher->sentries));
	for (size_t i = 0; i < watcher->sentries_count; i++)
		idle_watcher_init(&watcher->sentries[i], watcher->house->loop, account,
			&watcher->house->cancel, on_idle_watcher, watcher);
}

static void add_watcher(
	struct house *house, const struct config_account *account, struct state *state)
{
	struct watcher *watcher = &house->watchers[house->count++];

	*watcher = (struct watcher){
		.house = house,
		.work = {.account = account,
			.state = state,
			.cancel = &house->cancel,
			.pools = &house->pools,
			.changed = true},
		.park = {.loop = house->loop, .context = watcher, .input = on_input},
	};
	watcher->job.data = watcher;
	uv_timer_init(house->loop, &watcher->timer);
	watcher->timer.data = watcher;
	add_sentries(watcher, account);
	work_state(&watcher->work, ACCOUNT_STARTING, "", "");
}

static void add_signals(struct house *house)
{
	uv_signal_init(house->loop, &house->term);
	uv_signal_init(house->loop, &house->interrupt);
	uv_signal_init(house->loop, &house->hangup);
	house->term.data = house->interrupt.data = house->hangup.data = house;
	uv_signal_start(&house->hangup, on_hangup, SIGHUP);
	uv_signal_start(&house->term, on_signal, SIGTERM);
	uv_signal_start(&house->interrupt, on_signal, SIGINT);
}

static void house_free(struct house *house)
{
	for (size_t i = 0; i < house->count; i++)
		free(house->watchers[i].sentries);
	free(house->watchers);
	sealer_stopp(&house->sealer);
	slots_close(&house->pools.bulk);
	slots_close(&house->pools.brief);
	cancel_close(&house->cancel);
}

/* One for each connection: whatever servers stall, the others are talked with. */
static void make_threads(const struct config *config)
{
	CLEANUP(freep) char *text = NULL;
	int threads = 1;

	for (size_t i = 0; i < config->accounts_count; i++)
		if (config->accounts[i].mirror && threads < THREADS_MAX)
			threads += config->accounts[i].connections;
	text = str_printf("%d", threads < THREADS_MAX ? threads : THREADS_MAX);
	(void)setenv("UV_THREADPOOL_SIZE", text, 0);
}

bool watch_run(const struct config *config, struct state *state, struct err *err)
{
	CLEANUP(house_free)
	struct house house = {
		.loop = uv_default_loop(), .cancel = {-1}, .pools = {.bulk = {-1}, .brief = {-1}}};

	if (!cancel_init(&house.cancel, err) ||
		!slots_init(&house.pools.bulk, (unsigned)config->workers, err) ||
		!slots_init(&house.pools.brief, SLOTS_BRIEF, err) ||
		!sealer_start(config->accounts_count, &house.cancel, &house.sealer, err))
		return false;
	make_threads(config);
	house.watchers = xcalloc(config->accounts_count, sizeof(*house.watchers));
	add_signals(&house);
	add_clock(&house);
	for (size_t i = 0; i < config->accounts_count; i++)
		if (config->accounts[i].mirror)
			add_watcher(&house, &config->accounts[i], state);
	notify_systemd("READY=1");
	log_info("watching %zu account%s", house.count, house.count == 1 ? "" : "s");
	for (size_t i = 0; i < house.count; i++)
		begin_turn(&house.watchers[i], true);
	uv_run(house.loop, UV_RUN_DEFAULT);
	log_info("stopped");
	return true;
}
