/* When the daemon retries, how many accounts compare at once, and how it notices a suspend. */
#include <pthread.h>

#include "base/clock.h"
#include "daemon/backoff.h"
#include "daemon/pools.h"
#include "daemon/suspend.h"
#include "support/check.h"

enum { JITTER_MAX = 1000, FAILURES_MAX = 1000, MINUTE_MS = 60 * 1000, WAIT_MS = 100 };

static void waits_grow_up_to_a_limit(void)
{
	int64_t before_ms = 0;

	for (unsigned failures = 1; failures < FAILURES_MAX; failures++) {
		int64_t wait_ms = backoff_ms(failures, ERR_RETRY, JITTER_MAX);

		CHECK(wait_ms >= before_ms && wait_ms <= BACKOFF_MAX_MS);
		before_ms = wait_ms;
	}
	CHECK_INT(backoff_ms(1, ERR_RETRY, JITTER_MAX), BACKOFF_FIRST_MS);
	CHECK_INT(before_ms, BACKOFF_MAX_MS);
}

static void many_clients_do_not_come_back_at_once(void)
{
	CHECK_INT(backoff_ms(1, ERR_PROTOCOL, 0), BACKOFF_FIRST_MS / 2);
	CHECK_INT(backoff_ms(3, ERR_PROTOCOL, JITTER_MAX / 2), BACKOFF_FIRST_MS * 3);
}

static void a_refused_password_waits_longer(void)
{
	for (unsigned failures = 1; failures < FAILURES_MAX; failures *= 10) {
		CHECK(backoff_ms(failures, ERR_AUTH, 0) >= 30 * MINUTE_MS);
		CHECK(backoff_ms(failures, ERR_CONFIG, 0) >= 30 * MINUTE_MS);
	}
}

static void a_folder_that_keeps_changing_is_compared_less_and_less_often(void)
{
	CHECK_INT(restless_ms(1, 5 * MINUTE_MS), RESTLESS_FIRST_MS);
	CHECK_INT(restless_ms(3, 5 * MINUTE_MS), RESTLESS_FIRST_MS * 4);
	CHECK_INT(restless_ms(FAILURES_MAX, 5 * MINUTE_MS), 5 * MINUTE_MS);
	CHECK_INT(restless_ms(1, 100), 100);
}

static void a_suspend_is_noticed_once(void)
{
	struct suspend suspend;

	suspend_init(&suspend, 9000, 1000);
	CHECK(!suspend_happened(&suspend, 24000, 16000));
	CHECK(suspend_happened(&suspend, 90000, 31000));
	CHECK(!suspend_happened(&suspend, 105000, 46000));
	CHECK(!suspend_happened(&suspend, 120000 + SUSPEND_MIN_MS - 1, 61000));
	CHECK(!suspend_happened(&suspend, 120000 + SUSPEND_MIN_MS - 1,
		61000 + SUSPEND_MIN_MS)); /* the difference shrank */
}

static void a_pool_has_a_fixed_number_of_slots(void)
{
	struct cancel cancel;
	struct pool pool;
	struct err err = ERR_INIT;

	CHECK_OK(pool_init(&pool, 2, &err));
	CHECK_OK(cancel_init(&cancel, &err));
	CHECK_OK(pool_take(&pool, &cancel, &err));
	CHECK_OK(pool_take(&pool, &cancel, &err));
	cancel_now(&cancel);
	CHECK(!pool_take(&pool, &cancel, &err));
	CHECK_INT(err.kind, ERR_CANCELLED);
	pool_give(&pool);
	CHECK_OK(pool_take(&pool, NULL, &err));
	pool_close(&pool);
	cancel_close(&cancel);
}

static void *give_later(void *context)
{
	struct err err = ERR_INIT;

	CHECK_OK(wait_sleep(wait_for(WAIT_MS, NULL), &err));
	pool_give(context);
	return NULL;
}

static void a_slot_given_back_is_taken(void)
{
	pthread_t thread;
	struct pool pool;
	struct err err = ERR_INIT;

	CHECK_OK(pool_init(&pool, 1, &err));
	CHECK_OK(pool_take(&pool, NULL, &err));
	CHECK_INT(pthread_create(&thread, NULL, give_later, &pool), 0);
	CHECK_OK(pool_take(&pool, NULL, &err));
	CHECK_INT(pthread_join(thread, NULL), 0);
	pool_close(&pool);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(waits_grow_up_to_a_limit),
		PROMISE(many_clients_do_not_come_back_at_once),
		PROMISE(a_refused_password_waits_longer),
		PROMISE(a_folder_that_keeps_changing_is_compared_less_and_less_often),
		PROMISE(a_suspend_is_noticed_once),
		PROMISE(a_pool_has_a_fixed_number_of_slots),
		PROMISE(a_slot_given_back_is_taken),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
