/* Targets that feed bytes in pieces: every way of cutting them gives the same output. */
#ifndef MAILSTOW_TESTS_FUZZ_FUZZ_PIECES_H
#define MAILSTOW_TESTS_FUZZ_FUZZ_PIECES_H

#include "support/imap/pieces.h"

/* Feeds the bytes whole, one by one, and cut once at an offset derived from them. Aborts if the
 * outputs differ. */
void fuzz_pieces(feed_pieces *feed, const uint8_t *data, size_t len);

#endif
