/* ACCOUNT[@WHEN] on the command line. Pure but for the local time zone. */
#ifndef MAILSTOW_RESTORE_WHEN_H
#define MAILSTOW_RESTORE_WHEN_H

#include "archive/archive.h"

/*
 * Split: only what follows the last '@' and parses as WHEN is WHEN, so that addresses are accounts.
 * Without WHEN: latest, *ret_given false. The caller frees *ret_account.
 */
void when_split(
	const char *text, char **ret_account, struct archive_when *ret_when, bool *ret_given);

/*
 * "latest", a snapshot number, or a time: 2026-11-20 (the end of that local day), 2026-11-20T10:00,
 * 2026-11-20T10:00:30, each also with Z or +HH:MM; without zone local.
 */
bool when_parse(const char *text, struct archive_when *ret_when);

/* A date or time as above, as the instant it begins (for --since and --before). */
bool when_parse_date(const char *text, int64_t *ret_unix_s);

#endif
