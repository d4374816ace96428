/*
 * A layer that logs all traffic to a file, one line for each protocol line, with time and
 * direction, escaped (str_printable), with long lines and literals shortened:
 *
 *	2026-11-20T10:00:00.123Z C: a1 LOGIN <secret> <secret>
 *	2026-11-20T10:00:00.145Z S: a1 OK Logged in
 *	2026-11-20T10:00:00.145Z S: <12345 bytes>
 *
 * It never shows secrets: the caller brackets them with wirelog_secret(true) and (false), and no
 * byte written in between is logged. Nothing searches text for secrets.
 *
 * After a line that ends in {N}, {N+} or {N-}, in either direction, N bytes are an IMAP literal
 * (RFC 9051 section 4.3): counted, not shown. After free text that ends the same way the log leaves
 * out N bytes too many; nothing but the log depends on it.
 */
#ifndef MAILSTOW_NET_WIRELOG_H
#define MAILSTOW_NET_WIRELOG_H

#include <stdio.h>

#include "net/stream.h"

enum { WIRELOG_LINE_MAX = 1000 }; /* bytes shown of a line */

/* The caller owns file, which must outlive the stream; each line is flushed. Takes lower. */
struct stream *wirelog_wrap(struct stream *lower, FILE *file);

/* Hides what is written from now on. Does nothing if top is not a wire log. */
void wirelog_secret(struct stream *top, bool hide);

/*
 * Counts the next len bytes read as a literal, in case the log did not see its announcement. Does
 * nothing if top is not a wire log.
 */
void wirelog_skip_read(struct stream *top, uint64_t len);

#endif
