#include "state/state.h"
#include "support/check.h"
#include "support/crash/ring.h"

uint64_t ring_skipped(const struct ring *ring)
{
	CLEANUP(state_freep) struct state *state = NULL;
	struct err err = ERR_INIT;
	uint64_t count;

	CHECK_OK(state_open(ring->state_dir, &state, &err));
	CHECK_OK(state_skipped_count(state, ring->archive, &count, &err));
	return count;
}

void ring_check_fetched_once(struct ring *ring, const char *words)
{
	CLEANUP(model_snapshot_freep)
	struct model_snapshot *now = model_snapshot(ring->model, "alice");

	for (size_t i = 0; i < now->count; i++)
		for (size_t k = 0; k < now->folders[i].count; k++)
			if (now->folders[i].messages[k].bodies_fetched > 1)
				check_fail(__FILE__, __LINE__, "%s: %s: uid %u was fetched again",
					words, now->folders[i].name,
					now->folders[i].messages[k].uid);
}
