/*
 * Preloaded into a program: it wakes from an hour's sleep when the file $SLEPT names is there, that
 * is, CLOCK_BOOTTIME is then an hour ahead.
 */
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { SLEPT_S = 3600 };

int clock_gettime(clockid_t id, struct timespec *now)
{
	const char *file = getenv("SLEPT");
	long failed = syscall(SYS_clock_gettime, id, now);

	if (!failed && id == CLOCK_BOOTTIME && file && access(file, F_OK) == 0)
		now->tv_sec += SLEPT_S;
	return (int)failed;
}
