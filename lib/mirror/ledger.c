#include "mirror/ledger.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "archive/unlock.h"
#include "base/alloc.h"

enum {
	RETRY_FIRST_MS = 15 * 60 * 1000,
	RETRY_MAX_MS = 24 * 60 * 60 * 1000,
	RETRY_DOUBLINGS = 7,
};

static const char hidden_reason[] = "the reason is not recorded for an encrypted archive";

/* The folder's name in the state file, which is not encrypted: hidden if the archive is encrypted.
 */
static char *stored_name(const struct ledger *ledger, const char *folder)
{
	const struct archive_ref archive = {ledger->account->archive_path, ledger->keys};
	char *name = NULL;
	struct err err;
	bool unlocked = archive_hide_name(&archive, folder, &name, &err);

	assert(unlocked); /* it is open for writing */
	(void)unlocked;
	return name;
}

static int64_t retry_ms(int attempts)
{
	int doublings = attempts < RETRY_DOUBLINGS ? attempts : RETRY_DOUBLINGS;
	int64_t wait_ms = (int64_t)RETRY_FIRST_MS << doublings;

	return wait_ms < RETRY_MAX_MS ? wait_ms : RETRY_MAX_MS;
}

static bool hold_entry(void *context, const struct skipped *skipped, struct err *err)
{
	struct ledger *ledger = context;

	(void)err;
	ARRAY_GROW(ledger->items, ledger->count, ledger->cap);
	ledger->items[ledger->count++] = (struct ledger_entry){
		.folder = xstrdup(skipped->folder_path),
		.uidvalidity = skipped->uidvalidity,
		.uid = skipped->uid,
		.size = skipped->size,
		.attempts = skipped->attempts,
		.next_try_ms = skipped->next_try_ms,
		.reason = xstrdup(skipped->reason),
	};
	return true;
}

bool ledger_load(struct ledger *ledger, struct state *state, const struct config_account *account,
	struct archive_keys *keys, int64_t now_ms, struct err *err)
{
	*ledger =
		(struct ledger){.state = state, .account = account, .keys = keys, .now_ms = now_ms};
	return state_each_skipped(state, account->archive_path, hold_entry, ledger, err);
}

void ledger_free(struct ledger *ledger)
{
	for (size_t i = 0; i < ledger->count; i++) {
		free(ledger->items[i].folder);
		free(ledger->items[i].reason);
	}
	free(ledger->items);
}

static bool entry_is_due(const struct ledger *ledger, const struct ledger_entry *entry)
{
	if (entry->next_try_ms == INT64_MAX)
		return entry->size <= ledger->account->max_message_bytes;
	return entry->next_try_ms <= ledger->now_ms;
}

static bool entry_is_of(const struct ledger_entry *entry, const char *folder)
{
	return !entry->resolved && strcmp(entry->folder, folder) == 0;
}

void ledger_not_due(const struct ledger *ledger, const char *folder, uint32_t uidvalidity,
	struct rangeset *without, bool *ret_owed)
{
	CLEANUP(freep) char *name = stored_name(ledger, folder);

	*ret_owed = false;
	for (size_t i = 0; i < ledger->count; i++) {
		const struct ledger_entry *entry = &ledger->items[i];

		if (!entry_is_of(entry, name) || entry->uidvalidity != uidvalidity)
			continue;
		if (!entry_is_due(ledger, entry))
			rangeset_add(without, entry->uid, entry->uid);
		if (entry->next_try_ms != INT64_MAX || entry_is_due(ledger, entry))
			*ret_owed = true;
	}
}

uint64_t ledger_size_below(
	const struct ledger *ledger, const char *folder, uint32_t uidvalidity, uint32_t uid)
{
	CLEANUP(freep) char *name = stored_name(ledger, folder);
	uint64_t size = 0;

	for (size_t i = 0; i < ledger->count; i++)
		size += entry_is_of(&ledger->items[i], name) &&
			ledger->items[i].uidvalidity == uidvalidity && ledger->items[i].uid < uid;
	return size;
}

bool ledger_due(const struct ledger *ledger, const char *folder)
{
	CLEANUP(freep) char *name = stored_name(ledger, folder);

	for (size_t i = 0; i < ledger->count; i++)
		if (entry_is_of(&ledger->items[i], name) && entry_is_due(ledger, &ledger->items[i]))
			return true;
	return false;
}

static bool entry_is_at(
	const struct ledger_entry *entry, const char *folder, uint32_t uidvalidity, uint32_t uid)
{
	return strcmp(entry->folder, folder) == 0 && entry->uidvalidity == uidvalidity &&
	       entry->uid == uid;
}

/* The entry of this message, created if need be. A resolved one is reused: the state file has one
 * row for both. */
static struct ledger_entry *find_or_add(
	struct ledger *ledger, const char *folder, uint32_t uidvalidity, uint32_t uid)
{
	struct ledger_entry *resolved = NULL;

	for (size_t i = 0; i < ledger->count; i++) {
		struct ledger_entry *entry = &ledger->items[i];

		if (!entry_is_at(entry, folder, uidvalidity, uid))
			continue;
		if (!entry->resolved)
			return entry;
		resolved = entry;
	}
	if (resolved) {
		resolved->resolved = resolved->old_name = resolved->new_name = false;
		resolved->attempts = 0;
		return resolved;
	}
	ARRAY_GROW(ledger->items, ledger->count, ledger->cap);
	ledger->items[ledger->count] = (struct ledger_entry){
		.folder = xstrdup(folder), .uidvalidity = uidvalidity, .uid = uid};
	return &ledger->items[ledger->count++];
}

static bool put_entry(struct state *state, const char *archive_path,
	const struct ledger_entry *entry, struct err *err)
{
	const struct skipped skipped = {.folder_path = entry->folder,
		.uidvalidity = entry->uidvalidity,
		.uid = entry->uid,
		.size = entry->size,
		.reason = entry->reason,
		.attempts = entry->attempts,
		.next_try_ms = entry->next_try_ms};

	return state_skip_put(state, archive_path, &skipped, err);
}

static bool record_attempt(struct ledger *ledger, struct ledger_entry *entry, int64_t next_try_ms,
	const char *reason, struct err *err)
{
	const struct archive_ref archive = {ledger->account->archive_path, ledger->keys};
	bool hides = archive_is_encrypted(&archive);

	free(entry->reason);
	entry->reason = xstrdup(hides ? hidden_reason : reason);
	entry->next_try_ms = next_try_ms;
	entry->attempts++;
	return put_entry(ledger->state, ledger->account->archive_path, entry, err);
}

bool ledger_add(struct ledger *ledger, const char *folder, uint32_t uidvalidity, uint32_t uid,
	uint64_t size, const char *reason, bool too_large, struct err *err)
{
	CLEANUP(freep) char *name = stored_name(ledger, folder);
	struct ledger_entry *entry = find_or_add(ledger, name, uidvalidity, uid);

	entry->size = size;
	return record_attempt(ledger, entry,
		too_large ? INT64_MAX : ledger->now_ms + retry_ms(entry->attempts), reason, err);
}

bool ledger_suspect(struct ledger *ledger, const char *folder, uint32_t uidvalidity, uint32_t uid,
	struct err *err)
{
	CLEANUP(freep) char *name = stored_name(ledger, folder);
	struct ledger_entry *entry = find_or_add(ledger, name, uidvalidity, uid);
	bool first = entry->attempts == 0;

	return record_attempt(ledger, entry, first ? 0 : ledger->now_ms + retry_ms(entry->attempts),
		"the session ended while it was being fetched", err);
}

void ledger_resolve(struct ledger *ledger, const char *folder, uint32_t uidvalidity,
	const struct rangeset *uids)
{
	CLEANUP(freep) char *name = stored_name(ledger, folder);

	for (size_t i = 0; i < ledger->count; i++) {
		struct ledger_entry *entry = &ledger->items[i];

		if (entry_is_of(entry, name) && (!uids || entry->uidvalidity != uidvalidity ||
							rangeset_has(uids, entry->uid)))
			entry->resolved = true;
	}
}

void ledger_retry_now(struct ledger *ledger, const char *folder)
{
	CLEANUP(freep) char *name = stored_name(ledger, folder);

	for (size_t i = 0; i < ledger->count; i++)
		if (entry_is_of(&ledger->items[i], name))
			ledger->items[i].next_try_ms = 0;
}

/* Resolves an older entry of the same message, which an interrupted pass left under this name. */
static void resolve_twin(struct ledger *ledger, size_t before, const struct ledger_entry *entry)
{
	for (size_t i = 0; i < before; i++) {
		struct ledger_entry *other = &ledger->items[i];

		if (entry_is_at(other, entry->folder, entry->uidvalidity, entry->uid))
			other->resolved = true;
	}
}

/* Adds a copy of the entry under the new name; the old one is resolved. Where two folders have one
 * name, an entry gets a copy for each: it is not known which of them it belongs to. */
static void rename_entry(struct ledger *ledger, size_t index, const char *name)
{
	struct ledger_entry renamed = ledger->items[index];

	renamed.folder = xstrdup(name);
	renamed.reason = xstrdup(renamed.reason);
	renamed.new_name = true;
	ledger->items[index].resolved = true;
	ledger->items[index].old_name = true;
	ARRAY_GROW(ledger->items, ledger->count, ledger->cap);
	ledger->items[ledger->count++] = renamed;
}

/* Writes the entries under both names, to be asked for at once. If the pass is interrupted, the
 * archive may have either name; asking once more loses nothing. */
static bool put_both_names(struct ledger *ledger, struct err *err)
{
	for (size_t i = 0; i < ledger->count; i++) {
		struct ledger_entry entry = ledger->items[i];

		entry.next_try_ms = 0;
		if ((entry.old_name || entry.new_name) &&
			!put_entry(ledger->state, ledger->account->archive_path, &entry, err))
			return false;
	}
	return true;
}

bool ledger_rename(struct ledger *ledger, const char *const *from, const char *const *to,
	size_t count, struct err *err)
{
	size_t before =
		ledger->count; /* a renamed entry is not renamed again, as when A and B swap */

	for (size_t i = 0; i < count; i++) {
		CLEANUP(freep) char *old = stored_name(ledger, from[i]);
		CLEANUP(freep) char *new = stored_name(ledger, to[i]);

		for (size_t k = 0; k < before; k++)
			if (entry_is_of(&ledger->items[k], old))
				rename_entry(ledger, k, new);
	}
	for (size_t k = before; k < ledger->count; k++)
		resolve_twin(ledger, before, &ledger->items[k]);
	return ledger->count == before ||
	       (state_begin(ledger->state, err) &&
		       state_end(ledger->state, put_both_names(ledger, err), err));
}

void ledger_keep_folders(struct ledger *ledger, const char *const *folders, size_t count)
{
	CLEANUP(freep) bool *kept = xcalloc(ledger->count + 1, sizeof(*kept));

	for (size_t i = 0; i < count && ledger->count > 0; i++) {
		CLEANUP(freep) char *name = stored_name(ledger, folders[i]);

		for (size_t k = 0; k < ledger->count; k++)
			kept[k] |= entry_is_of(&ledger->items[k], name);
	}
	for (size_t k = 0; k < ledger->count; k++)
		ledger->items[k].resolved |= !kept[k];
}

/* Removals first: when folders swap names, an entry to add may have the row of one to remove. */
static bool save_in_transaction(struct ledger *ledger, struct err *err)
{
	const char *path = ledger->account->archive_path;

	for (size_t i = 0; i < ledger->count; i++) {
		const struct ledger_entry *entry = &ledger->items[i];

		if (entry->resolved && !state_skip_done(ledger->state, path, entry->folder,
					       entry->uidvalidity, entry->uid, err))
			return false;
	}
	for (size_t i = 0; i < ledger->count; i++) {
		const struct ledger_entry *entry = &ledger->items[i];

		if (entry->new_name && !entry->resolved &&
			!put_entry(ledger->state, path, entry, err))
			return false;
	}
	return true;
}

bool ledger_save(struct ledger *ledger, struct err *err)
{
	bool any = false;

	for (size_t i = 0; i < ledger->count; i++)
		any |= ledger->items[i].resolved || ledger->items[i].new_name;
	return !any || (state_begin(ledger->state, err) &&
			       state_end(ledger->state, save_in_transaction(ledger, err), err));
}

size_t ledger_count(const struct ledger *ledger, size_t *ret_owed)
{
	size_t count = 0;

	*ret_owed = 0;
	for (size_t i = 0; i < ledger->count; i++) {
		if (ledger->items[i].resolved)
			continue;
		count++;
		*ret_owed += ledger->items[i].next_try_ms != INT64_MAX;
	}
	return count;
}

/* --- a new master key: other hidden names --- */

struct hidden_names {
	const struct archive_ref *archive;
	struct ledger old; /* as in the state file */
	struct ledger new; /* to replace it */
};

static void add_hidden(
	struct hidden_names *names, const struct ledger_entry *entry, const char *name)
{
	struct ledger *new = &names->new;

	ARRAY_GROW(new->items, new->count, new->cap);
	new->items[new->count] = *entry;
	new->items[new->count].folder = xstrdup(name);
	new->items[new->count++].reason = xstrdup(hidden_reason);
}

/* The ledger may have the name under either key: an earlier run may have been interrupted. */
static bool hide_folder(void *context, const struct archive_folder *folder, struct err *err)
{
	struct hidden_names *names = context;
	const struct ledger *ledger = &names->old;
	CLEANUP(freep) char *old_name = NULL;
	CLEANUP(freep) char *new_name = NULL;

	if (!archive_name_before(names->archive, folder->path, &old_name, err) ||
		!archive_hide_name(names->archive, folder->path, &new_name, err))
		return false;
	for (size_t i = 0; i < ledger->count; i++)
		if (entry_is_of(&ledger->items[i], old_name) ||
			entry_is_of(&ledger->items[i], new_name))
			add_hidden(names, &ledger->items[i], new_name);
	return true;
}

static bool put_entries(
	struct state *state, const char *state_path, const struct ledger *new, struct err *err)
{
	for (size_t i = 0; i < new->count; i++)
		if (!put_entry(state, state_path, &new->items[i], err))
			return false;
	return true;
}

static bool hide_all(struct hidden_names *names, struct err *err)
{
	CLEANUP(archive_freep) struct archive *archive = NULL;
	struct archive_snapshot latest;

	return names->old.count == 0 ||
	       (archive_open(names->archive, &archive, err) &&
		       archive_resolve(archive, (struct archive_when){.kind = ARCHIVE_LATEST},
			       &latest, err) &&
		       archive_each_folder(archive, latest.generation, hide_folder, names, err));
}

/* One transaction: a crash leaves the old entries or the new ones. Emptying the WAL last removes
 * the old names from the disk. */
static bool replace_entries(
	struct state *state, const char *state_path, const struct ledger *new, struct err *err)
{
	return state_begin(state, err) &&
	       state_end(state,
		       state_forget(state, state_path, err) &&
			       put_entries(state, state_path, new, err),
		       err) &&
	       state_empty_wal(state, err);
}

bool ledger_hide_names(struct state *state, const char *state_path,
	const struct archive_ref *archive, struct err *err)
{
	struct hidden_names names = {.archive = archive};
	bool done = state_each_skipped(state, state_path, hold_entry, &names.old, err) &&
		    hide_all(&names, err) && replace_entries(state, state_path, &names.new, err);

	ledger_free(&names.old);
	ledger_free(&names.new);
	return done;
}
