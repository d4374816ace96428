#include "mirror/folder/known_folders.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "mirror/folder/folder_identity.h"
#include "mirror/folder/rename.h"

void known_folders_free(struct known_folders *known)
{
	for (size_t i = 0; i < known->count; i++)
		free(known->items[i].path);
	free(known->items);
	free(known->by_server);
}

/* --- the archive's --- */

static bool add_known_folder(void *context, const struct archive_folder *folder, struct err *err)
{
	struct known_folders *known = context;

	(void)err;
	ARRAY_GROW(known->items, known->count, known->cap);
	known->items[known->count++] = (struct known_folder){.id = folder->id,
		.path = xstrdup(folder->path),
		.uidvalidity = folder->uidvalidity};
	return true;
}

static bool read_folders(struct pass *pass, struct known_folders *known, struct err *err)
{
	struct archive *view = archive_writer_view(pass->writer);
	struct archive_snapshot newest;

	if (!archive_resolve(view, (struct archive_when){.kind = ARCHIVE_LATEST}, &newest, err) ||
		!archive_each_folder(view, newest.generation, add_known_folder, known, err))
		return false;
	pass->result.generation = newest.generation;
	for (size_t i = 0; i < known->count; i++) {
		struct known_folder *folder = &known->items[i];

		if (!archive_mark_of(view, folder->id, &folder->has_mark, &folder->mark, err))
			return false;
	}
	return true;
}

/* --- matched --- */

/* Renaming INBOX moves its messages and leaves INBOX in place (RFC 9051 section 6.3.6). An excluded
 * folder is never compared. Both are matched by name only. */
static bool is_matched_by_name(const struct pass *pass, const char *path)
{
	return strcmp(path, "INBOX") == 0 || !config_wants_folder(pass->job->account, path);
}

static struct rename_folder of_archive(const struct pass *pass, const struct known_folder *known)
{
	struct rename_folder folder = {.path = known->path};

	if (is_matched_by_name(pass, known->path))
		return folder;
	folder.uidvalidity = known->uidvalidity;
	if (known->has_mark && known->mark.uidvalidity == known->uidvalidity) {
		folder.uidnext = known->mark.uidnext;
		folder.highestmodseq = known->mark.highestmodseq;
		/* the server counts the messages that are in the ledger; the mark does not */
		folder.messages = known->mark.messages +
				  (uint32_t)ledger_size_below(&pass->ledger, known->path,
					  known->mark.uidvalidity, known->mark.uidnext);
	}
	return folder;
}

static struct rename_folder of_server(const struct pass *pass, const struct imap_folder *server)
{
	const struct imap_counts *counts = &server->counts;
	struct rename_folder folder = {.path = server->path};

	if (is_matched_by_name(pass, server->path) || server->attributes & IMAP_ATTR_NOSELECT ||
		!(counts->has & IMAP_HAS_UIDVALIDITY))
		return folder;
	folder.uidvalidity = counts->uidvalidity;
	folder.uidnext = counts->has & IMAP_HAS_UIDNEXT ? counts->uidnext : 0;
	folder.highestmodseq = counts->has & IMAP_HAS_HIGHESTMODSEQ ? counts->highestmodseq : 0;
	folder.messages = counts->has & IMAP_HAS_MESSAGES ? counts->messages : 0;
	return folder;
}

struct identity_question {
	struct pass *pass;
	const struct known_folders *known;
	const struct imap_folders *folders;
};

static bool compare_messages(void *context, size_t known, size_t server,
	enum rename_verdict *ret_verdict, struct err *err)
{
	const struct identity_question *question = context;

	const struct known_folder *folder = &question->known->items[known];

	return folder_identify(question->pass, folder->id, folder->uidvalidity,
		&question->folders->items[server], ret_verdict, err);
}

static void take_matches(struct known_folders *known, const struct imap_folders *folders,
	const struct rename_side *matched)
{
	known->by_server = xcalloc(folders->count + 1, sizeof(struct known_folder *));
	for (size_t i = 0; i < known->count; i++) {
		size_t at = matched->items[i].match;
		struct known_folder *folder = &known->items[i];

		/* deleted, but kept as \Noselect for its child folders: its messages are gone */
		if (at == RENAME_NONE ||
			(folder->uidvalidity != 0 &&
				folders->items[at].attributes & IMAP_ATTR_NOSELECT))
			continue;
		folder->server = &folders->items[at];
		known->by_server[at] = folder;
	}
}

bool known_folders_read(struct pass *pass, const struct imap_folders *folders,
	struct known_folders *known, struct err *err)
{
	CLEANUP(freep) struct rename_folder *here = NULL;
	CLEANUP(freep)
	struct rename_folder *there = xcalloc(folders->count + 1, sizeof(*there));
	struct identity_question question = {pass, known, folders};

	if (!read_folders(pass, known, err))
		return false;
	here = xcalloc(known->count + 1, sizeof(*here));
	for (size_t i = 0; i < known->count; i++)
		here[i] = of_archive(pass, &known->items[i]);
	for (size_t i = 0; i < folders->count; i++)
		there[i] = of_server(pass, &folders->items[i]);
	if (!rename_match(&(struct rename_side){here, known->count},
		    &(struct rename_side){there, folders->count}, compare_messages, &question, err))
		return false;
	take_matches(known, folders, &(struct rename_side){here, known->count});
	return true;
}
