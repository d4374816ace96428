/* The test's hands in the mailboxes: locked, and every session is woken after a change. */
#include "support/model/model_internal.h"

#include <stdio.h>

static void changed(struct model *model)
{
	session_wake_all(model);
	model_unlock(model);
}

void model_account_add(
	struct model *model, const char *user, const char *password, enum model_use use)
{
	struct model_account *account = xcalloc(1, sizeof(*account));

	account->user = xstrdup(user);
	account->password = xstrdup(password);
	account->use = use;
	model_lock(model);
	assert(!box_account(model, user));
	ARRAY_GROW(model->accounts, model->account_count, model->account_cap);
	model->accounts[model->account_count++] = account;
	(void)box_create(model, account, "INBOX");
	model_unlock(model);
}

void model_account_password(struct model *model, const char *user, const char *password)
{
	model_lock(model);
	struct model_account *account = box_account_must(model, user);
	free(account->password);
	account->password = xstrdup(password);
	model_unlock(model);
}

void model_account_use(struct model *model, const char *user, enum model_use use)
{
	model_lock(model);
	box_account_must(model, user)->use = use;
	model_unlock(model);
}

bool model_folder_add(struct model *model, const char *user, const char *name)
{
	model_lock(model);
	bool made = box_create(model, box_account_must(model, user), name);
	changed(model);
	return made;
}

bool model_folder_delete(struct model *model, const char *user, const char *name)
{
	model_lock(model);
	bool deleted = box_delete(model, box_account_must(model, user), name);
	changed(model);
	return deleted;
}

bool model_folder_rename(struct model *model, const char *user, const char *from, const char *to)
{
	model_lock(model);
	bool renamed = box_rename(model, box_account_must(model, user), from, to);
	changed(model);
	return renamed;
}

bool model_folder_exists(struct model *model, const char *user, const char *name)
{
	model_lock(model);
	bool exists = box_folder(box_account_must(model, user), name);
	model_unlock(model);
	return exists;
}

void model_folder_special_use(
	struct model *model, const char *user, const char *name, const char *special_use)
{
	model_lock(model);
	struct model_folder *folder = box_folder_must(model, user, name);
	free(folder->special_use);
	folder->special_use = special_use ? xstrdup(special_use) : NULL;
	model_unlock(model);
}

void model_folder_subscribe(
	struct model *model, const char *user, const char *name, bool subscribed)
{
	model_lock(model);
	box_subscribe(box_account_must(model, user), name, subscribed);
	model_unlock(model);
}

void model_folder_reset(struct model *model, const char *user, const char *name)
{
	model_lock(model);
	box_reset(model, box_folder_must(model, user, name));
	changed(model);
}

void model_folder_numbers(struct model *model, const char *user, const char *name,
	uint32_t uidvalidity, uint32_t uidnext, uint64_t highestmodseq)
{
	model_lock(model);
	struct model_folder *folder = box_folder_must(model, user, name);
	if (uidvalidity)
		folder->uidvalidity = uidvalidity;
	if (uidvalidity >= model->next_uidvalidity)
		model->next_uidvalidity = uidvalidity + 1;
	if (uidnext)
		folder->uidnext = uidnext;
	if (highestmodseq)
		folder->highestmodseq = highestmodseq;
	model_unlock(model);
}

void model_folder_forget(struct model *model, const char *user, const char *name, uint64_t modseq)
{
	model_lock(model);
	struct model_folder *folder = box_folder_must(model, user, name);
	size_t kept = 0;

	folder->forgotten = modseq;
	for (size_t i = 0; i < folder->expunged_count; i++)
		if (folder->expunged[i].modseq > modseq)
			folder->expunged[kept++] = folder->expunged[i];
	folder->expunged_count = kept;
	model_unlock(model);
}

uint32_t model_message_add(struct model *model, const char *user, const char *folder,
	const struct model_letter *letter)
{
	model_lock(model);
	uint32_t uid = box_add(box_folder_must(model, user, folder), letter)->uid;
	changed(model);
	return uid;
}

bool model_message_expunge_at(
	struct model *model, const char *user, const char *folder, uint32_t uid, uint64_t modseq)
{
	model_lock(model);
	struct model_folder *box = box_folder_must(model, user, folder);
	struct model_message *message = box_message(box, uid);

	if (message)
		box_expunge(box, message, modseq);
	changed(model);
	return message;
}

bool model_message_expunge(struct model *model, const char *user, const char *folder, uint32_t uid)
{
	return model_message_expunge_at(model, user, folder, uid, 0);
}

bool model_message_flags(
	struct model *model, const char *user, const char *folder, uint32_t uid, const char *flags)
{
	model_lock(model);
	struct model_folder *box = box_folder_must(model, user, folder);
	struct model_message *message = box_message(box, uid);

	if (message)
		box_set_flags(box, message, flags);
	changed(model);
	return message;
}

static struct model_message *message_must(
	struct model *model, const char *user, const char *folder, uint32_t uid)
{
	struct model_message *message = box_message(box_folder_must(model, user, folder), uid);

	if (!message) {
		(void)fprintf(stderr, "model: no message %u in %s\n", (unsigned)uid, folder);
		abort();
	}
	return message;
}

void model_message_odd(
	struct model *model, const char *user, const char *folder, uint32_t uid, uint32_t oddities)
{
	model_lock(model);
	message_must(model, user, folder, uid)->oddities = oddities;
	model_unlock(model);
}

unsigned model_bodies_fetched(
	struct model *model, const char *user, const char *folder, uint32_t uid)
{
	model_lock(model);
	unsigned count = message_must(model, user, folder, uid)->bodies_fetched;
	model_unlock(model);
	return count;
}

void model_stats(struct model *model, struct model_stats *ret_stats)
{
	model_lock(model);
	*ret_stats = model->stats;
	model_unlock(model);
}

unsigned model_command_count(struct model *model, const char *command)
{
	unsigned count = 0;

	model_lock(model);
	for (size_t i = 0; i < model->command_count; i++)
		if (strcmp(model->commands[i].name, command) == 0)
			count = model->commands[i].count;
	model_unlock(model);
	return count;
}

static char *lines_of(const struct str_list *list)
{
	struct buf text = BUF_INIT(MODEL_OUT_MAX);
	bool ok = true;

	for (size_t i = 0; i < list->count; i++)
		ok = ok && buf_printf(&text, "%s\n", list->items[i]);
	assert(ok);
	return text.data ? buf_take_str(&text) : xstrdup("");
}

char *model_log(struct model *model)
{
	model_lock(model);
	char *text = lines_of(&model->log);
	model_unlock(model);
	return text;
}

unsigned model_violations(struct model *model, char **ret_text)
{
	model_lock(model);
	unsigned count = (unsigned)model->violations.count;
	if (ret_text)
		*ret_text = lines_of(&model->violations);
	model_unlock(model);
	return count;
}
