/* Tokens as text, for tests and fuzz targets: "<*> <OK> [ <ALERT> ] 'text' $". */
#ifndef MAILSTOW_TESTS_SUPPORT_IMAP_SHOW_SCAN_H
#define MAILSTOW_TESTS_SUPPORT_IMAP_SHOW_SCAN_H

#include "support/imap/pieces.h"

/*
 * Atoms <a>, strings "s", literals {n:bytes}, texts 't', the end of a response $, and !what when
 * the scanner fails. Text is expected where a parser would expect it: after the word OK, NO, BAD,
 * BYE or PREAUTH and after '+'; what has another second word than that after a tag is raw.
 */
void show_scan(const char *data, size_t len, size_t cut, struct buf *out);

#endif
