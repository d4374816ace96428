/* Targets that feed bytes in pieces: whatever the bytes, every way of cutting them gives the same.
 */
#ifndef MAILSTOW_TESTS_FUZZ_FUZZ_PIECES_H
#define MAILSTOW_TESTS_FUZZ_FUZZ_PIECES_H

#include "support/imap/pieces.h"

/* Feeds whole, byte by byte, and cut once at a place that follows from the bytes; aborts where what
 * came out differs. */
void fuzz_pieces(feed_pieces *feed, const uint8_t *data, size_t len);

#endif
