/*
 * Power cuts while keys are added to an archive or its master key changes: work for the table of
 * crash_power.c, see support/crash/power.h.
 */
#ifndef MAILSTOW_TESTS_CRASH_POWER_KEYS_H
#define MAILSTOW_TESTS_CRASH_POWER_KEYS_H

#include <stdbool.h>

#include "base/err.h"

/* Add a second key and remove it. */
bool power_key_add(const char *place, struct err *err);
bool power_key_remove(const char *place, struct err *err);
char *power_tell_keys(const char *place);

/* Encrypt, and rotate the master key. */
bool power_encrypt(const char *place, struct err *err);
bool power_rotate(const char *place, struct err *err);
char *power_tell_rekey(const char *place);
void power_check_rekey(const char *place);

#endif
