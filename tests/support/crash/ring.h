/*
 * A mailbox on a model server, mirrored into an archive and restored to a second account, for the
 * rings that kill a process or cut a connection at every point and look whether anything was lost.
 * A failure ends the promise (CHECK).
 */
#ifndef MAILSTOW_TESTS_SUPPORT_CRASH_RING_H
#define MAILSTOW_TESTS_SUPPORT_CRASH_RING_H

#include "base/err.h"
#include "base/str.h"
#include "config/config.h"
#include "support/model/model_server.h"

struct ring {
	struct model *model; /* "alice" may never be changed by us */
	uint16_t port;       /* 0: over socket pairs; else the model listens there */
	char *place;         /* holds all files */
	char *archive, *state_dir, *journal;
	char *target; /* the account restored to */
	unsigned targets;
	uint32_t window_messages; /* of a pass; few, so that a small folder has more than one */
	struct config_account account;
};

/* A ring of paths alone, to mirror and restore over `port` in a process without the server. */
void ring_join(struct ring *ring, const char *place, const char *target, uint16_t port);
void ring_part(struct ring *ring);

/* `letters` messages in some folders of alice; nothing mirrored yet. Files below place. */
struct ring *ring_new(const struct model_profile *profile, unsigned letters, const char *name);
/* INBOX alone, which is empty: nothing else stands in every personal namespace. */
struct ring *ring_new_empty(const struct model_profile *profile, const char *name);
void ring_freep(struct ring **ring);

/* New mail, flags, gone mail, a folder recreated, one gone, one new, a subscription. */
void ring_change(struct ring *ring);

/* Two folders swap their names, after one of them was below another that got a new name; a new
 * empty one has the old name. No message is new. */
void ring_rename(struct ring *ring);
/* Bodies sent until now. */
unsigned ring_bodies(const struct ring *ring);

/* How many messages the ledger tells of. */
uint64_t ring_skipped(const struct ring *ring);

/* No body of what is there was sent twice. */
void ring_check_fetched_once(struct ring *ring, const char *words);

/* One pass over a connection of its own. ret_generation may be NULL. */
bool ring_mirror(struct ring *ring, int64_t *ret_generation, struct err *err);

/* All of a generation of the archive as sorted lines, every message read; the caller frees. */
char *ring_archive_text(struct ring *ring, int64_t generation);
int64_t ring_newest(struct ring *ring);

/* The archive's newest state is complete, and alice's account as it is now. */
void ring_check_mirrored(struct ring *ring);

/*
 * After a crash, before the next run: it opens, and holds nothing alice has not, each byte for
 * byte. whole: all of it, as the pass was acknowledged.
 */
void ring_check_sound(struct ring *ring, bool whole);

/* From the archive's newest state to the target. False: err says why. Exact or the promise ends. */
bool ring_restore(struct ring *ring, struct err *err);

/* The target is an empty account from now on. */
void ring_new_target(struct ring *ring);

/* The target has what alice has, each once; a restore that forgot everything adds nothing. */
void ring_check_restored(struct ring *ring);

/* Archive, state and journal as they were kept by ring_keep(). */
void ring_keep(struct ring *ring);
void ring_put_back(struct ring *ring);
/* No archive, no state, no journal. */
void ring_forget(struct ring *ring);
#endif
