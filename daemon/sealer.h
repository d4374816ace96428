/*
 * A thread at idle priority that seals the archives of accounts that have been quiet for a while
 * (archive/seal.h), one at a time. Nothing waits for it, and it holds the writer lock only briefly.
 */
#ifndef MAILSTOW_DAEMON_SEALER_H
#define MAILSTOW_DAEMON_SEALER_H

#include "archive/archive.h"
#include "base/wait.h"
#include "config/config.h"

struct sealer;

/* For at most `count` accounts. cancel interrupts a seal. */
bool sealer_start(
	size_t count, const struct cancel *cancel, struct sealer **ret_sealer, struct err *err);

/* Waits for the thread to end. Set the cancel first, or it may finish a long seal. */
void sealer_stopp(struct sealer **sealer);

/* The account changed, or the daemon just started: its archive is sealed after its seal-after. The
 * keys outlive the sealer. */
void sealer_note(
	struct sealer *sealer, const struct config_account *account, struct archive_keys *keys);

#endif
