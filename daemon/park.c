#include "daemon/park.h"

#include <assert.h>

static void on_poll(uv_poll_t *poll, int status, int events)
{
	struct park *park = poll->data;

	(void)status;
	(void)events;
	park_end(park);
	park->input(park->context);
}

void park_begin(struct park *park, int fd)
{
	assert(!park->polling);
	uv_poll_init(park->loop, &park->poll, fd);
	park->poll.data = park;
	park->polling = true;
	uv_poll_start(&park->poll, UV_READABLE | UV_DISCONNECT, on_poll);
}

void park_end(struct park *park)
{
	if (!park->polling)
		return;
	uv_poll_stop(&park->poll);
	uv_close((uv_handle_t *)&park->poll, NULL);
	park->polling = false;
}
