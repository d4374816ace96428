/*
 * Feeds the same bytes in pieces: whole, cut in two at every place, and byte by byte. The output
 * has to be the same each time.
 */
#ifndef MAILSTOW_TESTS_SUPPORT_IMAP_PIECES_H
#define MAILSTOW_TESTS_SUPPORT_IMAP_PIECES_H

#include "base/buf.h"

/* Feeds data[0..cut) and data[cut..len), or single bytes with cut == SIZE_MAX, and writes the
 * output as text. */
typedef void feed_pieces(const char *data, size_t len, size_t cut, struct buf *out);

/* Feeds in every way; fails the promise if an output is not `wanted` (NULL: that of the whole). */
void check_pieces(feed_pieces *feed, const char *data, size_t len, const char *wanted);

/* The length of the piece that begins at `at`. */
size_t piece_len(size_t at, size_t len, size_t cut);

#endif
