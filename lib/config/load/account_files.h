/* The files an account names. */
#ifndef MAILSTOW_CONFIG_LOAD_ACCOUNT_FILES_H
#define MAILSTOW_CONFIG_LOAD_ACCOUNT_FILES_H

#include "config/load/load.h"

/* Adds a problem for each file that is missing or unreadable, or holds a secret and is accessible
 * to others. Reads metadata only. */
void account_check_files(struct config_load *load, const struct config_account *account,
	const struct origin *origin);

#endif
