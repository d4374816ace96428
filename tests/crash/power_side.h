/*
 * The power is cut while what stands beside archives is written, the journal of a restore and the
 * state file: work for the table of crash_power.c, see support/crash/power.h.
 */
#ifndef MAILSTOW_TESTS_CRASH_POWER_SIDE_H
#define MAILSTOW_TESTS_CRASH_POWER_SIDE_H

#include <stdbool.h>

#include "base/err.h"

/* As a restore does it: what was written down as pending, durably, is sent, and known for ever. */
bool power_journal(const char *place, struct err *err);
char *power_tell_journal(const char *place);
/* A damaged one with an undamaged -wal: it is started over, and nothing of it returns. */
void power_prepare_damaged(const char *place);
void power_check_journal(const char *place);

/* Nothing in it is promised to stay, but each transaction is there wholly or not at all. */
bool power_state(const char *place, struct err *err);
char *power_tell_state(const char *place);
void power_check_state(const char *place);

#endif
