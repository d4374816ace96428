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
 */
#ifndef MAILSTOW_NET_WIRELOG_H
#define MAILSTOW_NET_WIRELOG_H

#include <stdio.h>

#include "net/stream.h"

/* file is the caller's and outlives the stream. Takes lower. */
struct stream *wirelog_wrap(struct stream *lower, FILE *file);

/* Hide what is written from now on. Does nothing when the top of the stack is not a wire log. */
void wirelog_secret(struct stream *top, bool hide);

/*
 * The next `len` bytes read are a literal: count, do not show them. Does nothing when the top of
 * the stack is not a wire log.
 */
void wirelog_skip_read(struct stream *top, uint64_t len);

#endif
