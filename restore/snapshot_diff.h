/*
 * What lies between two states of an archive: pure. A message that went from one place and came to
 * another, of the same bytes, has moved; each going and coming counts once.
 */
#ifndef MAILSTOW_RESTORE_SNAPSHOT_DIFF_H
#define MAILSTOW_RESTORE_SNAPSHOT_DIFF_H

#include <stddef.h>
#include <stdint.h>

struct place_of_mail {
	char *folder;
	uint32_t uidvalidity, uid;
	int64_t message; /* bytes: the same number, the same bytes */
	char *flags;
};

struct mail_state {
	struct place_of_mail *items; /* in the order they are listed */
	size_t count, cap;
};
void mail_state_add(struct mail_state *state, const char *folder, uint32_t uidvalidity,
	uint32_t uid, int64_t message, const char *flags);
void mail_state_free(struct mail_state *state); /* also for CLEANUP() */

enum change { CHANGE_NONE, CHANGE_ADDED, CHANGE_REMOVED, CHANGE_FLAGS, CHANGE_MOVED };
const char *change_name(enum change change);

struct snapshot_difference {
	enum change *before; /* for each of the older state: NONE, REMOVED; MOVED stands below */
	enum change *after;  /* for each of the newer: NONE, ADDED, FLAGS, MOVED */
	size_t *from;        /* of what moved: where in the older state it was */
};
void difference_find(const struct mail_state *before, const struct mail_state *after,
	struct snapshot_difference *ret_difference);
void difference_free(struct snapshot_difference *difference); /* also for CLEANUP() */

#endif
