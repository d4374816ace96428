/* The keys of [account NAME] and [template NAME], and their defaults. */
#ifndef MAILSTOW_CONFIG_LOAD_ACCOUNT_KEYS_H
#define MAILSTOW_CONFIG_LOAD_ACCOUNT_KEYS_H

#include "config/account.h"
#include "config/load/key_table.h"

extern const struct key_table account_keys; /* of struct config_account */

void account_defaults(struct config_account *account);

#endif
