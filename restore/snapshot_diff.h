/*
 * Compares two states of an archive. Pure. A message removed from one place and added in another
 * with the same bytes has moved; each removal and each addition takes part in one move at most.
 */
#ifndef MAILSTOW_RESTORE_SNAPSHOT_DIFF_H
#define MAILSTOW_RESTORE_SNAPSHOT_DIFF_H

#include <stddef.h>
#include <stdint.h>

struct mail_place {
	char *folder;
	uint32_t uidvalidity, uid;
	int64_t message; /* equal numbers mean equal bytes */
	char *flags;
};

struct mail_state {
	struct mail_place *items; /* in the order they were added */
	size_t count, cap;
};
void mail_state_add(struct mail_state *state, const char *folder, uint32_t uidvalidity,
	uint32_t uid, int64_t message, const char *flags);
void mail_state_free(struct mail_state *state); /* also for CLEANUP() */

enum change { CHANGE_NONE, CHANGE_ADDED, CHANGE_REMOVED, CHANGE_FLAGS, CHANGE_MOVED };
const char *change_name(enum change change);

struct snapshot_difference {
	enum change *before; /* for each place of the older state: NONE or REMOVED */
	enum change *after;  /* for each place of the newer state: NONE, ADDED, FLAGS or MOVED */
	size_t *from;        /* for each MOVED one: its index in the older state */
};
void snapshot_difference_find(const struct mail_state *before, const struct mail_state *after,
	struct snapshot_difference *ret_difference);
void snapshot_difference_free(struct snapshot_difference *difference); /* also for CLEANUP() */

#endif
