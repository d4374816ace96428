/*
 * Power cuts while an archive is copied: work for the table of crash_power.c, see
 * support/crash/power.h.
 */
#ifndef MAILSTOW_TESTS_CRASH_POWER_COPIES_H
#define MAILSTOW_TESTS_CRASH_POWER_COPIES_H

#include <stdbool.h>

#include "base/err.h"

/* Create or update the copy. */
bool power_copy(const char *place, struct err *err);

/* The archive, which must not change, and the copy. */
char *power_tell_copy(const char *place);

/* Every state of a copy can also be adopted and written to. */
void power_check_copy(const char *place);

#endif
