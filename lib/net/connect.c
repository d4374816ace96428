#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "net/resolve.h"
#include "net/tcp.h"

/* Parallel connection attempts (RFC 8305 section 5); the first to connect wins. */
struct race {
	struct address_list addresses;
	size_t next; /* index of the address to try next */
	size_t running;
	int fds[TCP_ADDRESSES_MAX]; /* by address; -1: not begun, failed or won */
	int epoll_fd;
	int failure; /* the most telling errno so far; 0: none */
};

static void race_end(struct race *race)
{
	for (size_t i = 0; i < TCP_ADDRESSES_MAX; i++)
		closep(&race->fds[i]);
	closep(&race->epoll_fd);
}

static void race_note(struct race *race, int errno_value)
{
	bool vague = errno_value == ENETUNREACH || errno_value == EHOSTUNREACH ||
		     errno_value == EADDRNOTAVAIL || errno_value == EAFNOSUPPORT;

	if (!race->failure || !vague)
		race->failure = errno_value;
}

/* Starts the next attempt, or notes why it failed at once. */
static void race_start_next(struct race *race)
{
	size_t i = race->next++;
	const struct address *address = &race->addresses.items[i];
	struct epoll_event event = {.events = EPOLLOUT, .data.u64 = i};
	CLEANUP(closep)
	int fd = socket(address->sockaddr.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0 ||
		(connect(fd, (const struct sockaddr *)&address->sockaddr, address->len) < 0 &&
			errno != EINPROGRESS) ||
		epoll_ctl(race->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
		race_note(race, errno);
		return;
	}
	race->fds[i] = fd;
	fd = -1;
	race->running++;
}

/* Handles attempts that succeeded or failed. Returns the winner or -1. */
static int race_collect(struct race *race)
{
	struct epoll_event events[TCP_ADDRESSES_MAX];
	int count = epoll_wait(race->epoll_fd, events, TCP_ADDRESSES_MAX, 0);

	for (int n = 0; n < count; n++) {
		int *fd = &race->fds[events[n].data.u64];
		int failure = 0;
		socklen_t len = sizeof(failure);

		race->running--;
		if (getsockopt(*fd, SOL_SOCKET, SO_ERROR, &failure, &len) < 0)
			failure = errno;
		if (!failure) {
			int winner = *fd;

			*fd = -1;
			return winner;
		}
		race_note(race, failure);
		closep(fd);
	}
	return -1;
}

static bool race_timed_out(int64_t began_ms, struct err *err)
{
	return err_set(err, ERR_RETRY, "timed out after %lld s",
		(long long)(clock_mono_ms() - began_ms + 500) / 1000);
}

static bool race_lost(const struct race *race, int64_t began_ms, struct err *err)
{
	switch (race->failure) {
	case ECONNREFUSED:
		return err_set(err, ERR_RETRY, "connection refused");
	case ETIMEDOUT:
		return race_timed_out(began_ms, err);
	case EHOSTUNREACH:
		return err_set(err, ERR_RETRY, "no route to host");
	case ENETUNREACH:
		return err_set(err, ERR_RETRY, "network unreachable");
	case EMFILE:
	case ENFILE:
	case ENOMEM:
	case ENOBUFS:
		return err_errno(err, ERR_LOCAL, race->failure, "socket");
	default:
		return err_errno(err, ERR_RETRY, race->failure, "connect");
	}
}

static bool race_run(struct race *race, struct wait wait, int *ret_fd, struct err *err)
{
	int64_t began_ms = clock_mono_ms();

	for (;;) {
		bool more = race->next < race->addresses.count;
		struct wait turn = {clock_mono_ms() + TCP_ATTEMPT_DELAY_MS, wait.cancel};
		struct err turn_err = ERR_INIT;

		if (race->running == 0 && !more)
			return race_lost(race, began_ms, err);
		if (race->running == 0) {
			race_start_next(race);
			continue;
		}
		if (!more || turn.deadline_ms > wait.deadline_ms)
			turn.deadline_ms = wait.deadline_ms;
		if (wait_fd(race->epoll_fd, POLLIN, turn, &turn_err)) {
			*ret_fd = race_collect(race);
			if (*ret_fd >= 0)
				return true;
		} else if (turn_err.kind != ERR_RETRY) {
			return err_set(err, turn_err.kind, "%s", turn_err.text);
		} else if (clock_mono_ms() >= wait.deadline_ms) {
			return race_timed_out(began_ms, err);
		}
		/* One failed, or TCP_ATTEMPT_DELAY_MS are over: the next one starts either way. */
		if (more)
			race_start_next(race);
	}
}

bool tcp_connect(const char *host, uint16_t port, struct wait wait, struct stream **ret_stream,
	struct err *err)
{
	CLEANUP(race_end) struct race race = {.epoll_fd = -1};
	int fd = -1;

	memset(race.fds, 0xff, sizeof(race.fds));
	if (wait.cancel && cancel_is(wait.cancel))
		return err_set(err, ERR_CANCELLED, "cancelled");
	if (!resolve(host, port, wait, &race.addresses, err))
		return false;
	race.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (race.epoll_fd < 0)
		return err_errno(err, ERR_LOCAL, errno, "epoll");
	if (!race_run(&race, wait, &fd, err))
		return err_wrap(err, "%s port %u", host, (unsigned)port);
	*ret_stream = tcp_wrap(fd);
	return true;
}
