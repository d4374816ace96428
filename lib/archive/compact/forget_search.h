/* Finding every trace of selected messages (internal to forget). */
#ifndef MAILSTOW_ARCHIVE_COMPACT_FORGET_SEARCH_H
#define MAILSTOW_ARCHIVE_COMPACT_FORGET_SEARCH_H

#include "archive/write/packer.h"

/* Digests of messages and leaves, and the volumes with traces of them. */
struct forget_search {
	uint8_t (*digests)[SHA256_BYTES];
	size_t count, cap;
	int64_t *volumes; /* sequences, ascending once it has run */
	size_t volumes_count, volumes_cap;

	int64_t *messages; /* ids that messages with these digests have or had */
	size_t messages_count, messages_cap;
	size_t sorted_count; /* how many of messages are sorted, from the first on */
};

void forget_search_add(struct forget_search *search, const uint8_t digest[SHA256_BYTES]);
void forget_search_add_message(struct forget_search *search, int64_t id);
/* A volume that is known to have a trace. */
void forget_search_add_volume(struct forget_search *search, int64_t sequence);
void forget_search_free(struct forget_search *search); /* also for CLEANUP() */

/*
 * Searches the journal and the checkpoints of every volume in the catalogue. A sealed volume
 * without a journal does not name its content: it is found if it holds bytes unknown to the
 * catalogue, because they may belong to a message that was pruned and fetched again.
 */
bool forget_search_run(
	struct forget_search *search, struct packer *packer, struct zstd *zstd, struct err *err);

#endif
