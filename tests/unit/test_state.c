#include "state/state.h"

#include <pthread.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "support/check.h"

enum { OPENERS = 6, ROUNDS = 20 };

static const char archive[] = "/mail/alice";

static void what_was_put_is_found_again(void)
{
	CLEANUP(freep) char *dir = str_printf("%s/again", check_temp_dir());
	CLEANUP(state_freep) struct state *state = NULL;
	struct account_status put = {.state = ACCOUNT_AUTH_REQUIRED,
		.since_ms = 1,
		.last_success_ms = 2,
		.push = "idle",
		.detail = "refused"};
	struct account_status got;
	struct err err = ERR_INIT;

	CHECK_OK(state_open(dir, &state, &err));
	CHECK_OK(state_put(state, archive, &put, &err));
	state_freep(&state);
	CHECK_OK(state_open(dir, &state, &err));
	CHECK_OK(state_get(state, archive, &got, &err));
	CHECK_INT(got.state, ACCOUNT_AUTH_REQUIRED);
	CHECK_INT(got.last_success_ms, 2);
	CHECK_STR(got.push, "idle");
	CHECK_STR(got.detail, "refused");
}

static void an_account_never_seen_is_stopped(void)
{
	CLEANUP(freep) char *dir = str_printf("%s/never", check_temp_dir());
	CLEANUP(state_freep) struct state *state = NULL;
	struct account_status got;
	struct err err = ERR_INIT;

	CHECK_OK(state_open(dir, &state, &err));
	CHECK_OK(state_get(state, archive, &got, &err));
	CHECK_INT(got.state, ACCOUNT_STOPPED);
	CHECK_INT(got.last_success_ms, 0);
}

struct opener {
	const char *dir;
	bool good;
	struct err err;
};

static void *open_and_read(void *argument)
{
	CLEANUP(state_freep) struct state *state = NULL;
	struct opener *opener = argument;
	struct account_status got;

	opener->good = state_open(opener->dir, &state, &opener->err) &&
		       state_get(state, archive, &got, &opener->err);
	return NULL;
}

/* A daemon starts while somebody asks for the status. */
static void many_may_be_the_first_to_open(void)
{
	for (int round = 0; round < ROUNDS; round++) {
		CLEANUP(freep) char *dir = str_printf("%s/first%d", check_temp_dir(), round);
		struct opener openers[OPENERS] = {0};
		pthread_t threads[OPENERS];

		for (size_t i = 0; i < OPENERS; i++) {
			openers[i].dir = dir;
			CHECK(pthread_create(&threads[i], NULL, open_and_read, &openers[i]) == 0);
		}
		for (size_t i = 0; i < OPENERS; i++)
			CHECK(pthread_join(threads[i], NULL) == 0);
		for (size_t i = 0; i < OPENERS; i++)
			if (!openers[i].good)
				check_fail(__FILE__, __LINE__, "%s", openers[i].err.text);
	}
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(what_was_put_is_found_again),
		PROMISE(an_account_never_seen_is_stopped),
		PROMISE(many_may_be_the_first_to_open),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
