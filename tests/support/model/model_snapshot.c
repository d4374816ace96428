/* Copies of an account, and what differs between two. */
#include "support/model/model_internal.h"

static char *copy_text(const char *text)
{
	return text ? xstrdup(text) : NULL;
}

static void copy_folder(const struct model_account *account, const struct model_folder *from,
	struct model_folder *to)
{
	*to = *from;
	to->name = xstrdup(from->name);
	to->special_use = copy_text(from->special_use);
	to->subscribed = box_subscribed(account, from->name);
	to->expunged = xmemdup(from->expunged, from->expunged_count * sizeof(*from->expunged));
	to->messages = xcalloc(from->count + 1, sizeof(*to->messages));
	for (size_t i = 0; i < from->count; i++) {
		to->messages[i] = from->messages[i];
		to->messages[i].flags = xstrdup(from->messages[i].flags);
		to->messages[i].date = xstrdup(from->messages[i].date);
		to->messages[i].bytes = xmemdup(from->messages[i].bytes, from->messages[i].len + 1);
	}
}

static int compare_folders(const void *a, const void *b)
{
	return strcmp(
		((const struct model_folder *)a)->name, ((const struct model_folder *)b)->name);
}

struct model_snapshot *model_snapshot(struct model *model, const char *user)
{
	struct model_snapshot *snapshot = xcalloc(1, sizeof(*snapshot));

	model_lock(model);
	const struct model_account *account = box_account_must(model, user);
	snapshot->count = account->count;
	snapshot->folders = xcalloc(account->count, sizeof(*snapshot->folders));
	for (size_t i = 0; i < account->count; i++)
		copy_folder(account, &account->folders[i], &snapshot->folders[i]);
	model_unlock(model);
	qsort(snapshot->folders, snapshot->count, sizeof(*snapshot->folders), compare_folders);
	return snapshot;
}

void model_snapshot_freep(struct model_snapshot **snapshot)
{
	struct model_snapshot *old = *snapshot;

	*snapshot = NULL;
	if (!old)
		return;
	for (size_t i = 0; i < old->count; i++)
		box_folder_clear(&old->folders[i]);
	free(old->folders);
	free(old);
}

const struct model_folder *model_snapshot_folder(
	const struct model_snapshot *snapshot, const char *name)
{
	for (size_t i = 0; i < snapshot->count; i++)
		if (strcmp(snapshot->folders[i].name, name) == 0)
			return &snapshot->folders[i];
	return NULL;
}

static int compare_content(const struct model_message *a, const struct model_message *b)
{
	size_t shorter = a->len < b->len ? a->len : b->len;
	int order = memcmp(a->bytes, b->bytes, shorter);

	if (order == 0)
		order = (a->len > b->len) - (a->len < b->len);
	if (order == 0)
		order = strcmp(a->date, b->date);
	return order ? order : strcmp(a->flags, b->flags);
}

static int compare_pointers(const void *a, const void *b)
{
	return compare_content(
		*(const struct model_message *const *)a, *(const struct model_message *const *)b);
}

static const struct model_message **sorted(const struct model_folder *folder, bool by_uid)
{
	const struct model_message **list =
		xcalloc(folder->count + 1, sizeof(struct model_message *));

	for (size_t i = 0; i < folder->count; i++)
		list[i] = &folder->messages[i];
	if (!by_uid)
		qsort(list, folder->count, sizeof(*list), compare_pointers);
	return list;
}

static char *message_difference(
	const struct model_message *a, const struct model_message *b, uint32_t compare)
{
	if ((compare & MODEL_COMPARE_UIDS) && a->uid != b->uid)
		return str_printf("uid %u, not %u", (unsigned)b->uid, (unsigned)a->uid);
	if (a->len != b->len || memcmp(a->bytes, b->bytes, a->len) != 0)
		return str_printf("other bytes (%zu, not %zu)", b->len, a->len);
	if ((compare & MODEL_COMPARE_FLAGS) && strcmp(a->flags, b->flags) != 0)
		return str_printf("flags \"%s\", not \"%s\"", b->flags, a->flags);
	if ((compare & MODEL_COMPARE_DATES) && strcmp(a->date, b->date) != 0)
		return str_printf("date \"%s\", not \"%s\"", b->date, a->date);
	if ((compare & MODEL_COMPARE_MODSEQ) && a->modseq != b->modseq)
		return str_printf("modseq %llu, not %llu", (unsigned long long)b->modseq,
			(unsigned long long)a->modseq);
	return NULL;
}

static char *messages_difference(
	const struct model_folder *a, const struct model_folder *b, uint32_t compare)
{
	bool by_uid = compare & MODEL_COMPARE_UIDS;
	CLEANUP(freep) const struct model_message **in_a = sorted(a, by_uid);
	CLEANUP(freep) const struct model_message **in_b = sorted(b, by_uid);

	if (a->count != b->count)
		return str_printf("%s: %zu messages, not %zu", a->name, b->count, a->count);
	for (size_t i = 0; i < a->count; i++) {
		CLEANUP(freep) char *text = message_difference(in_a[i], in_b[i], compare);

		if (text)
			return str_printf("%s: uid %u: %s", a->name, (unsigned)in_a[i]->uid, text);
	}
	return NULL;
}

static char *folder_difference(
	const struct model_folder *a, const struct model_folder *b, uint32_t compare)
{
	const char *use_a = a->special_use ? a->special_use : "";
	const char *use_b = b->special_use ? b->special_use : "";

	if (strcmp(a->name, b->name) != 0)
		return str_printf("folder %s, not %s", b->name, a->name);
	if (a->noselect != b->noselect && (compare & MODEL_COMPARE_UIDS))
		return str_printf("%s: noselect %d, not %d", a->name, b->noselect, a->noselect);
	if ((compare & MODEL_COMPARE_SUBSCRIBED) && a->subscribed != b->subscribed)
		return str_printf(
			"%s: subscribed %d, not %d", a->name, b->subscribed, a->subscribed);
	if ((compare & MODEL_COMPARE_SPECIAL_USE) && strcmp(use_a, use_b) != 0)
		return str_printf("%s: special use \"%s\", not \"%s\"", a->name, use_b, use_a);
	if ((compare & MODEL_COMPARE_UIDS) &&
		(a->uidvalidity != b->uidvalidity || a->uidnext != b->uidnext))
		return str_printf("%s: UIDVALIDITY or UIDNEXT", a->name);
	if ((compare & MODEL_COMPARE_MODSEQ) && a->highestmodseq != b->highestmodseq)
		return str_printf("%s: HIGHESTMODSEQ", a->name);
	return messages_difference(a, b, compare);
}

char *model_snapshot_difference(
	const struct model_snapshot *a, const struct model_snapshot *b, uint32_t compare)
{
	for (size_t i = 0; i < a->count && i < b->count; i++) {
		char *text = folder_difference(&a->folders[i], &b->folders[i], compare);

		if (text)
			return text;
	}
	if (a->count != b->count)
		return str_printf("%zu folders, not %zu", b->count, a->count);
	return NULL;
}
