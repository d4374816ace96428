#include "power_state.h"

#include <stdio.h>

#include "base/alloc.h"
#include "state/state.h"
#include "support/check.h"

enum { VALIDITY = 7, CHANGES = 120 /* enough for a WAL checkpoint between them */ };

static const char archive[] = "/archives/alice";

static bool change(struct state *state, unsigned number, struct err *err)
{
	struct account_status status = {.state = ACCOUNT_MIRRORING, .since_ms = number};
	const struct skipped skipped = {.folder_path = "INBOX",
		.uidvalidity = VALIDITY,
		.uid = number,
		.reason = status.detail,
		.attempts = 1};

	(void)snprintf(status.detail, sizeof(status.detail), "%u", number);
	return state_put(state, archive, &status, err) &&
	       state_skip_put(state, archive, &skipped, err);
}

static bool change_in_one(struct state *state, unsigned number, struct err *err)
{
	return state_begin(state, err) && state_end(state, change(state, number, err), err);
}

static bool last_change(struct state *state, unsigned *ret_number, struct err *err)
{
	struct account_status status;

	if (!state_get(state, archive, &status, err))
		return false;
	*ret_number = (unsigned)status.since_ms;
	return true;
}

bool power_state(const char *place, struct err *err)
{
	CLEANUP(state_freep) struct state *state = NULL;
	unsigned number;

	if (!state_open(place, &state, err) || !last_change(state, &number, err))
		return false;
	while (number < CHANGES)
		if (!change_in_one(state, ++number, err))
			return false;
	return true;
}

char *power_tell_state(const char *place)
{
	(void)place;
	return xstrdup("");
}

static bool count(void *context, const struct skipped *skipped, struct err *err)
{
	unsigned *number = context;

	(void)err;
	CHECK_INT(skipped->uid, ++*number);
	return true;
}

void power_check_state(const char *place)
{
	CLEANUP(state_freep) struct state *state = NULL;
	unsigned last, skipped = 0;
	struct err err = ERR_INIT;

	CHECK_OK(state_open(place, &state, &err));
	CHECK_OK(last_change(state, &last, &err));
	CHECK_OK(state_each_skipped(state, archive, count, &skipped, &err));
	CHECK_INT(skipped, last);
}
