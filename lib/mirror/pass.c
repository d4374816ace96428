#include "mirror/pass.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/str.h"
#include "mirror/pass_internal.h"
#include "mirror/unlock.h"

enum { LOCK_STEP_MS = 500 };

/* What the archive knows of a folder before the pass. */
struct known_folder {
	int64_t id;
	char *path;
	uint32_t uidvalidity;
	bool seen; /* the server has it */
};

struct known_folders {
	struct known_folder *items;
	size_t count, cap;
};

static void known_free(struct known_folders *known)
{
	for (size_t i = 0; i < known->count; i++)
		free(known->items[i].path);
	free(known->items);
}

static bool know_folder(void *context, const struct archive_folder *folder, struct err *err)
{
	struct known_folders *known = context;

	(void)err;
	ARRAY_GROW(known->items, known->count, known->cap);
	known->items[known->count++] = (struct known_folder){.id = folder->id,
		.path = xstrdup(folder->path),
		.uidvalidity = folder->uidvalidity};
	return true;
}

static int by_path(const void *a, const void *b)
{
	return strcmp(
		((const struct known_folder *)a)->path, ((const struct known_folder *)b)->path);
}

static bool read_known(struct pass *pass, struct known_folders *known, struct err *err)
{
	struct archive *view = archive_writer_view(pass->writer);
	struct archive_snapshot newest;

	if (!archive_resolve(view, (struct archive_when){.kind = ARCHIVE_LATEST}, &newest, err) ||
		!archive_each_folder(view, newest.generation, know_folder, known, err))
		return false;
	if (known->count > 0)
		qsort(known->items, known->count, sizeof(*known->items), by_path);
	pass->result.generation = newest.generation;
	return true;
}

static struct known_folder *find_known(struct known_folders *known, const char *path)
{
	struct known_folder key = {.path = (char *)path};

	if (known->count == 0)
		return NULL;
	return bsearch(&key, known->items, known->count, sizeof(key), by_path);
}

void pass_note(struct pass *pass, const char *folder, const char *why)
{
	struct mirror_result *result = &pass->result;

	if (result->detail[0] == '\0')
		(void)snprintf(result->detail, sizeof(result->detail), "%s: %s", folder, why);
}

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
	       plan_skip(&job->server->counts, &job->mark, due);
}

static void folder_job_free(struct folder_job *job)
{
	rangeset_free(&job->without);
	rangeset_free(&job->placed);
}

static bool mirror_one(struct pass *pass, const struct imap_folder *server,
	struct known_folder *known, struct err *err)
{
	CLEANUP(folder_job_free)
	struct folder_job job = {
		.pass = pass, .server = server, .uidvalidity = known ? known->uidvalidity : 0};

	if (!record_folder(pass, server, known ? known->id : 0, &job.id, err))
		return false;
	if (server->attributes & IMAP_ATTR_NOSELECT)
		return true;
	if (known && !archive_mark_of(archive_writer_view(pass->writer), job.id, &job.has_mark,
			     &job.mark, err))
		return false;
	if (may_skip(pass, &job))
		return true;
	pass->result.compared++;
	return folder_mirror(&job, err);
}

/* A number that moves with everything recorded of mail. */
static uint64_t recorded(const struct pass *pass)
{
	return pass->result.fetched + pass->result.reflagged + pass->result.gone;
}

static bool mirror_folders(struct pass *pass, const struct imap_folders *folders,
	struct known_folders *known, struct err *err)
{
	for (size_t i = 0; i < folders->count; i++) {
		const struct imap_folder *server = &folders->items[i];
		struct known_folder *mine = find_known(known, server->path);
		uint64_t before = recorded(pass);

		if (mine)
			mine->seen = true;
		if (!config_wants_folder(pass->job->account, server->path))
			continue;
		pass->result.folders++;
		if (!mirror_one(pass, server, mine, err))
			return false;
		if (pass->job->folder)
			pass->job->folder(pass->job->context, server, recorded(pass) != before);
	}
	return true;
}

/* Folders the server no longer has; one that the configuration leaves out is left as it is. */
static void close_gone_folders(struct pass *pass, const struct known_folders *known)
{
	for (size_t i = 0; i < known->count; i++) {
		if (known->items[i].seen)
			continue;
		ARRAY_GROW(pass->closures, pass->closures_count, pass->closures_cap);
		pass->closures[pass->closures_count++] =
			(struct closure){.folder_id = known->items[i].id, .folder_gone = true};
		ledger_settle(&pass->ledger, known->items[i].path, 0, NULL);
	}
}

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
		if (closure->has_mark &&
			!archive_set_mark(pass->writer, closure->folder_id, &closure->mark, err))
			return false;
	}
	return true;
}

static bool run(struct pass *pass, struct err *err)
{
	CLEANUP(imap_folders_free) struct imap_folders folders = {0};
	CLEANUP(known_free) struct known_folders known = {0};
	size_t owed;

	if (!imap_list(pass->job->imap, true, &folders, err))
		return false;
	if (!read_known(pass, &known, err) || !mirror_folders(pass, &folders, &known, err))
		return false;
	close_gone_folders(pass, &known);
	if (!apply_closures(pass, err))
		return false;
	pass->result.skipped = ledger_count(&pass->ledger, &owed);
	pass->result.complete = pass->result.folders_refused == 0 && owed == 0;
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

/* In steps: whoever waits for the lock may be asked to stop. */
static bool open_writer(const struct config_account *account, const struct cancel *cancel,
	struct archive_writer **ret_writer, struct err *err)
{
	int64_t deadline_ms = clock_mono_ms() + ARCHIVE_LOCK_TIMEOUT_MS;

	while (!archive_writer_open(account->archive_path, LOCK_STEP_MS, ret_writer, err)) {
		if (err->kind != ERR_BUSY || clock_mono_ms() >= deadline_ms)
			return false;
		if (cancel && cancel_is(cancel))
			return err_set(err, ERR_CANCELLED, "cancelled");
	}
	return true;
}

bool mirror_open_archive(const struct config_account *account, const struct cancel *cancel,
	struct archive_writer **ret_writer, struct err *err)
{
	return (mirror_make_or_unlock(account, cancel, err) &&
		       open_writer(account, cancel, ret_writer, err)) ||
	       err_wrap(err, "archive");
}

bool mirror_pass(const struct mirror_job *job, struct mirror_result *ret_result, struct err *err)
{
	CLEANUP(pass_free)
	struct pass pass = {.job = job, .writer = job->writer, .now_ms = clock_wall_ms()};
	CLEANUP(archive_writer_freep) struct archive_writer *own = NULL;

	if (!pass.writer) {
		if (!mirror_open_archive(job->account, job->cancel, &own, err))
			return false;
		pass.writer = own;
	}
	if (!ledger_load(&pass.ledger, job->state, job->account, pass.now_ms, err) ||
		!run(&pass, err))
		return false;
	*ret_result = pass.result;
	return true;
}
