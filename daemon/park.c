#include "daemon/park.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct park *park = poll->data;

	(void)status;
	(void)events;
	park_end(park);
	park->input(park->context);
}

static void free_poll(uv_handle_t *poll)
{
	free(poll);
}

void park_begin(struct park *park, int fd)
{
	int failed;

	assert(!park->poll);
	park->poll = xcalloc(1, sizeof(*park->poll));
	failed = uv_poll_init(park->loop, park->poll, fd);
	assert(!failed);
	park->poll->data = park;
	uv_poll_start(park->poll, UV_READABLE | UV_DISCONNECT, on_poll);
}

/* libuv closes a handle only in the loop's next round. A worker may have ended the next turn by
 * then, so each parking has a handle of its own. */
void park_end(struct park *park)
{
	if (!park->poll)
		return;
	uv_poll_stop(park->poll);
	uv_close((uv_handle_t *)park->poll, free_poll);
	park->poll = NULL;
}
