#include "archive/volume/readers.h"

#include "base/clock.h"
#include "base/wait.h"

bool readers_wait(int timeout_ms, bool (*attempt)(void *context, bool *ret_done, struct err *err),
	void *context, bool *ret_done, struct err *err)
{
	int64_t deadline_ms = clock_mono_ms() + timeout_ms;

	for (;;) {
		*ret_done = false;
		if (!attempt(context, ret_done, err))
			return false;
		if (*ret_done || clock_mono_ms() >= deadline_ms)
			return true;
		if (!wait_sleep(wait_for(READERS_PAUSE_MS, NULL), err))
			return false;
	}
}
