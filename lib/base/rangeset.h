/*
 * A set of 32-bit numbers as sorted, disjoint, non-adjacent ranges. Memory depends on the number of
 * ranges only: 1:4294967295 takes 8 bytes.
 */
#ifndef MAILSTOW_BASE_RANGESET_H
#define MAILSTOW_BASE_RANGESET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct range {
	uint32_t first;
	uint32_t last; /* >= first */
};

struct rangeset {
	struct range *items;
	size_t count;
	size_t cap;
};

void rangeset_free(struct rangeset *set); /* also for CLEANUP() */
void rangeset_clear(struct rangeset *set);

/* Adds first..last. Cheapest with ascending numbers. first > last is a bug. */
void rangeset_add(struct rangeset *set, uint32_t first, uint32_t last);
void rangeset_add_set(struct rangeset *set, const struct rangeset *other);

bool rangeset_has(const struct rangeset *set, uint32_t number);
uint64_t rangeset_size(const struct rangeset *set); /* how many numbers */
uint64_t rangeset_size_below(const struct rangeset *set, uint32_t number);
bool rangeset_equal(const struct rangeset *a, const struct rangeset *b);

/* ret_set becomes a without b, or the intersection. It must be empty and neither a nor b. */
void rangeset_subtract(
	const struct rangeset *a, const struct rangeset *b, struct rangeset *ret_set);
void rangeset_intersect(
	const struct rangeset *a, const struct rangeset *b, struct rangeset *ret_set);

/* Moves the lowest `count` numbers, or all if there are fewer, to ret_set, which must be empty. */
void rangeset_split(struct rangeset *set, uint64_t count, struct rangeset *ret_set);

#endif
