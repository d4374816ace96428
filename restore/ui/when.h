/*
 * ACCOUNT@WHEN and dates on the command line. Pure but for the local time zone ($TZ).
 *
 * WHEN: "latest", a snapshot number, a date (the end of that local day), or a time
 * YYYY-MM-DDTHH:MM[:SS[.fraction]] with "Z", an offset (+01:00, +0100) or in local time.
 */
#ifndef MAILSTOW_RESTORE_UI_WHEN_H
#define MAILSTOW_RESTORE_UI_WHEN_H

#include <stdbool.h>

#include "archive/archive.h"

bool when_parse(const char *text, struct archive_when *ret_when);

/*
 * Splits at the last '@' when what follows it is a WHEN; else all of text is the name and WHEN is
 * latest. The caller frees *ret_name. Returns whether WHEN was given.
 */
bool when_split(const char *text, char **ret_name, struct archive_when *ret_when);

/* A date (the beginning of that local day) or a time: for --since and --before. */
bool when_parse_date(const char *text, int64_t *ret_unix_ms);

/* "2026-11-20 10:00" in local time, with_seconds rounded up to ":01" so that no part of a second
 * is lost: @WHEN of what is shown finds it. */
enum { WHEN_TEXT_MAX = 40 };
void when_format(int64_t unix_ms, bool with_seconds, char out[WHEN_TEXT_MAX]);

#endif
