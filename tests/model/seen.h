/*
 * What a client was told about one folder, by UID, for comparison with the model's snapshot.
 */
#ifndef MAILSTOW_TESTS_MODEL_SEEN_H
#define MAILSTOW_TESTS_MODEL_SEEN_H

#include "imap/session.h"
#include "support/model/model_server.h"

struct seen_message {
	uint32_t uid;
	uint64_t modseq;
	char *flags;
	char *date;
	bool has_body, nil_body;
	struct buf body;
	char *header; /* in the requested form; NULL: not told */
};

struct seen {
	struct seen_message *items; /* in the order they came */
	size_t count, cap;
	struct buf body;     /* of the reply under way */
	unsigned bodies_cut; /* begun and not ended */
	struct rangeset done, refused;
	char refusal[256];
};

void seen_init(struct seen *seen);
void seen_free(struct seen *seen); /* also for CLEANUP() */
struct imap_fetch_sink seen_sink(struct seen *seen);
struct seen_message *seen_message(const struct seen *seen, uint32_t uid); /* NULL: none */
/* Drop all but these. */
void seen_keep(struct seen *seen, const struct rangeset *uids);
void seen_uids(const struct seen *seen, struct rangeset *ret_uids);

/* The first difference in words, which the caller frees; NULL: none. */
char *seen_difference(const struct seen *seen, const struct model_folder *folder, bool bodies);

#endif
