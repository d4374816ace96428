#include "support/check.h"

#include <ftw.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { TEMP_DIR_MAX = 256, WALK_FDS = 16, REMARK_MAX = 200 };

static jmp_buf after_promise;
static char temp_dir[TEMP_DIR_MAX];
static char remark[REMARK_MAX];

void check_fail(const char *file, int line, const char *format, ...)
{
	va_list args;

	(void)fprintf(stdout, "# %s:%d: ", file, line);
	va_start(args, format);
	(void)vfprintf(stdout, format, args);
	va_end(args);
	(void)fputc('\n', stdout);
	longjmp(after_promise, 1);
}

void check_str(const char *file, int line, const char *what, const char *got, const char *wanted)
{
	if (!got || strcmp(got, wanted) != 0)
		check_fail(
			file, line, "%s is \"%s\", not \"%s\"", what, got ? got : "(null)", wanted);
}

long check_stride(long step)
{
	const char *wish = getenv("MAILSTOW_STRIDE");
	long factor = wish ? strtol(wish, NULL, 10) : 1;

	if (getenv("MAILSTOW_EVERY_BYTE"))
		return 1;
	return step * (factor > 0 ? factor : 1);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *walk)
{
	(void)st;
	(void)type;
	(void)walk;
	return remove(path);
}

const char *check_temp_dir(void)
{
	const char *base = getenv("TMPDIR");

	if (temp_dir[0])
		return temp_dir;
	(void)snprintf(temp_dir, sizeof(temp_dir), "%s/mailstow-test-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(temp_dir)) {
		perror(temp_dir);
		exit(99);
	}
	return temp_dir;
}

static _Noreturn void run_child(void (*run)(void *context), void *context, bool quiet)
{
	bool failed;

	if (quiet && (!freopen("/dev/null", "w", stdout) || !freopen("/dev/null", "w", stderr)))
		_exit(1);
	failed = setjmp(after_promise) != 0;
	if (!failed)
		run(context);
	(void)fflush(stdout);
	_exit(failed ? 1 : 0);
}

bool check_apart(void (*run)(void *context), void *context, bool quiet)
{
	int status;
	pid_t pid;

	(void)fflush(stdout);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0)
		run_child(run, context, quiet);
	CHECK(waitpid(pid, &status, 0) == pid);
	if (WIFSIGNALED(status) && !quiet)
		(void)printf("# ended by signal %d\n", WTERMSIG(status));
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

void check_remark(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	(void)vsnprintf(remark, sizeof(remark), format, args);
	va_end(args);
}

static bool run_one(const struct promise *promise, size_t number)
{
	bool failed;

	remark[0] = '\0';
	failed = setjmp(after_promise) != 0;

	if (!failed)
		promise->run();
	(void)printf("%sok %zu - %s%s%s\n", failed ? "not " : "", number, promise->name,
		remark[0] ? ": " : "", remark);
	(void)fflush(stdout);
	return !failed;
}

int check_main(int argc, char **argv, const struct promise *promises, size_t count)
{
	size_t number = 0, failed = 0;

	for (size_t i = 0; i < count; i++) {
		if (argc > 1 && !strstr(promises[i].name, argv[1]))
			continue;
		if (!run_one(&promises[i], ++number))
			failed++;
	}
	(void)printf("1..%zu\n", number);
	if (number == 0) {
		(void)printf("# no promise matches\n");
		return 1;
	}
	if (temp_dir[0] && failed == 0)
		(void)nftw(temp_dir, remove_one, WALK_FDS, FTW_DEPTH | FTW_PHYS);
	return failed ? 1 : 0;
}
