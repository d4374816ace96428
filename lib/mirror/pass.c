#include "mirror/pass.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "mirror/account_unlock.h"
#include "mirror/folder/folder.h"
#include "mirror/folder/known_folders.h"
#include "mirror/folder/plan.h"

static bool record_folder(struct pass *pass, const struct imap_folder *server, int64_t known_id,
	int64_t *ret_id, struct err *err)
{
	CLEANUP(freep) char *attributes = plan_attributes(server->attribute_text);
	struct archive_folder folder = {
		.id = known_id,
		.path = server->path,
		.wire_name = server->wire_name,
		.delimiter = server->delimiter,
		.attributes = attributes,
		.special_use = server->special_use,
		.subscribed = server->subscribed,
		.selectable = !(server->attributes & IMAP_ATTR_NOSELECT),
	};

	return archive_put_folder(pass->writer, &folder, ret_id, err);
}

static bool may_skip(struct pass *pass, const struct folder_job *job)
{
	bool due = plan_flag_scan_due(
		job->mark.flags_compared_ms, pass->job->account->flag_scan_ms, pass->now_ms);

	return job->has_mark && !ledger_due(&pass->ledger, job->server->path) &&
	       plan_skip(&job->server->counts, &job->mark, folder_left_out(job, &job->mark), due);
}

static void folder_job_free(struct folder_job *job)
{
	rangeset_free(&job->forgotten);
	rangeset_free(&job->without);
	rangeset_free(&job->placed);
	rangeset_free(&job->lacking);
	rangeset_free(&job->gone);
}

static bool mirror_one_folder(struct pass *pass, const struct imap_folder *server,
	const struct known_folder *known, struct err *err)
{
	CLEANUP(folder_job_free)
	struct folder_job job = {.pass = pass,
		.server = server,
		.window_messages = pass->job->window_messages ? pass->job->window_messages
							      : MIRROR_WINDOW_MESSAGES};

	if (known) {
		job.uidvalidity = known->uidvalidity;
		job.has_mark = known->has_mark;
		job.mark = known->mark;
	}
	/* also if it is skipped: subscription and attributes change without a message */
	if (!record_folder(pass, server, known ? known->id : 0, &job.id, err))
		return false;
	if ((server->attributes & IMAP_ATTR_NOSELECT) || may_skip(pass, &job))
		return true;
	pass->result.compared++;
	return folder_mirror(&job, err);
}

static bool mirror_folders(struct pass *pass, const struct imap_folders *folders,
	const struct known_folders *known, struct err *err)
{
	for (size_t i = 0; i < folders->count; i++) {
		const struct imap_folder *server = &folders->items[i];
		const struct mirror_result *result = &pass->result;
		uint64_t before = result->fetched + result->reflagged + result->gone;

		if (!config_wants_folder(pass->job->account, server->path))
			continue;
		pass->result.folders++;
		if (!mirror_one_folder(pass, server, known->by_server[i], err))
			return false;
		if (pass->job->folder)
			pass->job->folder(pass->job->context, server,
				result->fetched + result->reflagged + result->gone != before);
	}
	return true;
}

/* After an interrupted pass the archive may have two folders of one name. */
static bool has_namesake(const struct known_folders *known, const char *path)
{
	for (size_t i = 0; i < known->count; i++)
		if (known->items[i].server && strcmp(known->items[i].path, path) == 0)
			return true;
	return false;
}

/*
 * Closes the folders the server no longer has, at the end of the pass. A folder the configuration
 * excludes is still on the server and stays as it is. Ledger entries of a name that another folder
 * has, too, may be that folder's: they are asked for again at once instead of being dropped.
 */
static void close_gone_folders(struct pass *pass, const struct known_folders *known)
{
	for (size_t i = 0; i < known->count; i++) {
		if (known->items[i].server)
			continue;
		ARRAY_GROW(pass->closures, pass->closures_count, pass->closures_cap);
		pass->closures[pass->closures_count++] =
			(struct closure){.folder_id = known->items[i].id, .folder_gone = true};
		if (has_namesake(known, known->items[i].path))
			ledger_retry_now(&pass->ledger, known->items[i].path);
		else
			ledger_resolve(&pass->ledger, known->items[i].path, 0, NULL);
	}
}

struct renames {
	const char **from, **to;
	size_t count;
};

static void renames_free(struct renames *renames)
{
	free(renames->from);
	free(renames->to);
}

static bool is_renamed(const struct known_folder *folder)
{
	return folder->server && strcmp(folder->path, folder->server->path) != 0;
}

/*
 * All renames before anything else is recorded: no commit can come between two of them, which would
 * have two folders of one name, as when A and B swapped names.
 *
 * The ledger first: after a crash between the ledger and the archive's commit, the state file has
 * each entry under both names, to be asked for at once. The other order would leave the archive
 * with the new name and the ledger with the old one, whose messages nobody would ask for.
 */
static bool record_renames(struct pass *pass, const struct known_folders *known, struct err *err)
{
	CLEANUP(renames_free)
	struct renames renames = {.from = xcalloc(known->count + 1, sizeof(char *)),
		.to = xcalloc(known->count + 1, sizeof(char *))};

	for (size_t i = 0; i < known->count; i++) {
		if (!is_renamed(&known->items[i]))
			continue;
		renames.from[renames.count] = known->items[i].path;
		renames.to[renames.count++] = known->items[i].server->path;
	}
	pass->result.renamed = (unsigned)renames.count;
	if (!ledger_rename(&pass->ledger, renames.from, renames.to, renames.count, err))
		return false;
	for (size_t i = 0; i < known->count; i++) {
		const struct known_folder *folder = &known->items[i];
		int64_t id;

		if (is_renamed(folder) &&
			!record_folder(pass, folder->server, folder->id, &id, err))
			return false;
	}
	return true;
}

/* Drops ledger entries of folders that the server does not have or the configuration excludes. */
static void drop_stray_entries(struct pass *pass, const struct imap_folders *folders)
{
	CLEANUP(freep) const char **paths = xcalloc(folders->count + 1, sizeof(char *));
	size_t count = 0;

	for (size_t i = 0; i < folders->count; i++)
		if (config_wants_folder(pass->job->account, folders->items[i].path))
			paths[count++] = folders->items[i].path;
	ledger_keep_folders(&pass->ledger, paths, count);
}

/*
 * Closes what is gone and moves the marks that waited for it. Nothing here calls
 * archive_may_commit(), so one commit holds both. A commit of the mark alone, and a crash after it,
 * would leave the messages present forever: below the mark nothing would be compared again.
 */
static bool apply_closures(struct pass *pass, struct err *err)
{
	for (size_t i = 0; i < pass->closures_count; i++) {
		struct closure *closure = &pass->closures[i];

		if (closure->folder_gone) {
			if (!archive_folder_gone(pass->writer, closure->folder_id, err))
				return false;
			continue;
		}
		if (!archive_set_gone(pass->writer, closure->folder_id, closure->uidvalidity,
			    &closure->uids, err))
			return false;
		assert(!closure->has_mark || closure->mark.uidvalidity == closure->uidvalidity);
		if (closure->has_mark &&
			!archive_set_mark(pass->writer, closure->folder_id, &closure->mark, err))
			return false;
	}
	return true;
}

/*
 * Gone folders before renames: the ledger knows a folder by its name, and a renamed folder may take
 * the name of one that is gone, whose entries would be dropped together with its own.
 *
 * The order of the last steps: the archive's commit is durable before the ledger's entries are
 * dropped. A crash between the two leaves entries of messages the archive has; the next pass
 * resolves them. The other order would leave messages that neither the archive nor the ledger has,
 * below a mark that says they need not be asked for.
 */
static bool mirror_account(struct pass *pass, struct err *err)
{
	CLEANUP(imap_folders_free) struct imap_folders folders = {0};
	CLEANUP(known_folders_free) struct known_folders known = {0};
	size_t owed;

	if (!imap_list(pass->job->imap, true, &folders, err))
		return false;
	if (!known_folders_read(pass, &folders, &known, err))
		return false;
	close_gone_folders(pass, &known);
	if (!record_renames(pass, &known, err))
		return false;
	drop_stray_entries(pass, &folders);
	if (!mirror_folders(pass, &folders, &known, err) || !apply_closures(pass, err))
		return false;
	pass->result.skipped = ledger_count(&pass->ledger, &owed);
	pass->result.complete = pass->result.folders_refused == 0 && owed == 0;
	assert(owed <= pass->result.skipped);
	assert(pass->result.folders_refused == 0 || pass->result.detail[0]); /* says what lacks */
	if (!archive_commit(pass->writer, pass->result.complete, &pass->result.generation, err))
		return false;
	return ledger_save(&pass->ledger, err) && archive_tidy(pass->writer, err);
}

static void pass_free(struct pass *pass)
{
	for (size_t i = 0; i < pass->closures_count; i++)
		rangeset_free(&pass->closures[i].uids);
	free(pass->closures);
	ledger_free(&pass->ledger);
}

/* Waits for the writer lock in short steps, so that cancel is noticed. Unlocks again before each
 * step: the holder of the lock may be changing the keys. */
static bool open_writer(const struct config_account *account, struct archive_keys *keys,
	const struct cancel *cancel, struct archive_writer **ret_writer, struct err *err)
{
	const struct archive_ref archive = {account->archive_path, keys};
	struct wait wait = wait_for(ARCHIVE_LOCK_TIMEOUT_MS, cancel);
	bool ok;

	do
		ok = archive_writer_open(&archive, WAIT_STEP_MS, ret_writer, err);
	while (!ok && wait_again(wait, err) && mirror_unlock(account, keys, cancel, err));
	return ok;
}

bool mirror_open_archive(const struct config_account *account, struct archive_keys *keys,
	const struct cancel *cancel, struct archive_writer **ret_writer, struct err *err)
{
	return (mirror_make_or_unlock(account, keys, cancel, err) &&
		       open_writer(account, keys, cancel, ret_writer, err)) ||
	       err_wrap(err, "archive");
}

bool mirror_pass(const struct mirror_job *job, struct mirror_result *ret_result, struct err *err)
{
	CLEANUP(pass_free)
	struct pass pass = {.job = job, .writer = job->writer, .now_ms = clock_wall_ms()};
	CLEANUP(archive_writer_freep) struct archive_writer *own = NULL;

	if (!pass.writer) {
		if (!mirror_open_archive(job->account, job->keys, job->cancel, &own, err))
			return false;
		pass.writer = own;
	}
	if (!ledger_load(&pass.ledger, job->state, job->account, job->keys, pass.now_ms, err) ||
		!mirror_account(&pass, err))
		return false;
	*ret_result = pass.result;
	return true;
}
