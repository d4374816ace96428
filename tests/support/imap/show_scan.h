/* Tokens as text, for tests and fuzz targets: "<*> <OK> [ <ALERT> ] 'text' $". */
#ifndef MAILSTOW_TESTS_SUPPORT_IMAP_SHOW_SCAN_H
#define MAILSTOW_TESTS_SUPPORT_IMAP_SHOW_SCAN_H

#include "support/imap/pieces.h"

/*
 * Atoms <a>, strings "s", literals {n:bytes}, texts 't', the end of a response $, and !error if the
 * scanner fails. Expects text where the parser does: after OK, NO, BAD, BYE or PREAUTH and after
 * '+'. A tagged line with another second word is raw.
 */
void show_scan(const char *data, size_t len, size_t cut, struct buf *out);

#endif
