/* One account: derived values, combinations of keys that are not allowed, and the list of all. */
#ifndef MAILSTOW_CONFIG_LOAD_ACCOUNT_DRAFT_H
#define MAILSTOW_CONFIG_LOAD_ACCOUNT_DRAFT_H

#include "config/load/load.h"

#define ACCOUNT_NAME_ACCEPTED "1 to 64 of A-Z a-z 0-9 . _ + @ -, no leading dot"

/* Loads [account NAME]. */
void load_account(struct config_load *load, const struct section *section, const char *name);

/* Adds a problem for each pair of keys that exclude each other. account->host may be NULL. */
void account_check(struct config_load *load, const struct config_account *account,
	const struct origin *origin);

/*
 * Derives what is not set (host, user, port), checks the account, with its files when
 * load->check_files is set, and appends it to load->accounts. `keys` is the section its keys are
 * in. Takes what *account owns.
 */
void account_finish(struct config_load *load, struct config_account *account,
	const struct origin *origin, const struct section *keys);

/* Adds a problem for each account whose name an earlier one has. */
void load_find_repeated_accounts(struct config_load *load);

#endif
