/* Sequence sets and UID sets on the wire (RFC 9051 "sequence-set", without "*" when sent). */
#ifndef MAILSTOW_IMAP_SEQSET_H
#define MAILSTOW_IMAP_SEQSET_H

#include "base/buf.h"
#include "base/err.h"
#include "base/rangeset.h"

/* Ranges as they come, in any order and over each other. */
struct range_list {
	struct range *items;
	size_t count;
	size_t cap;
};

void range_list_free(struct range_list *list); /* also for CLEANUP() */

/* Add first..last, joined to the range before it where it continues that. first > last is a bug.
 * False: over IMAP_RANGES_MAX ranges. */
bool range_list_add(struct range_list *list, uint32_t first, uint32_t last);

/*
 * Strict: "1:5,7", any order, ranges either way round. Empty, 0, '*', trailing comma, over 2^32-1
 * or over IMAP_RANGES_MAX ranges: ERR_PROTOCOL. ret_set must be empty.
 */
bool seqset_parse(const char *text, size_t len, struct rangeset *ret_set, struct err *err);

/* The same, added to what list holds. On an error some of it may have been added. */
bool seqset_collect(const char *text, size_t len, struct range_list *list, struct err *err);

/* A set of ranges in any order, in n log n; items is sorted in place. ret_set must be empty. */
void seqset_from_ranges(struct range *items, size_t count, struct rangeset *ret_set);

/* Append the set to out. False: out is full (part of it may be there). */
bool seqset_format(const struct rangeset *set, struct buf *out);

#endif
