/*
 * Power cuts while the state file is written: work for the table of crash_power.c, see
 * support/crash/power.h.
 */
#ifndef MAILSTOW_TESTS_CRASH_POWER_STATE_H
#define MAILSTOW_TESTS_CRASH_POWER_STATE_H

#include <stdbool.h>

#include "base/err.h"

/* No change need survive, but each transaction is present in full or not at all. */
bool power_state(const char *place, struct err *err);
char *power_tell_state(const char *place);
void power_check_state(const char *place);

#endif
