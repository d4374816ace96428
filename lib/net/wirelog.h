/*
 * A layer that writes what passes to a file, one line for each protocol line, escaped
 * (str_printable), long lines and literals shortened, with time and direction:
 *
 *	2026-11-20T10:00:00.123Z C: a1 LOGIN <secret> <secret>
 *	2026-11-20T10:00:00.145Z S: a1 OK Logged in
 *	2026-11-20T10:00:00.145Z S: <12345 bytes>
 *
 * It cannot show secrets: the caller brackets what must not be seen with wirelog_secret(true) and
 * (false), and between the two not one byte written is logged. No search for secrets in text.
 *
 * What follows a line that ends in {N}, {N+} or {N-} is an IMAP literal (RFC 9051 section 4.3) of N
 * bytes, either way: counted, not shown. A line of free text that ends so makes the log leave out N
 * bytes too much; nothing but the log depends on it.
 */
#ifndef MAILSTOW_NET_WIRELOG_H
#define MAILSTOW_NET_WIRELOG_H

#include <stdio.h>

#include "net/stream.h"

enum { WIRELOG_LINE_MAX = 1000 }; /* bytes of a line that are shown */

/* file is the caller's and outlives the stream; each line is flushed. Takes lower. */
struct stream *wirelog_wrap(struct stream *lower, FILE *file);

/* Hide what is written from now on. Does nothing when the top of the stack is not a wire log. */
void wirelog_secret(struct stream *top, bool hide);

/*
 * The next len bytes read are a literal, in case the log did not see that: count, do not show them.
 * Does nothing when the top of the stack is not a wire log.
 */
void wirelog_skip_read(struct stream *top, uint64_t len);

#endif
