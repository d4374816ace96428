/*
 * Power cuts while a restore writes its journal: work for the table of tests/crash/crash_power.c,
 * see support/crash/power.h.
 */
#ifndef MAILSTOW_TESTS_SUPPORT_RESTORE_POWER_JOURNAL_H
#define MAILSTOW_TESTS_SUPPORT_RESTORE_POWER_JOURNAL_H

#include <stdbool.h>

#include "base/err.h"

/* What a restore does: record messages as pending, durably, then send them and record that. */
bool power_journal(const char *place, struct err *err);
char *power_tell_journal(const char *place);
/* A damaged journal with an undamaged WAL: it is started over, and nothing of it returns. */
void power_prepare_damaged(const char *place);
void power_check_journal(const char *place);

#endif
