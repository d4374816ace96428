/* Many accounts at once: a template, and files with one account a line. */
#ifndef MAILSTOW_CONFIG_LOAD_ACCOUNT_LIST_H
#define MAILSTOW_CONFIG_LOAD_ACCOUNT_LIST_H

#include "config/load/load.h"

/* Checks [template NAME] by an example address. A template with problems is marked as ignored, so
 * that they are not reported once more for each account. */
void load_template(struct config_load *load, struct section *section, const char *name);

/* Loads [accounts-from NAME]: an account for each line of its file, with the keys of
 * [template NAME]. */
void load_account_list(struct config_load *load, const struct section *section, const char *name);

#endif
