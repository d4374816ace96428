/*
 * The messages of an account that could not be fetched, in memory during a pass and in the state
 * file between passes. An entry is either too large (not asked for again until max-message-size
 * allows it) or refused by the server (asked for again at growing intervals). It is resolved when
 * its message was fetched or is gone.
 *
 * The state file is not part of the archive's commits. Entries are written to it at once, but
 * resolved and renamed ones only by ledger_save(), after the archive's commit: a crash in between
 * leaves an entry too many, never one too few.
 */
#ifndef MAILSTOW_MIRROR_LEDGER_H
#define MAILSTOW_MIRROR_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "archive/archive.h"
#include "base/err.h"
#include "base/rangeset.h"
#include "config/config.h"
#include "state/state.h"

struct ledger_entry {
	char *folder; /* path */
	uint32_t uidvalidity, uid;
	uint64_t size;
	int attempts;
	int64_t next_try_ms; /* wall time; INT64_MAX: too large; 0: at once */
	char *reason;
	bool resolved; /* no longer an entry */
	bool old_name; /* its folder was renamed; a copy with new_name replaces it */
	bool new_name; /* such a copy; until ledger_save() the state file has both, to try at once
			*/
};

struct ledger {
	struct state *state;
	const struct config_account *account;
	struct archive_keys *keys; /* of its archive */
	int64_t now_ms;
	struct ledger_entry *items;
	size_t count, cap;
};

/* Loads what the last pass left in the state file. */
bool ledger_load(struct ledger *ledger, struct state *state, const struct config_account *account,
	struct archive_keys *keys, int64_t now_ms, struct err *err);
void ledger_free(struct ledger *ledger); /* also for CLEANUP() */

/* Adds the folder's UIDs that are not to be asked for now to `without`. *ret_owed: some of the
 * folder's messages are to be asked for, now or later, so that the folder is not complete. */
void ledger_not_due(const struct ledger *ledger, const char *folder, uint32_t uidvalidity,
	struct rangeset *without, bool *ret_owed);

/* How many entries a folder has below this UID. */
uint64_t ledger_size_below(
	const struct ledger *ledger, const char *folder, uint32_t uidvalidity, uint32_t uid);

/* Is any message of this folder to be asked for now? */
bool ledger_due(const struct ledger *ledger, const char *folder);

/* Records a message that could not be fetched. too_large: it exceeds max-message-size. */
bool ledger_add(struct ledger *ledger, const char *folder, uint32_t uidvalidity, uint32_t uid,
	uint64_t size, const char *reason, bool too_large, struct err *err);

/*
 * Records that the session ended while this message was due. The first time the network may be at
 * fault, and the message is asked for again at once. After that it is left out for a while: some
 * servers end the session over one message they cannot read, and those after it would never come.
 */
bool ledger_suspect(struct ledger *ledger, const char *folder, uint32_t uidvalidity, uint32_t uid,
	struct err *err);

/* Resolves the entries of these UIDs, whose messages were fetched or are gone, and all entries of
 * another UIDVALIDITY. uidvalidity 0: all of the folder. In memory until ledger_save(). */
void ledger_resolve(struct ledger *ledger, const char *folder, uint32_t uidvalidity,
	const struct rangeset *uids);

/* Makes all entries of this name due now: they may belong to another folder of that name. In memory
 * until ledger_save(). */
void ledger_retry_now(struct ledger *ledger, const char *folder);

/*
 * Folders were renamed, all at once: from[i] to to[i]. Call it before the archive records that. The
 * state file then has the entries under both names, to be asked for at once, as either name may be
 * the archive's if the pass is interrupted. ledger_save() removes the old ones.
 */
bool ledger_rename(struct ledger *ledger, const char *const *from, const char *const *to,
	size_t count, struct err *err);

/*
 * Resolves the entries of all other folders. A crash between a commit and ledger_save() leaves
 * some, which nothing would ask for. In memory until ledger_save().
 */
void ledger_keep_folders(struct ledger *ledger, const char *const *folders, size_t count);

/* Writes what was resolved and renamed to the state file, in one transaction. Call it after the
 * archive's commit is durable: before it, a crash between the two would leave messages that neither
 * the archive nor the ledger has. */
bool ledger_save(struct ledger *ledger, struct err *err);

/* *ret_owed: those of them that the server refused. */
size_t ledger_count(const struct ledger *ledger, size_t *ret_owed);

/*
 * While the master key of an archive changes (archive/rekey.h): hides the folder names in its
 * ledger under the new key, and erases everything that tells of its mail from the state file.
 * state_path is the archive's path in the state file. The archive is unlocked. May be repeated.
 */
bool ledger_hide_names(struct state *state, const char *state_path,
	const struct archive_ref *archive, struct err *err);

#endif
