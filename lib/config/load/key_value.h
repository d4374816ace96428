/* From the text of a value to the member of a struct. */
#ifndef MAILSTOW_CONFIG_LOAD_KEY_VALUE_H
#define MAILSTOW_CONFIG_LOAD_KEY_VALUE_H

#include <stdbool.h>

#include "config/load/key_table.h"

/*
 * Sets the member of *target that key is for. False when the value is not accepted; the member is
 * then unchanged. Relative paths start at `folder` ("" for the current one).
 */
bool key_set(const struct config_key *key, void *target, const char *folder, const char *value);

#endif
