/* When the daemon tries again, who goes at once, and when it notices that the machine slept. */
#include <pthread.h>

#include "base/clock.h"
#include "daemon/backoff.h"
#include "daemon/slots.h"
#include "daemon/wake.h"
#include "support/check.h"

enum { JITTER_MAX = 1000, FAILURES_MAX = 1000, MINUTE_MS = 60 * 1000, WAIT_MS = 100 };

static void waits_grow_to_a_limit(void)
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

static void a_refused_password_is_no_matter_of_minutes(void)
{
	for (unsigned failures = 1; failures < FAILURES_MAX; failures *= 10) {
		CHECK(backoff_ms(failures, ERR_AUTH, 0) >= 30 * MINUTE_MS);
		CHECK(backoff_ms(failures, ERR_CONFIG, 0) >= 30 * MINUTE_MS);
	}
}

static void a_folder_that_never_stands_still_is_looked_at_less_and_less(void)
{
	CHECK_INT(restless_ms(1, 5 * MINUTE_MS), RESTLESS_FIRST_MS);
	CHECK_INT(restless_ms(3, 5 * MINUTE_MS), RESTLESS_FIRST_MS * 4);
	CHECK_INT(restless_ms(FAILURES_MAX, 5 * MINUTE_MS), 5 * MINUTE_MS);
	CHECK_INT(restless_ms(1, 100), 100);
}

static void a_sleep_is_noticed_once(void)
{
	struct wake wake;

	wake_init(&wake, 9000, 1000);
	CHECK(!wake_slept(&wake, 24000, 16000));
	CHECK(wake_slept(&wake, 90000, 31000));
	CHECK(!wake_slept(&wake, 105000, 46000));
	CHECK(!wake_slept(&wake, 120000 + WAKE_SLEPT_MS - 1, 61000));
	CHECK(!wake_slept(&wake, 120000 + WAKE_SLEPT_MS - 1, 61000 + WAKE_SLEPT_MS)); /* back */
}

static void only_so_many_go_at_once(void)
{
	struct cancel cancel;
	struct slots slots;
	struct err err = ERR_INIT;

	CHECK_OK(slots_init(&slots, 2, &err));
	CHECK_OK(cancel_init(&cancel, &err));
	CHECK_OK(slots_take(&slots, &cancel, &err));
	CHECK_OK(slots_take(&slots, &cancel, &err));
	cancel_now(&cancel);
	CHECK(!slots_take(&slots, &cancel, &err));
	CHECK_INT(err.kind, ERR_CANCELLED);
	slots_give(&slots);
	CHECK_OK(slots_take(&slots, NULL, &err));
	slots_close(&slots);
	cancel_close(&cancel);
}

static void *give_later(void *context)
{
	struct err err = ERR_INIT;

	CHECK_OK(wait_sleep(wait_for(WAIT_MS, NULL), &err));
	slots_give(context);
	return NULL;
}

static void a_slot_that_is_given_back_is_taken(void)
{
	pthread_t thread;
	struct slots slots;
	struct err err = ERR_INIT;

	CHECK_OK(slots_init(&slots, 1, &err));
	CHECK_OK(slots_take(&slots, NULL, &err));
	CHECK_INT(pthread_create(&thread, NULL, give_later, &slots), 0);
	CHECK_OK(slots_take(&slots, NULL, &err));
	CHECK_INT(pthread_join(thread, NULL), 0);
	slots_close(&slots);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(waits_grow_to_a_limit),
		PROMISE(many_clients_do_not_come_back_at_once),
		PROMISE(a_refused_password_is_no_matter_of_minutes),
		PROMISE(a_folder_that_never_stands_still_is_looked_at_less_and_less),
		PROMISE(a_sleep_is_noticed_once),
		PROMISE(only_so_many_go_at_once),
		PROMISE(a_slot_that_is_given_back_is_taken),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
