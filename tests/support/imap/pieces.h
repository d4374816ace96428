/*
 * The same bytes fed in pieces: whole, cut in two at every place, and byte by byte. What comes out
 * has to be the same each time.
 */
#ifndef MAILSTOW_TESTS_SUPPORT_IMAP_PIECES_H
#define MAILSTOW_TESTS_SUPPORT_IMAP_PIECES_H

#include "base/buf.h"

/* Feed data[0..cut) and data[cut..len), or single bytes with cut == SIZE_MAX, and write what came
 * out as text. */
typedef void feed_pieces(const char *data, size_t len, size_t cut, struct buf *out);

/* Feeds in every way; ends the promise when `wanted` (NULL: whatever the whole gives) is not what
 * came out. */
void check_pieces(feed_pieces *feed, const char *data, size_t len, const char *wanted);

/* The length of the piece that begins at `at`. */
size_t piece_len(size_t at, size_t len, size_t cut);

#endif
