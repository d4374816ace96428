/*
 * A mailbox on a model server, mirrored into an archive and restored to a second account, for
 * rings that kill a process or cut a connection at every point and check that nothing was lost. A
 * failure ends the promise (CHECK).
 */
#ifndef MAILSTOW_TESTS_SUPPORT_CRASH_RING_H
#define MAILSTOW_TESTS_SUPPORT_CRASH_RING_H

#include "base/err.h"
#include "base/str.h"
#include "config/config.h"
#include "support/model/model_server.h"

struct ring {
	struct model *model; /* "alice" may never be changed by us */
	uint16_t port;       /* 0: connect over socket pairs; else the port the model listens on */
	char *place;         /* holds all files */
	char *archive, *state_dir, *journal;
	char *target; /* the account restored to */
	unsigned targets;
	uint32_t window_messages; /* window of a pass; small, so that a small folder has several */
	struct config_account account;
	void (*folder_done)(struct ring *ring); /* after each folder of a pass; may be NULL */
};

/* A ring that knows only paths, to mirror and restore over `port` in a process without the server.
 */
void ring_join(struct ring *ring, const char *place, const char *target, uint16_t port);
void ring_part(struct ring *ring);

/* Create `letters` messages in some folders of alice; nothing is mirrored yet. Files are below
 * place. */
struct ring *ring_new(const struct model_profile *profile, unsigned letters, const char *name);
/* Only an empty INBOX, the one folder that every personal namespace has. */
struct ring *ring_new_empty(const struct model_profile *profile, const char *name);
void ring_freep(struct ring **ring);

/* New mail, flags, gone mail, a folder recreated, one gone, one new, a subscription. */
void ring_change(struct ring *ring);

/* Two folders swap their names, after one of them was below another that got a new name; a new
 * empty one has the old name. No message is new. */
void ring_rename(struct ring *ring);
/* Bodies sent so far. */
unsigned ring_bodies(const struct ring *ring);

/* How many messages the ledger lists. */
uint64_t ring_skipped(const struct ring *ring);

/* No body that is archived was sent twice. */
void ring_check_fetched_once(struct ring *ring, const char *words);

/* One pass over a connection of its own. ret_generation may be NULL. */
bool ring_mirror(struct ring *ring, int64_t *ret_generation, struct err *err);

/* Reads every message of a generation and describes it in sorted lines; the caller frees. */
char *ring_archive_text(struct ring *ring, int64_t generation);
int64_t ring_newest(struct ring *ring);

/* The archive's newest snapshot is complete and equals alice's account as it is now. */
void ring_check_mirrored(struct ring *ring);

/*
 * After a crash and before the next run: the archive opens and holds only messages that alice has,
 * byte for byte. whole: it holds all of them, since the pass was acknowledged.
 */
void ring_check_sound(struct ring *ring, bool whole);

/* Restore the newest snapshot to the target. False: err says why. The promise ends unless the
 * result is exact. */
bool ring_restore(struct ring *ring, struct err *err);

/* Replace the target by an empty account. */
void ring_new_target(struct ring *ring);

/* The target has alice's messages, each once; a restore that lost its journal adds nothing. */
void ring_check_restored(struct ring *ring);

/* Put back archive, state and journal as ring_keep() saved them. */
void ring_keep(struct ring *ring);
void ring_put_back(struct ring *ring);
/* Remove archive, state and journal. */
void ring_forget(struct ring *ring);
#endif
