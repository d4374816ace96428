#include "daemon/slots.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

bool slots_init(struct slots *slots, unsigned count, struct err *err)
{
	slots->fd = eventfd(count, EFD_SEMAPHORE | EFD_CLOEXEC | EFD_NONBLOCK);
	if (slots->fd < 0)
		return err_errno(err, ERR_LOCAL, errno, "eventfd");
	return true;
}

void slots_close(struct slots *slots)
{
	closep(&slots->fd);
}

bool slots_take(const struct slots *slots, const struct cancel *cancel, struct err *err)
{
	struct wait wait = wait_for(SLOTS_TIMEOUT_MS, cancel);
	uint64_t one;

	while (read(slots->fd, &one, sizeof(one)) != sizeof(one)) { /* others may be faster */
		assert(errno == EAGAIN || errno == EINTR);
		if (!wait_fd(slots->fd, POLLIN, wait, err))
			return err_wrap(err, "waiting for other accounts");
	}
	return true;
}

void slots_give(const struct slots *slots)
{
	static const uint64_t one = 1;
	ssize_t written;

	written = write(slots->fd, &one, sizeof(one));
	assert(written == sizeof(one));
}
