#include "base/wait.h"

#include <assert.h>
#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"

bool cancel_init(struct cancel *cancel, struct err *err)
{
	cancel->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (cancel->fd < 0)
		return err_errno(err, ERR_LOCAL, errno, "eventfd");
	return true;
}

void cancel_close(struct cancel *cancel)
{
	closep(&cancel->fd);
}

void cancel_now(struct cancel *cancel)
{
	static const uint64_t one = 1;

	(void)!write(cancel->fd, &one, sizeof(one));
}

bool cancel_is(const struct cancel *cancel)
{
	struct pollfd poll_fd = {.fd = cancel->fd, .events = POLLIN};

	return poll(&poll_fd, 1, 0) == 1;
}

struct wait wait_for(int timeout_ms, const struct cancel *cancel)
{
	return (struct wait){clock_mono_ms() + timeout_ms, cancel};
}

static int left_ms(int64_t deadline_ms)
{
	int64_t left = deadline_ms - clock_mono_ms();

	if (left < 0)
		return 0;
	return left > INT_MAX ? INT_MAX : (int)left;
}

bool wait_fd(int fd, short events, struct wait wait, struct err *err)
{
	struct pollfd fds[2] = {
		{.fd = fd, .events = events},
		{.fd = wait.cancel ? wait.cancel->fd : -1, .events = POLLIN},
	};

	for (;;) {
		int ready = poll(fds, ARRAY_LEN(fds), left_ms(wait.deadline_ms));

		if (ready < 0 && errno != EINTR)
			return err_errno(err, ERR_LOCAL, errno, "poll");
		if (ready > 0 && fds[1].revents)
			return err_set(err, ERR_CANCELLED, "cancelled");
		if (ready > 0)
			return true;
		if (ready == 0 && left_ms(wait.deadline_ms) == 0)
			return err_set(err, ERR_RETRY, "timed out");
	}
}

bool wait_again(struct wait wait, struct err *err)
{
	if (err->kind != ERR_BUSY || clock_mono_ms() >= wait.deadline_ms)
		return false;
	return wait_sleep(wait_for(WAIT_PAUSE_MS, wait.cancel), err);
}

bool wait_sleep(struct wait wait, struct err *err)
{
	struct err timed_out;

	if (wait_fd(-1, 0, wait, &timed_out))
		assert(!"wait_fd(-1) reported an event");
	if (timed_out.kind == ERR_RETRY)
		return true;
	if (err)
		*err = timed_out;
	return false;
}
