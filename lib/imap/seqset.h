/* Sequence sets and UID sets on the wire (RFC 9051 "sequence-set", without "*" when sent). */
#ifndef MAILSTOW_IMAP_SEQSET_H
#define MAILSTOW_IMAP_SEQSET_H

#include "base/buf.h"
#include "base/err.h"
#include "base/rangeset.h"

/* Ranges in any order; they may overlap. */
struct range_list {
	struct range *items;
	size_t count;
	size_t cap;
};

void range_list_free(struct range_list *list); /* also for CLEANUP() */

/* Adds first..last, and joins it to the previous range where it continues that one. first > last is
 * a bug. False: over IMAP_RANGES_MAX ranges. */
bool range_list_add(struct range_list *list, uint32_t first, uint32_t last);

/*
 * Parses strictly: "1:5,7" in any order, also "5:1". ERR_PROTOCOL: empty, 0, '*', trailing comma,
 * over 2^32-1, over IMAP_RANGES_MAX ranges. ret_set must be empty.
 */
bool seqset_parse(const char *text, size_t len, struct rangeset *ret_set, struct err *err);

/* The same, appended to list. After an error some of it may have been added. */
bool seqset_collect(const char *text, size_t len, struct range_list *list, struct err *err);

/* Makes a set of ranges in any order, in n log n. Sorts items in place. ret_set must be empty. */
void seqset_from_ranges(struct range *items, size_t count, struct rangeset *ret_set);

/* Appends the set to out. False: out is full, and may hold a part of it. */
bool seqset_format(const struct rangeset *set, struct buf *out);

#endif
