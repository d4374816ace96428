#include "support/crash/forker.h"

#include <assert.h>
#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/check.h"

static struct {
	size_t order_bytes;
	int orders, answers; /* to it, from it */
} forker;

static _Noreturn void fork_for_others(void (*obey)(const void *order), int orders, int answers)
{
	char order[FORKER_ORDER_BYTES_MAX];

	while (read(orders, order, forker.order_bytes) == (ssize_t)forker.order_bytes) {
		int status = -1;
		pid_t pid = fork();

		if (pid == 0) {
			obey(order);
			_exit(1);
		}
		if (pid < 0 || waitpid(pid, &status, 0) != pid ||
			write(answers, &status, sizeof(status)) != sizeof(status))
			_exit(1);
	}
	_exit(0);
}

bool forker_start(void (*obey)(const void *order), size_t order_bytes)
{
	int orders[2], answers[2];
	pid_t pid;

	assert(order_bytes <= FORKER_ORDER_BYTES_MAX);
	forker.order_bytes = order_bytes;
	if (pipe2(orders, O_CLOEXEC) < 0 || pipe2(answers, O_CLOEXEC) < 0)
		return false;
	pid = fork();
	if (pid < 0)
		return false;
	if (pid == 0) {
		(void)close(orders[1]);
		(void)close(answers[0]);
		fork_for_others(obey, orders[0], answers[1]);
	}
	(void)close(orders[0]);
	(void)close(answers[1]);
	forker.orders = orders[1];
	forker.answers = answers[0];
	return true;
}

int forker_order(const void *order)
{
	int status;

	CHECK_INT(write(forker.orders, order, forker.order_bytes), forker.order_bytes);
	CHECK_INT(read(forker.answers, &status, sizeof(status)), sizeof(status));
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}
