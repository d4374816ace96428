/*
 * The power is cut while an archive is given keys, or another master key: work for the table of
 * crash_power.c, see support/crash/power.h.
 */
#ifndef MAILSTOW_TESTS_CRASH_POWER_KEYS_H
#define MAILSTOW_TESTS_CRASH_POWER_KEYS_H

#include <stdbool.h>

#include "base/err.h"

/* A second key, and no second key. */
bool power_key_add(const char *place, struct err *err);
bool power_key_remove(const char *place, struct err *err);
char *power_tell_keys(const char *place);

/* A master key where there was none, and another one. */
bool power_encrypt(const char *place, struct err *err);
bool power_rotate(const char *place, struct err *err);
char *power_tell_rekey(const char *place);
void power_check_rekey(const char *place);

#endif
