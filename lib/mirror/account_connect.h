/* Connects and logs in to the server of a configured account. */
#ifndef MAILSTOW_MIRROR_ACCOUNT_CONNECT_H
#define MAILSTOW_MIRROR_ACCOUNT_CONNECT_H

#include <stdio.h>

#include "config/config.h"
#include "imap/session.h"

/* ERR_CONFIG: the account lacks a setting that login needs; else as config_secret_read() and
 * imap_connect(). The password is fetched just before login and wiped right after. wire_log and
 * cancel may be NULL. */
bool mirror_connect(const struct config_account *account, FILE *wire_log,
	const struct cancel *cancel, struct imap **ret_imap, struct err *err);

#endif
