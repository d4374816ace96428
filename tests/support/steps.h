/*
 * Counts the work of a parser, so that a test can tell linear from quadratic work without a clock.
 * The code under test is compiled with -fsanitize-coverage=trace-pc, which calls a counter in each
 * basic block; tests/meson.build has ld wrap the C library's memory functions, whose bytes count
 * too. The same input gives the same count on every run and on every machine.
 */
#ifndef MAILSTOW_TESTS_SUPPORT_STEPS_H
#define MAILSTOW_TESTS_SUPPORT_STEPS_H

#include <stdint.h>

/* Twice the input may take this many times the steps. Quadratic work takes four times. */
#define STEPS_GROWTH_MAX 2.2

/* Since the program started. Only for programs with one thread. */
uint64_t steps_count(void);

#endif
