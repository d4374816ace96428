#include "daemon/watch.h"

#include <assert.h>
#include <signal.h>
#include <stdlib.h>

#include <uv.h>

#include "archive/unlock.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/rand.h"
#include "base/str.h"
#include "daemon/backoff.h"
#include "daemon/idle_watcher.h"
#include "daemon/park.h"
#include "daemon/pools.h"
#include "daemon/sealer.h"
#include "daemon/suspend.h"
#include "daemon/systemd_notify.h"
#include "daemon/turns.h"

enum { JITTER_VALUES = 1001, THREADS_MAX = 128 };

enum watch_state { WATCH_NEW, WATCH_TURN, WATCH_PARKED, WATCH_BACKOFF, WATCH_STOPPED };

struct watched {
	struct watch *watch;
	struct account_turns turns;
	enum watch_state state;
	unsigned failures;
	bool due;         /* the turn compares, whatever IDLE reports */
	bool called;      /* an idle watcher had news during the turn */
	bool again;       /* IDLE reported news at once: take another turn */
	bool turned_well; /* the last turn succeeded; else err says why not */
	struct err err;
	uv_work_t job;
	uv_timer_t timer;
	struct park park;
	struct idle_watcher *idle_watchers;
	size_t idle_watchers_count;
};

struct watch {
	uv_loop_t *loop;
	uv_signal_t term, interrupt, hangup;
	uv_timer_t clock; /* checks for a suspend */
	struct suspend suspend;
	struct cancel cancel;
	struct pools pools;
	struct sealer *sealer;
	struct watched *accounts;
	size_t count;
	bool stopping;
};

static void begin_turn(struct watched *watched, bool due);

/* On a worker thread. Until turn_done(), the event loop touches neither the turns nor the results:
 * it only sets `called`, and cancels. */
static void run_turn(uv_work_t *job)
{
	struct watched *watched = job->data;

	err_clear(&watched->err);
	watched->turned_well =
		turns_take(&watched->turns, watched->due, &watched->again, &watched->err);
}

/* --- further connections --- */

/* Sends the idle watchers to the busiest folders. One whose folder is still among them stays. */
static void send_idle_watchers(struct watched *watched)
{
	const struct busy_folders *busy = &watched->turns.busy;
	bool taken[BUSY_FOLDERS_MAX] = {false};
	size_t wanted = busy->count < watched->idle_watchers_count ? busy->count
								   : watched->idle_watchers_count;
	bool stays[BUSY_FOLDERS_MAX] = {false};

	if (!watched->turns.idling)
		return;
	for (size_t i = 0; i < watched->idle_watchers_count; i++) {
		const char *folder = watched->idle_watchers[i].wanted;
		size_t rank = folder ? busy_folders_rank(busy, folder) : wanted;

		stays[i] = rank < wanted && !taken[rank];
		if (stays[i]) {
			taken[rank] = true;
			idle_watcher_send(&watched->idle_watchers[i], folder);
		}
	}
	for (size_t i = 0, rank = 0; i < watched->idle_watchers_count; i++) {
		while (rank < wanted && taken[rank])
			rank++;
		if (stays[i] || rank == wanted)
			continue;
		taken[rank] = true;
		idle_watcher_send(&watched->idle_watchers[i], busy->items[rank].wire_name);
	}
}

static void on_news(void *context)
{
	struct watched *watched = context;

	if (watched->state == WATCH_PARKED)
		begin_turn(watched, true);
	else
		watched->called = true;
}

/* --- turns --- */

static void close_watched(struct watched *watched)
{
	assert(watched->state != WATCH_STOPPED);
	watched->state = WATCH_STOPPED;
	park_end(&watched->park);
	uv_timer_stop(&watched->timer);
	uv_close((uv_handle_t *)&watched->timer, NULL);
	turns_set_state(&watched->turns, ACCOUNT_STOPPED, "", "");
	turns_free(&watched->turns);
}

static void on_timer(uv_timer_t *timer)
{
	begin_turn(timer->data, true);
}

static void on_input(void *context)
{
	begin_turn(context, false);
}

static void back_off(struct watched *watched)
{
	int64_t wait_ms =
		backoff_ms(++watched->failures, watched->err.kind, rand_below(JITTER_VALUES));

	log_warning("%s: %s; retrying in %lld s", watched->turns.account->name, watched->err.text,
		(long long)(wait_ms + 999) / 1000);
	watched->state = WATCH_BACKOFF;
	for (size_t i = 0; i < watched->idle_watchers_count; i++)
		idle_watcher_recall(&watched->idle_watchers[i]);
	uv_timer_start(&watched->timer, on_timer, (uint64_t)wait_ms, 0);
}

static void park_account(struct watched *watched)
{
	const struct config_account *account = watched->turns.account;
	int64_t wait_ms = account->poll_ms;

	watched->state = WATCH_PARKED;
	if (watched->turns.restless > 0)
		wait_ms = restless_ms(watched->turns.restless, wait_ms);
	if (watched->turns.idling) {
		if (account->idle_renew_ms < wait_ms)
			wait_ms = account->idle_renew_ms;
		if (!park_begin(&watched->park, imap_fd(watched->turns.imap))) {
			(void)err_set(&watched->err, ERR_RETRY, "%s", park_failure);
			back_off(watched);
			return;
		}
	}
	uv_timer_start(&watched->timer, on_timer, (uint64_t)wait_ms, 0);
	send_idle_watchers(watched);
}

static void turn_done(uv_work_t *job, int status)
{
	struct watched *watched = job->data;

	(void)status;
	assert(watched->state == WATCH_TURN);
	if (watched->turns.changed)
		sealer_note(watched->watch->sealer, watched->turns.account, watched->turns.keys);
	watched->turns.changed = false;
	if (watched->watch->stopping) {
		close_watched(watched);
	} else if (!watched->turned_well) {
		back_off(watched);
	} else {
		watched->failures = 0;
		if (watched->again || watched->called)
			begin_turn(watched, true);
		else
			park_account(watched);
	}
}

static void begin_turn(struct watched *watched, bool due)
{
	int failed;

	assert(!watched->watch->stopping && watched->state != WATCH_STOPPED);
	park_end(&watched->park);
	uv_timer_stop(&watched->timer);
	watched->state = WATCH_TURN;
	watched->due = due;
	watched->called = false; /* the turn compares what these news were about */
	failed = uv_queue_work(watched->watch->loop, &watched->job, run_turn, turn_done);
	assert(!failed);
}

/* --- all accounts --- */

static void on_signal(uv_signal_t *handle, int number)
{
	struct watch *watch = handle->data;

	(void)number;
	if (watch->stopping)
		return;
	watch->stopping = true;
	systemd_notify("STOPPING=1");
	cancel_now(&watch->cancel);
	for (size_t i = 0; i < watch->count; i++) {
		struct watched *watched = &watch->accounts[i];

		for (size_t j = 0; j < watched->idle_watchers_count; j++)
			idle_watcher_dismiss(&watched->idle_watchers[j]);
		/* the worker of a turn still uses it; turn_done() closes it then */
		if (watched->state != WATCH_TURN)
			close_watched(watched);
	}
	/* uv_run() returns when the last handle is closed and the last turn is done */
	uv_close((uv_handle_t *)&watch->term, NULL);
	uv_close((uv_handle_t *)&watch->interrupt, NULL);
	uv_close((uv_handle_t *)&watch->hangup, NULL);
	uv_close((uv_handle_t *)&watch->clock, NULL);
}

/* All waiting accounts compare now: a password was corrected, or the network is back. */
static void on_hangup(uv_signal_t *handle, int number)
{
	struct watch *watch = handle->data;

	(void)number;
	for (size_t i = 0; i < watch->count; i++) {
		enum watch_state state = watch->accounts[i].state;

		if (state == WATCH_PARKED || state == WATCH_BACKOFF)
			begin_turn(&watch->accounts[i], true);
	}
}

/* After a suspend, connections are presumed dead. A password or configuration error does not go
 * away by that and keeps its backoff. */
static void reconnect(struct watched *watched)
{
	enum err_kind kind;

	if (watched->state != WATCH_PARKED && watched->state != WATCH_BACKOFF)
		return;
	kind = watched->err.kind; /* not during a turn: the worker writes it */
	if (watched->state == WATCH_BACKOFF && (kind == ERR_AUTH || kind == ERR_CONFIG))
		return;
	park_end(&watched->park);
	turns_close(&watched->turns);
	for (size_t i = 0; i < watched->idle_watchers_count; i++)
		idle_watcher_recall(&watched->idle_watchers[i]);
	begin_turn(watched, true);
}

static void on_clock(uv_timer_t *timer)
{
	struct watch *watch = timer->data;

	if (!suspend_happened(&watch->suspend, clock_boot_ms(), clock_mono_ms()))
		return;
	log_info("the machine was suspended: reconnecting and comparing all accounts");
	for (size_t i = 0; i < watch->count; i++)
		reconnect(&watch->accounts[i]);
}

static void add_clock(struct watch *watch)
{
	suspend_init(&watch->suspend, clock_boot_ms(), clock_mono_ms());
	uv_timer_init(watch->loop, &watch->clock);
	watch->clock.data = watch;
	uv_timer_start(&watch->clock, on_clock, SUSPEND_CHECK_MS, SUSPEND_CHECK_MS);
}

static void add_idle_watchers(struct watched *watched, const struct config_account *account)
{
	watched->idle_watchers_count = (size_t)account->connections - 1;
	assert(watched->idle_watchers_count <= BUSY_FOLDERS_MAX);
	watched->idle_watchers =
		xcalloc(watched->idle_watchers_count + 1, sizeof(*watched->idle_watchers));
	for (size_t i = 0; i < watched->idle_watchers_count; i++)
		idle_watcher_init(&watched->idle_watchers[i], watched->watch->loop, account,
			&watched->watch->cancel, on_news, watched);
}

static void add_watched(
	struct watch *watch, const struct config_account *account, struct state *state)
{
	struct watched *watched = &watch->accounts[watch->count++];

	*watched = (struct watched){
		.watch = watch,
		.turns = {.account = account,
			.keys = archive_keys_new(),
			.state = state,
			.cancel = &watch->cancel,
			.pools = &watch->pools,
			.changed = true},
		.park = {.loop = watch->loop, .context = watched, .input = on_input},
	};
	watched->job.data = watched;
	uv_timer_init(watch->loop, &watched->timer);
	watched->timer.data = watched;
	add_idle_watchers(watched, account);
	turns_set_state(&watched->turns, ACCOUNT_STARTING, "", "");
}

static void add_signals(struct watch *watch)
{
	uv_signal_init(watch->loop, &watch->term);
	uv_signal_init(watch->loop, &watch->interrupt);
	uv_signal_init(watch->loop, &watch->hangup);
	watch->term.data = watch->interrupt.data = watch->hangup.data = watch;
	uv_signal_start(&watch->hangup, on_hangup, SIGHUP);
	uv_signal_start(&watch->term, on_signal, SIGTERM);
	uv_signal_start(&watch->interrupt, on_signal, SIGINT);
}

static void watch_free(struct watch *watch)
{
	sealer_stopp(&watch->sealer);
	for (size_t i = 0; i < watch->count; i++) {
		free(watch->accounts[i].idle_watchers);
		archive_keys_freep(&watch->accounts[i].turns.keys); /* the sealer used them */
	}
	free(watch->accounts);
	pool_close(&watch->pools.bulk);
	pool_close(&watch->pools.brief);
	cancel_close(&watch->cancel);
}

/* One thread for each connection, up to THREADS_MAX: a server that stalls must not delay others.
 * libuv reads the variable when the first job is queued. */
static void set_thread_count(const struct config *config)
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
	CLEANUP(watch_free)
	struct watch watch = {
		.loop = uv_default_loop(), .cancel = {-1}, .pools = {.bulk = {-1}, .brief = {-1}}};

	if (!cancel_init(&watch.cancel, err) ||
		!pool_init(&watch.pools.bulk, (unsigned)config->workers, err) ||
		!pool_init(&watch.pools.brief, POOL_BRIEF_SLOTS, err) ||
		!sealer_start(config->accounts_count, &watch.cancel, &watch.sealer, err))
		return false;
	set_thread_count(config);
	watch.accounts = xcalloc(config->accounts_count, sizeof(*watch.accounts));
	add_signals(&watch);
	add_clock(&watch);
	for (size_t i = 0; i < config->accounts_count; i++)
		if (config->accounts[i].mirror)
			add_watched(&watch, &config->accounts[i], state);
	systemd_notify("READY=1");
	log_info("watching %zu account%s", watch.count, watch.count == 1 ? "" : "s");
	for (size_t i = 0; i < watch.count; i++)
		begin_turn(&watch.accounts[i], true);
	uv_run(watch.loop, UV_RUN_DEFAULT);
	log_info("stopped");
	return true;
}
