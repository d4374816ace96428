/*
 * The messages of an account that could not be fetched, in memory for one pass and in the state
 * file for the next: too large as configured (not asked for again until the limit allows it), or
 * refused by the server (asked for again later and later). An entry goes when its message was
 * fetched or is no more.
 */
#ifndef MAILSTOW_MIRROR_LEDGER_H
#define MAILSTOW_MIRROR_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rangeset.h"
#include "config/config.h"
#include "state/state.h"

struct ledger_entry {
	char *folder; /* path */
	uint32_t uidvalidity, uid;
	uint64_t size;
	int attempts;
	int64_t next_try_ms; /* wall time; INT64_MAX: too large; 0: suspected */
	char *reason;
	bool settled; /* no longer an entry */
	bool left;    /* its folder has another name now */
	bool moved;   /* this is that name; as a doubt only in the state file */
};

struct ledger {
	struct state *state;
	const struct config_account *account;
	int64_t now_ms;
	struct ledger_entry *items;
	size_t count, cap;
};

/* What the last pass left. */
bool ledger_load(struct ledger *ledger, struct state *state, const struct config_account *account,
	int64_t now_ms, struct err *err);
void ledger_free(struct ledger *ledger); /* also for CLEANUP() */

/* uids of a folder that are not to be asked for now. *ret_owed: some of the folder's will be,
 * later, so that it is not complete. */
void ledger_hold(const struct ledger *ledger, const char *folder, uint32_t uidvalidity,
	struct rangeset *without, bool *ret_owed);

/* How many of a folder below this uid are in it. */
uint64_t ledger_size_below(
	const struct ledger *ledger, const char *folder, uint32_t uidvalidity, uint32_t uid);

/* Is anything of this folder to be asked for again now? */
bool ledger_due(const struct ledger *ledger, const char *folder);

/* This message could not be had. too_large: it is over max-message-size. */
bool ledger_add(struct ledger *ledger, const char *folder, uint32_t uidvalidity, uint32_t uid,
	uint64_t size, const char *reason, bool too_large, struct err *err);

/*
 * The session ended where this message was due. The first time that may be the network's doing, and
 * it is asked for at once; after that it is left out for a while, as servers end sessions over one
 * message they cannot read, and everything behind it would never come.
 */
bool ledger_suspect(struct ledger *ledger, const char *folder, uint32_t uidvalidity, uint32_t uid,
	struct err *err);

/* These messages of a folder were fetched, or are no more. Those of another UIDVALIDITY are no
 * more either; uidvalidity 0 settles the whole folder. In memory: see ledger_save(). */
void ledger_settle(struct ledger *ledger, const char *folder, uint32_t uidvalidity,
	const struct rangeset *uids);

/* Whose the entries of this name are is not sure: they are asked for again at once. In memory. */
void ledger_doubt(struct ledger *ledger, const char *folder);

/*
 * Folders have other names, all at once: from[i] is to[i] now. Before the archive knows of it. The
 * state file has the entries under both names then, to be asked for at once; ledger_save() ends
 * that.
 */
bool ledger_rename(struct ledger *ledger, const char *const *from, const char *const *to,
	size_t count, struct err *err);

/*
 * These are all folders that there are: entries of others are settled. A crash between a commit and
 * ledger_save() leaves such, and nobody would ever ask for them again. In memory: see
 * ledger_save().
 */
void ledger_keep(struct ledger *ledger, const char *const *folders, size_t count);

/* After the commit that holds what was settled and renamed, in one transaction: were the state file
 * told before, a crash between the two would leave mail that nobody asks for again. */
bool ledger_save(struct ledger *ledger, struct err *err);

/* *ret_owed: of these, those the server refused. */
size_t ledger_count(const struct ledger *ledger, size_t *ret_owed);

/*
 * While the master key of an archive changes (archive/rekey.h): names of folders in its ledger are
 * hidden under the new one, and no word that tells of its mail stays in the state file. state_path:
 * the archive's path as it is known there. The archive is unlocked. Also when it was done before.
 */
bool ledger_rekey(
	struct state *state, const char *state_path, const char *archive_path, struct err *err);

#endif
