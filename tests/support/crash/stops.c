#include "support/crash/stops.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"
#include "support/archive/files.h"
#include "support/check.h"

enum { TIMES_MAX = 1000000 };

static bool ends_before(const struct stops *stops, const char *path, long n, enum crash_mode mode)
{
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		struct err err = ERR_INIT;

		crash_vfs_arm(n, mode);
		_exit(stops->run(path, &err) ? 0 : 1);
	}
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status));
	CHECK(WEXITSTATUS(status) == 0 || WEXITSTATUS(status) == CRASH_EXIT_CODE);
	return WEXITSTATUS(status) == 0;
}

void stops_end(const struct stops *stops, enum crash_mode mode, long step)
{
	CLEANUP(freep) char *before = stops->prepare();
	CLEANUP(freep) char *path = str_printf("%s/ring", check_temp_dir());
	bool ended = false;
	long stride = check_stride(CHECK_DAILY_STEP * step);
	long n = 1;

	for (; !ended && n < TIMES_MAX; n += stride) {
		files_copy(before, path);
		ended = ends_before(stops, path, n, mode);
		crash_vfs_arm(0, CRASH_OFF);
		stops->check(stops, path);
		files_remove(path);
	}
	(void)printf("# stopped at %ld changes\n", (n - 1) / stride);
	CHECK(ended);
}

void stops_fail(const struct stops *stops, enum crash_mode mode, long step)
{
	CLEANUP(freep) char *before = stops->prepare();
	CLEANUP(freep) char *path = str_printf("%s/ring", check_temp_dir());
	bool ended = false;
	long stride = check_stride(CHECK_DAILY_STEP * step);
	long n = 1;

	for (; !ended && n < TIMES_MAX; n += stride) {
		struct err err = ERR_INIT;

		files_copy(before, path);
		crash_vfs_arm(n, mode);
		(void)stops->run(path, &err);
		ended = crash_vfs_count() < n;
		crash_vfs_arm(0, CRASH_OFF);
		stops->check(stops, path);
		files_remove(path);
	}
	(void)printf("# failed at %ld changes\n", (n - 1) / stride);
	CHECK(ended);
}
