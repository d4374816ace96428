#include "mirror/ledger.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "archive/archive.h"
#include "base/alloc.h"

enum {
	RETRY_FIRST_MS = 15 * 60 * 1000,
	RETRY_MAX_MS = 24 * 60 * 60 * 1000,
	RETRY_DOUBLINGS = 7,
};

static const char hidden_reason[] = "the reason is not noted of an encrypted archive";

/* The state file is not encrypted: of an encrypted archive no folder's name stands there. */
static char *name_of(const struct ledger *ledger, const char *folder)
{
	char *name = NULL;
	struct err err;
	bool unlocked = archive_hide_name(ledger->account->archive_path, folder, &name, &err);

	assert(unlocked); /* it is being written to */
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
	int64_t now_ms, struct err *err)
{
	*ledger = (struct ledger){.state = state, .account = account, .now_ms = now_ms};
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

static bool is_due(const struct ledger *ledger, const struct ledger_entry *entry)
{
	if (entry->next_try_ms == INT64_MAX)
		return entry->size <= ledger->account->max_message_bytes;
	return entry->next_try_ms <= ledger->now_ms;
}

static bool is_of(const struct ledger_entry *entry, const char *folder)
{
	return !entry->settled && strcmp(entry->folder, folder) == 0;
}

void ledger_hold(const struct ledger *ledger, const char *folder, uint32_t uidvalidity,
	struct rangeset *without, bool *ret_owed)
{
	CLEANUP(freep) char *name = name_of(ledger, folder);

	*ret_owed = false;
	for (size_t i = 0; i < ledger->count; i++) {
		const struct ledger_entry *entry = &ledger->items[i];

		if (!is_of(entry, name) || entry->uidvalidity != uidvalidity)
			continue;
		if (!is_due(ledger, entry))
			rangeset_add(without, entry->uid, entry->uid);
		if (entry->next_try_ms != INT64_MAX || is_due(ledger, entry))
			*ret_owed = true;
	}
}

uint64_t ledger_size_below(
	const struct ledger *ledger, const char *folder, uint32_t uidvalidity, uint32_t uid)
{
	CLEANUP(freep) char *name = name_of(ledger, folder);
	uint64_t size = 0;

	for (size_t i = 0; i < ledger->count; i++)
		size += is_of(&ledger->items[i], name) &&
			ledger->items[i].uidvalidity == uidvalidity && ledger->items[i].uid < uid;
	return size;
}

bool ledger_due(const struct ledger *ledger, const char *folder)
{
	CLEANUP(freep) char *name = name_of(ledger, folder);

	for (size_t i = 0; i < ledger->count; i++)
		if (is_of(&ledger->items[i], name) && is_due(ledger, &ledger->items[i]))
			return true;
	return false;
}

static bool is_at(
	const struct ledger_entry *entry, const char *folder, uint32_t uidvalidity, uint32_t uid)
{
	return strcmp(entry->folder, folder) == 0 && entry->uidvalidity == uidvalidity &&
	       entry->uid == uid;
}

/* One that is settled is made anew: the state file has one place for both. */
static struct ledger_entry *find(
	struct ledger *ledger, const char *folder, uint32_t uidvalidity, uint32_t uid)
{
	struct ledger_entry *settled = NULL;

	for (size_t i = 0; i < ledger->count; i++) {
		struct ledger_entry *entry = &ledger->items[i];

		if (!is_at(entry, folder, uidvalidity, uid))
			continue;
		if (!entry->settled)
			return entry;
		settled = entry;
	}
	if (settled) {
		settled->settled = settled->left = settled->moved = false;
		settled->attempts = 0;
		return settled;
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

static bool put(struct ledger *ledger, struct ledger_entry *entry, int64_t next_try_ms,
	const char *reason, struct err *err)
{
	bool hides = archive_is_encrypted(ledger->account->archive_path);

	free(entry->reason);
	entry->reason = xstrdup(hides ? hidden_reason : reason);
	entry->next_try_ms = next_try_ms;
	entry->attempts++;
	return put_entry(ledger->state, ledger->account->archive_path, entry, err);
}

bool ledger_add(struct ledger *ledger, const char *folder, uint32_t uidvalidity, uint32_t uid,
	uint64_t size, const char *reason, bool too_large, struct err *err)
{
	CLEANUP(freep) char *name = name_of(ledger, folder);
	struct ledger_entry *entry = find(ledger, name, uidvalidity, uid);

	entry->size = size;
	return put(ledger, entry,
		too_large ? INT64_MAX : ledger->now_ms + retry_ms(entry->attempts), reason, err);
}

bool ledger_suspect(struct ledger *ledger, const char *folder, uint32_t uidvalidity, uint32_t uid,
	struct err *err)
{
	CLEANUP(freep) char *name = name_of(ledger, folder);
	struct ledger_entry *entry = find(ledger, name, uidvalidity, uid);
	bool first = entry->attempts == 0;

	return put(ledger, entry, first ? 0 : ledger->now_ms + retry_ms(entry->attempts),
		"the session ended while it was fetched", err);
}

void ledger_settle(struct ledger *ledger, const char *folder, uint32_t uidvalidity,
	const struct rangeset *uids)
{
	CLEANUP(freep) char *name = name_of(ledger, folder);

	for (size_t i = 0; i < ledger->count; i++) {
		struct ledger_entry *entry = &ledger->items[i];

		if (is_of(entry, name) &&
			(entry->uidvalidity != uidvalidity || rangeset_has(uids, entry->uid)))
			entry->settled = true;
	}
}

void ledger_doubt(struct ledger *ledger, const char *folder)
{
	CLEANUP(freep) char *name = name_of(ledger, folder);

	for (size_t i = 0; i < ledger->count; i++)
		if (is_of(&ledger->items[i], name))
			ledger->items[i].next_try_ms = 0;
}

/* What an earlier pass that was cut noted under this name is the same. */
static void drop_twin(struct ledger *ledger, size_t before, const struct ledger_entry *entry)
{
	for (size_t i = 0; i < before; i++) {
		struct ledger_entry *other = &ledger->items[i];

		if (is_at(other, entry->folder, entry->uidvalidity, entry->uid))
			other->settled = true;
	}
}

static void move_entry(struct ledger *ledger, size_t index, const char *name)
{
	struct ledger_entry moved = ledger->items[index];

	moved.folder = xstrdup(name);
	moved.reason = xstrdup(moved.reason);
	moved.moved = true;
	ledger->items[index].settled = true;
	ledger->items[index].left = true;
	ARRAY_GROW(ledger->items, ledger->count, ledger->cap);
	ledger->items[ledger->count++] = moved;
}

/* Under both names, as asking once more loses nothing: which of them the archive will know when a
 * pass is cut is open. */
static bool put_doubts(struct ledger *ledger, struct err *err)
{
	for (size_t i = 0; i < ledger->count; i++) {
		struct ledger_entry doubt = ledger->items[i];

		doubt.next_try_ms = 0;
		if ((doubt.left || doubt.moved) &&
			!put_entry(ledger->state, ledger->account->archive_path, &doubt, err))
			return false;
	}
	return true;
}

bool ledger_rename(struct ledger *ledger, const char *const *from, const char *const *to,
	size_t count, struct err *err)
{
	size_t before = ledger->count; /* what was moved is not moved on */

	for (size_t i = 0; i < count; i++) {
		CLEANUP(freep) char *old = name_of(ledger, from[i]);
		CLEANUP(freep) char *new = name_of(ledger, to[i]);

		for (size_t k = 0; k < before; k++)
			if (is_of(&ledger->items[k], old))
				move_entry(ledger, k, new);
	}
	for (size_t k = before; k < ledger->count; k++)
		drop_twin(ledger, before, &ledger->items[k]);
	return ledger->count == before ||
	       (state_begin(ledger->state, err) &&
		       state_end(ledger->state, put_doubts(ledger, err), err));
}

void ledger_keep(struct ledger *ledger, const char *const *folders, size_t count)
{
	CLEANUP(freep) bool *kept = xcalloc(ledger->count + 1, sizeof(*kept));

	for (size_t i = 0; i < count && ledger->count > 0; i++) {
		CLEANUP(freep) char *name = name_of(ledger, folders[i]);

		for (size_t k = 0; k < ledger->count; k++)
			kept[k] |= is_of(&ledger->items[k], name);
	}
	for (size_t k = 0; k < ledger->count; k++)
		ledger->items[k].settled |= !kept[k];
}

/* Those that went before those that came, as a place may have one of either. */
static bool save(struct ledger *ledger, struct err *err)
{
	const char *path = ledger->account->archive_path;

	for (size_t i = 0; i < ledger->count; i++) {
		const struct ledger_entry *entry = &ledger->items[i];

		if (entry->settled && !state_skip_done(ledger->state, path, entry->folder,
					      entry->uidvalidity, entry->uid, err))
			return false;
	}
	for (size_t i = 0; i < ledger->count; i++) {
		const struct ledger_entry *entry = &ledger->items[i];

		if (entry->moved && !entry->settled && !put_entry(ledger->state, path, entry, err))
			return false;
	}
	return true;
}

bool ledger_save(struct ledger *ledger, struct err *err)
{
	bool any = false;

	for (size_t i = 0; i < ledger->count; i++)
		any |= ledger->items[i].settled || ledger->items[i].moved;
	return !any || (state_begin(ledger->state, err) &&
			       state_end(ledger->state, save(ledger, err), err));
}

size_t ledger_count(const struct ledger *ledger, size_t *ret_owed)
{
	size_t count = 0;

	*ret_owed = 0;
	for (size_t i = 0; i < ledger->count; i++) {
		if (ledger->items[i].settled)
			continue;
		count++;
		*ret_owed += ledger->items[i].next_try_ms != INT64_MAX;
	}
	return count;
}

/* --- another master key --- */

struct rekeying {
	const char *archive_path;
	struct ledger ledger; /* as it is */
	struct ledger anew;
};

static void add_anew(struct rekeying *rekeying, const struct ledger_entry *entry, const char *name)
{
	struct ledger *anew = &rekeying->anew;

	ARRAY_GROW(anew->items, anew->count, anew->cap);
	anew->items[anew->count] = *entry;
	anew->items[anew->count].folder = xstrdup(name);
	anew->items[anew->count++].reason = xstrdup(hidden_reason);
}

/* It may have been done before, and then been stopped. */
static bool rename_in(void *context, const struct archive_folder *folder, struct err *err)
{
	struct rekeying *rekeying = context;
	const struct ledger *ledger = &rekeying->ledger;
	CLEANUP(freep) char *before = NULL;
	CLEANUP(freep) char *now = NULL;

	if (!archive_name_before(rekeying->archive_path, folder->path, &before, err) ||
		!archive_hide_name(rekeying->archive_path, folder->path, &now, err))
		return false;
	for (size_t i = 0; i < ledger->count; i++)
		if (is_of(&ledger->items[i], before) || is_of(&ledger->items[i], now))
			add_anew(rekeying, &ledger->items[i], now);
	return true;
}

static bool put_anew(
	struct state *state, const char *state_path, const struct ledger *anew, struct err *err)
{
	for (size_t i = 0; i < anew->count; i++)
		if (!put_entry(state, state_path, &anew->items[i], err))
			return false;
	return true;
}

static bool rename_all(struct rekeying *rekeying, struct err *err)
{
	CLEANUP(archive_freep) struct archive *archive = NULL;
	struct archive_snapshot latest;

	return rekeying->ledger.count == 0 ||
	       (archive_open(rekeying->archive_path, &archive, err) &&
		       archive_resolve(archive, (struct archive_when){.kind = ARCHIVE_LATEST},
			       &latest, err) &&
		       archive_each_folder(archive, latest.generation, rename_in, rekeying, err));
}

static bool replace_all(
	struct state *state, const char *state_path, const struct ledger *anew, struct err *err)
{
	return state_begin(state, err) &&
	       state_end(state,
		       state_forget(state, state_path, err) &&
			       put_anew(state, state_path, anew, err),
		       err) &&
	       state_empty_wal(state, err);
}

bool ledger_rekey(
	struct state *state, const char *state_path, const char *archive_path, struct err *err)
{
	struct rekeying rekeying = {.archive_path = archive_path};
	bool done = state_each_skipped(state, state_path, hold_entry, &rekeying.ledger, err) &&
		    rename_all(&rekeying, err) &&
		    replace_all(state, state_path, &rekeying.anew, err);

	ledger_free(&rekeying.ledger);
	ledger_free(&rekeying.anew);
	return done;
}
