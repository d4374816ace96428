/*
 * Parses @WHEN and dates of the command line. Pure except for the local time zone ($TZ).
 *
 * WHEN is "latest", a snapshot number, a date (the end of that local day), or a time
 * YYYY-MM-DDTHH:MM[:SS[.fraction]] with "Z", an offset (+01:00, +0100) or in local time.
 */
#ifndef MAILSTOW_RESTORE_UI_WHEN_H
#define MAILSTOW_RESTORE_UI_WHEN_H

#include <stdbool.h>

#include "archive/archive.h"

bool when_parse(const char *text, struct archive_when *ret_when);

/*
 * Splits at the last '@' if a WHEN follows it; otherwise all of text is the name and WHEN is
 * latest. Returns whether WHEN was given. The caller frees *ret_name.
 */
bool when_split(const char *text, char **ret_name, struct archive_when *ret_when);

/* For --since and --before: a date (the start of that local day) or a time. */
bool when_parse_date(const char *text, int64_t *ret_unix_ms);

/*
 * "2026-11-20 10:00" in local time. with_seconds rounds up to a full second, so that @WHEN with the
 * printed time chooses the snapshot it was printed for.
 */
enum { WHEN_TEXT_MAX = 40 };
void when_format(int64_t unix_ms, bool with_seconds, char out[WHEN_TEXT_MAX]);

#endif
