/*
 * The smallest test harness: a table of named promises, run one after the other in one process.
 *
 *	static void empty_set_has_nothing(void) { ... CHECK(!rangeset_has(&set, 1)); }
 *
 *	int main(int argc, char **argv)
 *	{
 *		static const struct promise promises[] = {
 *			PROMISE(empty_set_has_nothing),
 *		};
 *		return check_main(argc, argv, promises, ARRAY_LEN(promises));
 *	}
 *
 * Prints one TAP line for each promise (meson reads them: protocol 'tap'). A CHECK that fails
 * prints file, line and expression, and ends that promise as failed; the next one still runs.
 * An argument runs only the promises whose name contains it.
 */
#ifndef MAILSTOW_TESTS_SUPPORT_CHECK_H
#define MAILSTOW_TESTS_SUPPORT_CHECK_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cleanup.h"

struct promise {
	const char *name;
	void (*run)(void);
};

#define PROMISE(function)                                                                          \
	{                                                                                          \
#function, function                                                                \
	}

int check_main(int argc, char **argv, const struct promise *promises, size_t count);

/* For rings with more places than tools/check can visit without --long. */
enum { CHECK_DAILY_STEP = 3 };

/*
 * A ring repeats one piece of work and stops it at another place each time: a write, a byte, an
 * event. Returns the distance between two places: `step` times MAILSTOW_STRIDE, or 1 with
 * MAILSTOW_EVERY_BYTE, which tools/check sets with --long. If kinds take turns from place to place,
 * their number and the distance must have no common factor, or some kinds are never tried.
 */
long check_stride(long step);

/* Ends the promise when the expression is false. Only from the thread that runs the promise. */
#define CHECK(expression)                                                                          \
	do {                                                                                       \
		if (!(expression))                                                                 \
			check_fail(__FILE__, __LINE__, "%s", #expression);                         \
	} while (0)

#define CHECK_INT(got, wanted)                                                                     \
	do {                                                                                       \
		long long got_ = (long long)(got), wanted_ = (long long)(wanted);                  \
		if (got_ != wanted_)                                                               \
			check_fail(                                                                \
				__FILE__, __LINE__, "%s is %lld, not %lld", #got, got_, wanted_);  \
	} while (0)

#define CHECK_STR(got, wanted) check_str(__FILE__, __LINE__, #got, (got), (wanted))

/* A call that takes a struct err * named `err`: shows its text when it fails. */
#define CHECK_OK(expression)                                                                       \
	do {                                                                                       \
		if (!(expression))                                                                 \
			check_fail(__FILE__, __LINE__, "%s: %s", #expression, err.text);           \
	} while (0)

/*
 * Run the function in a child process. False: a CHECK failed there, or the child died. quiet: its
 * output is discarded.
 */
bool check_apart(void (*run)(void *context), void *context, bool quiet);

/* Printed after the promise's name when it was kept. */
void check_remark(const char *format, ...) PRINTF_LIKE(1, 2);

_Noreturn void check_fail(const char *file, int line, const char *format, ...) PRINTF_LIKE(3, 4);
void check_str(const char *file, int line, const char *what, const char *got, const char *wanted);

/* A fresh folder below $TMPDIR or /tmp, removed when the process ends well. Do not free. */
const char *check_temp_dir(void);

#endif
