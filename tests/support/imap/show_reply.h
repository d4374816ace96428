/*
 * Replies as text, for tests and fuzz targets: one line each, its kind first, then what it holds.
 * Bodies precede their FETCH as "body 3:abc;".
 */
#ifndef MAILSTOW_TESTS_SUPPORT_IMAP_SHOW_REPLY_H
#define MAILSTOW_TESTS_SUPPORT_IMAP_SHOW_REPLY_H

#include "support/imap/pieces.h"

/* If the parser fails, the text ends with "!" and the error. */
void show_replies(const char *data, size_t len, size_t cut, struct buf *out);

/* The same without a body sink. */
void show_replies_without_sink(const char *data, size_t len, size_t cut, struct buf *out);

#endif
