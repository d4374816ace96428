/* Accounts, folders and messages: what the model server serves. The lock is held. */
#include "support/model/model_internal.h"

#include <stdio.h>

static _Noreturn void no_such(const char *what, const char *name)
{
	(void)fprintf(stderr, "model: no %s %s\n", what, name);
	abort();
}

struct model_account *box_account(struct model *model, const char *user)
{
	for (size_t i = 0; i < model->account_count; i++)
		if (strcmp(model->accounts[i]->user, user) == 0)
			return model->accounts[i];
	return NULL;
}

struct model_account *box_account_must(struct model *model, const char *user)
{
	struct model_account *account = box_account(model, user);

	if (!account)
		no_such("account", user);
	return account;
}

bool box_is_inbox(const char *name)
{
	return str_equal_case(name, "INBOX");
}

struct model_folder *box_folder(struct model_account *account, const char *name)
{
	for (size_t i = 0; i < account->count; i++) {
		struct model_folder *folder = &account->folders[i];

		if (strcmp(folder->name, name) == 0 ||
			(box_is_inbox(folder->name) && box_is_inbox(name)))
			return folder;
	}
	return NULL;
}

struct model_folder *box_folder_must(struct model *model, const char *user, const char *name)
{
	struct model_folder *folder = box_folder(box_account_must(model, user), name);

	if (!folder)
		no_such("folder", name);
	return folder;
}

struct model_folder *box_folder_by_id(struct model_account *account, uint64_t id)
{
	for (size_t i = 0; i < account->count; i++)
		if (account->folders[i].id == id)
			return &account->folders[i];
	return NULL;
}

static void message_clear(struct model_message *message)
{
	free(message->flags);
	free(message->date);
	free(message->bytes);
}

void box_folder_clear(struct model_folder *folder)
{
	for (size_t i = 0; i < folder->count; i++)
		message_clear(&folder->messages[i]);
	free(folder->messages);
	free(folder->expunged);
	free(folder->name);
	free(folder->special_use);
}

void box_account_free(struct model_account *account)
{
	for (size_t i = 0; i < account->count; i++)
		box_folder_clear(&account->folders[i]);
	free(account->folders);
	free(account->user);
	free(account->password);
	str_list_free(&account->subscriptions);
	free(account);
}

static void start_life(struct model *model, struct model_folder *folder)
{
	folder->id = ++model->next_folder_id;
	folder->uidvalidity = model->next_uidvalidity++;
	folder->uidnext = 1;
	folder->highestmodseq = 1;
	folder->forgotten = 0;
	folder->expunged_count = 0;
}

static struct model_folder *folder_new(
	struct model *model, struct model_account *account, const char *name, bool noselect)
{
	struct model_folder *folder;

	ARRAY_GROW(account->folders, account->count, account->cap);
	folder = &account->folders[account->count++];
	*folder = (struct model_folder){.name = xstrdup(name), .noselect = noselect};
	start_life(model, folder);
	return folder;
}

static void create_superiors(struct model *model, struct model_account *account, const char *name)
{
	CLEANUP(freep) char *superior = xstrdup(name);
	char delimiter = model->profile.delimiter;

	for (char *at = superior; delimiter && (at = strchr(at, delimiter)); at++) {
		*at = '\0';
		if (superior[0] && !box_folder(account, superior))
			(void)folder_new(model, account, superior, true);
		*at = delimiter;
	}
}

struct model_folder *box_create(
	struct model *model, struct model_account *account, const char *name)
{
	struct model_folder *folder = box_folder(account, name);

	if (folder && !folder->noselect)
		return NULL;
	if (folder) {
		folder->noselect = false;
		start_life(model, folder);
		return folder;
	}
	create_superiors(model, account, name);
	return folder_new(model, account, name, false);
}

static bool is_below(const struct model *model, const char *name, const char *top)
{
	size_t len = strlen(top);

	return model->profile.delimiter && strncmp(name, top, len) == 0 &&
	       name[len] == model->profile.delimiter;
}

bool box_has_children(
	const struct model *model, const struct model_account *account, const char *name)
{
	for (size_t i = 0; i < account->count; i++)
		if (is_below(model, account->folders[i].name, name))
			return true;
	return false;
}

static void folder_remove(struct model_account *account, struct model_folder *folder)
{
	size_t at = (size_t)(folder - account->folders);

	box_folder_clear(folder);
	memmove(folder, folder + 1, (account->count - at - 1) * sizeof(*folder));
	account->count--;
}

static void folder_empty(struct model *model, struct model_folder *folder)
{
	for (size_t i = 0; i < folder->count; i++)
		message_clear(&folder->messages[i]);
	folder->count = 0;
	start_life(model, folder);
}

bool box_delete(struct model *model, struct model_account *account, const char *name)
{
	struct model_folder *folder = box_folder(account, name);
	bool parent = folder && box_has_children(model, account, name);

	if (!folder || box_is_inbox(name) || (parent && folder->noselect))
		return false;
	if (parent) {
		folder_empty(model, folder);
		folder->noselect = true;
	} else {
		folder_remove(account, folder);
	}
	return true;
}

/* RFC 3501 section 6.3.5: the messages go, the folder stays. */
static void rename_inbox(struct model *model, struct model_account *account, const char *to)
{
	struct model_folder *made = box_create(model, account, to);
	struct model_folder *inbox = box_folder(account, "INBOX");

	for (size_t i = 0; i < inbox->count; i++) {
		struct model_message *message = &inbox->messages[i];
		struct model_letter letter = {.bytes = message->bytes,
			.len = message->len,
			.flags = message->flags,
			.date = message->date};

		(void)box_add(made, &letter);
	}
	while (inbox->count)
		box_expunge(inbox, &inbox->messages[inbox->count - 1], 0);
}

static void rename_one(struct model_folder *folder, size_t from_len, const char *to)
{
	char *name = str_printf("%s%s", to, folder->name + from_len);

	free(folder->name);
	folder->name = name;
}

bool box_rename(
	struct model *model, struct model_account *account, const char *from, const char *to)
{
	CLEANUP(freep) char *old = xstrdup(from); /* from may be the folder's own name */

	if (!box_folder(account, from) || box_folder(account, to) || is_below(model, to, from))
		return false;
	if (box_is_inbox(from)) {
		rename_inbox(model, account, to);
		return true;
	}
	create_superiors(model, account, to);
	for (size_t i = 0; i < account->count; i++) {
		struct model_folder *folder = &account->folders[i];

		if (strcmp(folder->name, old) == 0 || is_below(model, folder->name, old))
			rename_one(folder, strlen(old), to);
	}
	return true;
}

bool box_subscribed(const struct model_account *account, const char *name)
{
	return str_list_has(&account->subscriptions, name);
}

void box_subscribe(struct model_account *account, const char *name, bool subscribed)
{
	struct str_list *list = &account->subscriptions;

	if (subscribed && !str_list_has(list, name))
		str_list_add(list, name);
	for (size_t i = 0; !subscribed && i < list->count; i++)
		if (strcmp(list->items[i], name) == 0) {
			free(list->items[i]);
			list->items[i] = list->items[--list->count];
			return;
		}
}

struct model_message *box_message(const struct model_folder *folder, uint32_t uid)
{
	size_t low = 0, high = folder->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (folder->messages[middle].uid < uid)
			low = middle + 1;
		else
			high = middle;
	}
	return low < folder->count && folder->messages[low].uid == uid ? &folder->messages[low]
								       : NULL;
}

/* modseq 0: the next one. The folder's highest never falls. */
static uint64_t take_modseq(struct model_folder *folder, uint64_t modseq)
{
	if (!modseq)
		modseq = folder->highestmodseq + 1;
	if (modseq > folder->highestmodseq)
		folder->highestmodseq = modseq;
	return modseq;
}

struct model_message *box_add(struct model_folder *folder, const struct model_letter *letter)
{
	uint32_t uid = letter->uid ? letter->uid : folder->uidnext;
	const char *bytes = letter->bytes ? letter->bytes : "";
	size_t len = letter->len ? letter->len : strlen(bytes);
	struct model_message *message;

	assert(uid >= folder->uidnext && !folder->noselect);
	ARRAY_GROW(folder->messages, folder->count, folder->cap);
	message = &folder->messages[folder->count++];
	*message = (struct model_message){
		.uid = uid,
		.modseq = take_modseq(folder, letter->modseq),
		.flags = flags_canonical(letter->flags ? letter->flags : ""),
		.date = xstrdup(letter->date ? letter->date : MODEL_DATE),
		.bytes = xmalloc(len + 1),
		.len = len,
	};
	memcpy(message->bytes, bytes, len);
	message->bytes[len] = '\0';
	folder->uidnext = uid + 1;
	return message;
}

void box_expunge(struct model_folder *folder, struct model_message *message, uint64_t modseq)
{
	size_t at = (size_t)(message - folder->messages);

	ARRAY_GROW(folder->expunged, folder->expunged_count, folder->expunged_cap);
	folder->expunged[folder->expunged_count++] =
		(struct model_expunged){.uid = message->uid, .modseq = take_modseq(folder, modseq)};
	message_clear(message);
	memmove(message, message + 1, (folder->count - at - 1) * sizeof(*message));
	folder->count--;
}

void box_set_flags(struct model_folder *folder, struct model_message *message, const char *flags)
{
	char *canonical = flags_canonical(flags);

	if (strcmp(canonical, message->flags) != 0)
		message->modseq = take_modseq(folder, 0);
	free(message->flags);
	message->flags = canonical;
}

void box_reset(struct model *model, struct model_folder *folder)
{
	start_life(model, folder);
	for (size_t i = 0; i < folder->count; i++) {
		folder->messages[i].uid = folder->uidnext++;
		folder->messages[i].modseq = take_modseq(folder, 0);
		folder->messages[i].bodies_fetched = 0;
	}
}
