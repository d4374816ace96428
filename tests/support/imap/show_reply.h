/*
 * Replies as text, for tests and fuzz targets: one line for each, its kind first, then only what it
 * holds. Bodies stand before their FETCH as "body 3:abc;".
 */
#ifndef MAILSTOW_TESTS_SUPPORT_IMAP_SHOW_REPLY_H
#define MAILSTOW_TESTS_SUPPORT_IMAP_SHOW_REPLY_H

#include "support/imap/pieces.h"

/* A parser that fails ends the text with "!" and its words. */
void show_replies(const char *data, size_t len, size_t cut, struct buf *out);

/* The same without a body sink. */
void show_replies_without_sink(const char *data, size_t len, size_t cut, struct buf *out);

#endif
