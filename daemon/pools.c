#include "daemon/pools.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

bool pool_init(struct pool *pool, unsigned slots, struct err *err)
{
	pool->fd = eventfd(slots, EFD_SEMAPHORE | EFD_CLOEXEC | EFD_NONBLOCK);
	if (pool->fd < 0)
		return err_errno(err, ERR_LOCAL, errno, "eventfd");
	return true;
}

void pool_close(struct pool *pool)
{
	closep(&pool->fd);
}

bool pool_take(const struct pool *pool, const struct cancel *cancel, struct err *err)
{
	struct wait wait = wait_for(POOL_TIMEOUT_MS, cancel);
	uint64_t one;

	while (read(pool->fd, &one, sizeof(one)) !=
		sizeof(one)) { /* another thread may take the slot first */
		assert(errno == EAGAIN || errno == EINTR);
		if (!wait_fd(pool->fd, POLLIN, wait, err))
			return err_wrap(err, "waiting for other accounts to finish comparing");
	}
	return true;
}

void pool_give(const struct pool *pool)
{
	static const uint64_t one = 1;
	ssize_t written;

	written = write(pool->fd, &one, sizeof(one));
	assert(written == sizeof(one));
}
