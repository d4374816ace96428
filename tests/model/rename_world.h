/* Folders of a ring that are renamed on the server, and what the archive makes of them. */
#ifndef MAILSTOW_TESTS_MODEL_RENAME_WORLD_H
#define MAILSTOW_TESTS_MODEL_RENAME_WORLD_H

#include "base/buf.h"
#include "support/crash/ring.h"

enum { FOLDERS_MAX = 64 };

struct rename_place {
	int64_t id;
	char *name; /* on the wire */
};

struct rename_state {
	struct ring *ring;
	struct rename_place folders[FOLDERS_MAX];
	size_t count;
	struct buf text;
};

void rename_state_free(struct rename_state *state); /* also for CLEANUP() */
const char *rename_name_of(const struct rename_state *state, int64_t id);
int64_t rename_id_of(const struct rename_state *state, const char *name); /* 0: none */

/* Run a pass; afterwards the archive equals the server. The caller frees ret_state. */
void rename_mirror(struct ring *ring, const char *words, struct rename_state *ret_state);

/* Another pass writes nothing, and the volumes rebuild the same catalogue. */
void rename_check_archive(struct ring *ring);

void rename_folder(struct ring *ring, const char *from, const char *to);
void rename_swap(struct ring *ring, const char *a, const char *b);

/* The profile with harmless quirks, but without wrong sizes. */
struct model_profile rename_odd_profile(void);

#endif
