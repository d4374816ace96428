/* A logged-in session for a configured account: its settings, its secret, lib/imap. */
#ifndef MAILSTOW_MIRROR_ACCOUNT_CONNECT_H
#define MAILSTOW_MIRROR_ACCOUNT_CONNECT_H

#include <stdio.h>

#include "config/config.h"
#include "imap/session.h"

/* ERR_CONFIG when the account lacks what a login needs; else as imap_connect(). The password is
 * read just before and wiped right after. wire_log and cancel may be NULL. */
bool mirror_connect(const struct config_account *account, FILE *wire_log,
	const struct cancel *cancel, struct imap **ret_imap, struct err *err);

#endif
