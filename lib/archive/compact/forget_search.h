/* Where chosen messages have left anything (internal to forget). */
#ifndef MAILSTOW_ARCHIVE_COMPACT_FORGET_SEARCH_H
#define MAILSTOW_ARCHIVE_COMPACT_FORGET_SEARCH_H

#include "archive/write/packer.h"

/* Digests of messages and leaves, and the volumes that hold something of them. */
struct forget_search {
	uint8_t (*digests)[SHA256_BYTES];
	size_t count, cap;
	int64_t *volumes; /* sequences, ascending once it has run */
	size_t volumes_count, volumes_cap;

	int64_t *messages; /* ids the digests have, and had once */
	size_t messages_count, messages_cap;
	size_t sorted_count; /* of the messages, from the first on: in order */
};

void forget_search_add(struct forget_search *search, const uint8_t digest[SHA256_BYTES]);
void forget_search_add_message(struct forget_search *search, int64_t id);
/* One that is known to hold something. */
void forget_search_add_volume(struct forget_search *search, int64_t sequence);
void forget_search_free(struct forget_search *search); /* also for CLEANUP() */

/*
 * Looks through the journal and the checkpoints of every volume of the catalogue. A sealed one that
 * has none does not tell what lies in it: found, too, where there are bytes of which the catalogue
 * does not know either. They may be those of a message that was pruned, and came again.
 */
bool forget_search_run(
	struct forget_search *search, struct packer *packer, struct zstd *zstd, struct err *err);

#endif
