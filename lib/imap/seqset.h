/* Sequence sets and UID sets on the wire (RFC 9051 "sequence-set", without "*" when sent). */
#ifndef MAILSTOW_IMAP_SEQSET_H
#define MAILSTOW_IMAP_SEQSET_H

#include "base/buf.h"
#include "base/err.h"
#include "base/rangeset.h"

/*
 * Strict: "1:5,7", any order, ranges either way round. Empty, 0, '*', trailing comma, over 2^32-1
 * or over IMAP_RANGES_MAX ranges: ERR_PROTOCOL. ret_set must be empty.
 */
bool seqset_parse(const char *text, size_t len, struct rangeset *ret_set, struct err *err);

/* The same from ranges in any order; items is sorted in place. ret_set must be empty. */
void seqset_from_ranges(struct range *items, size_t count, struct rangeset *ret_set);

/* Append the set to out. False: out is full. */
bool seqset_format(const struct rangeset *set, struct buf *out);

#endif
