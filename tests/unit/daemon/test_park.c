/* Parked connections in libuv's loop: input is reported once, however soon one is parked again. */
#include "daemon/park.h"

#include <fcntl.h>
#include <unistd.h>

#include "support/check.h"

struct parked {
	uv_loop_t loop;
	struct park park;
	int fds[2]; /* the parked end, the other end */
	int inputs;
};

static void on_input(void *context)
{
	struct parked *parked = context;
	char byte;

	CHECK_INT(read(parked->fds[0], &byte, 1), 1);
	parked->inputs++;
}

static void set_up(struct parked *parked)
{
	*parked = (struct parked){0};
	CHECK_INT(pipe(parked->fds), 0);
	CHECK_INT(uv_loop_init(&parked->loop), 0);
	parked->park = (struct park){.loop = &parked->loop, .context = parked, .input = on_input};
}

static void tear_down(struct parked *parked)
{
	park_end(&parked->park);
	CHECK_INT(uv_run(&parked->loop, UV_RUN_DEFAULT), 0);
	CHECK_INT(uv_loop_close(&parked->loop), 0);
	(void)close(parked->fds[0]);
	(void)close(parked->fds[1]);
}

static void input_is_reported_once(void)
{
	struct parked parked;

	set_up(&parked);
	CHECK(park_begin(&parked.park, parked.fds[0]));
	CHECK_INT(write(parked.fds[1], "xy", 2), 2);
	(void)uv_run(&parked.loop, UV_RUN_DEFAULT);
	CHECK_INT(parked.inputs, 1);
	tear_down(&parked);
}

/* A worker can end its turn before the loop's next round, in which libuv closes the old handle. */
static void it_may_be_parked_again_in_the_same_round(void)
{
	struct parked parked;

	set_up(&parked);
	for (int i = 0; i < 3; i++) {
		CHECK(park_begin(&parked.park, parked.fds[0]));
		park_end(&parked.park);
	}
	CHECK(park_begin(&parked.park, parked.fds[0]));
	CHECK_INT(write(parked.fds[1], "x", 1), 1);
	(void)uv_run(&parked.loop, UV_RUN_DEFAULT);
	CHECK_INT(parked.inputs, 1);
	tear_down(&parked);
}

static void what_the_kernel_cannot_watch_is_not_parked(void)
{
	struct parked parked;
	int folder = open("/", O_RDONLY | O_CLOEXEC);

	set_up(&parked);
	CHECK(folder >= 0 && !park_begin(&parked.park, folder)); /* epoll_ctl(2): EPERM */
	CHECK(park_begin(&parked.park, parked.fds[0]));
	tear_down(&parked);
	(void)close(folder);
}

int main(int argc, char **argv)
{
	static const struct promise promises[] = {
		PROMISE(input_is_reported_once),
		PROMISE(it_may_be_parked_again_in_the_same_round),
		PROMISE(what_the_kernel_cannot_watch_is_not_parked),
	};

	return check_main(argc, argv, promises, ARRAY_LEN(promises));
}
