/*
 * The Date: header (RFC 5322 section 3.3, and the obsolete forms of 4.3 found in mail).
 */
#ifndef MAILSTOW_MIME_DATE_H
#define MAILSTOW_MIME_DATE_H

#include <stdbool.h>

#include "base/clock.h"

/* "Fri, 21 Nov 1997 09:55:06 -0600 (CST)". False: not a date. Pure, linear. */
bool mime_date_parse(const char *text, struct zoned_time *ret_time);

enum { MIME_DATE_TEXT_MAX = 64 };

/* The most common form: "Fri, 21 Nov 1997 09:55:06 -0600". A day below 10 is "02", or "2" with
 * short_day. */
void mime_date_format(struct zoned_time time, bool short_day, char out[MIME_DATE_TEXT_MAX]);

#endif
