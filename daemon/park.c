#include "daemon/park.h"

#include <assert.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/cleanup.h"

const char park_failure[] =
	"the kernel cannot watch one more connection; raise fs.epoll.max_user_watches";

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

bool park_begin(struct park *park, int fd)
{
	assert(!park->poll);
	park->poll = xcalloc(1, sizeof(*park->poll));
	/* epoll has limits for each user: ENOSPC, ENOMEM. Then libuv does not know the handle. */
	if (uv_poll_init(park->loop, park->poll, fd) != 0) {
		free(TAKE(park->poll));
		return false;
	}
	park->poll->data = park;
	uv_poll_start(park->poll, UV_READABLE | UV_DISCONNECT, on_poll);
	return true;
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
