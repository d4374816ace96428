/*
 * The sealer: a thread at idle priority that seals the archives of accounts that have been quiet
 * for a while (archive/seal.h), one at a time. Nobody waits for it, and it holds a lock only for a
 * moment.
 */
#ifndef MAILSTOW_DAEMON_SEALER_H
#define MAILSTOW_DAEMON_SEALER_H

#include "base/wait.h"
#include "config/config.h"

struct sealer;

/* For `count` accounts at most. cancel ends what is under way. */
bool sealer_start(
	size_t count, const struct cancel *cancel, struct sealer **ret_sealer, struct err *err);
void sealer_stopp(struct sealer **sealer); /* after the cancel, else it goes on for long */

/* The account has changed, or was looked at first: it is sealed when that is its seal-after ago. */
void sealer_note(struct sealer *sealer, const struct config_account *account);

#endif
