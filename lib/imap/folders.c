#include "imap/folders_internal.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/str.h"
#include "imap/name.h"

static void folder_free(struct imap_folder *folder)
{
	free(folder->path);
	free(folder->wire_name);
	free(folder->attribute_text);
	free(folder->special_use);
	free(folder->refusal);
}

void imap_folders_free(struct imap_folders *folders)
{
	for (size_t i = 0; i < folders->count; i++)
		folder_free(&folders->items[i]);
	free(folders->items);
	*folders = (struct imap_folders){0};
}

void counts_free(struct counts_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i].wire_name);
	free(list->items);
	*list = (struct counts_list){0};
}

/* INBOX is one folder in any case (RFC 9051 section 5.1). */
static const char *key_of(const char *wire_name)
{
	return str_equal_case(wire_name, "INBOX") ? "INBOX" : wire_name;
}

static bool is_personal(const struct imap *imap, const char *wire_name)
{
	if (!*wire_name)
		return false;
	if (str_equal_case(wire_name, "INBOX"))
		return true;
	for (size_t i = 0; i < imap->other_prefixes.count; i++) {
		const char *prefix = imap->other_prefixes.items[i];
		size_t len = strlen(prefix);

		if (len > 1 && strncmp(wire_name, prefix, len) == 0)
			return false;
		if (len > 1 && strncmp(wire_name, prefix, len - 1) == 0 && !wire_name[len - 1])
			return false;
	}
	return str_starts(wire_name, imap->prefix);
}

bool folders_add(const struct imap *imap, struct imap_folders *folders,
	const struct imap_list_entry *entry, struct err *err)
{
	struct imap_folder *folder;

	if (!is_personal(imap, entry->name))
		return true;
	if (folders->count == IMAP_FOLDERS_MAX)
		return err_set(err, ERR_PROTOCOL, "LIST: more than %d folders", IMAP_FOLDERS_MAX);
	ARRAY_GROW(folders->items, folders->count, folders->cap);
	folder = &folders->items[folders->count++];
	*folder = (struct imap_folder){
		.path = name_to_path(entry->name, entry->delimiter, imap->prefix, false),
		.wire_name = xstrdup(entry->name),
		.delimiter = entry->delimiter,
		.attributes = entry->attributes,
		.attribute_text = xstrdup(entry->attribute_text ? entry->attribute_text : ""),
		.special_use = entry->special_use ? xstrdup(entry->special_use) : NULL,
		.subscribed = entry->attributes & IMAP_ATTR_SUBSCRIBED,
	};
	return true;
}

bool counts_add(struct counts_list *list, const struct imap_reply *reply, struct err *err)
{
	if (list->count == IMAP_FOLDERS_MAX)
		return err_set(
			err, ERR_PROTOCOL, "STATUS: more than %d responses", IMAP_FOLDERS_MAX);
	ARRAY_GROW(list->items, list->count, list->cap);
	list->items[list->count++] = (struct counts_of){xstrdup(reply->name), reply->counts};
	return true;
}

static int compare_paths(const void *a, const void *b)
{
	const struct imap_folder *left = a, *right = b;

	return strcmp(left->path, right->path);
}

/* Joins two entries for one folder. */
static void merge(struct imap_folder *into, struct imap_folder *from)
{
	into->attributes |= from->attributes;
	into->subscribed |= from->subscribed;
	if (!into->special_use)
		into->special_use = TAKE(from->special_use);
	folder_free(from);
}

void folders_tidy(struct imap_folders *folders)
{
	size_t kept = 0;

	assert(folders->count <= IMAP_FOLDERS_MAX);
	if (folders->count == 0)
		return;
	qsort(folders->items, folders->count, sizeof(*folders->items), compare_paths);
	for (size_t i = 1; i < folders->count; i++) {
		if (strcmp(folders->items[kept].path, folders->items[i].path) == 0)
			merge(&folders->items[kept], &folders->items[i]);
		else
			folders->items[++kept] = folders->items[i];
	}
	folders->count = kept + 1;
}

/* --- joining counts and subscriptions to folders, by wire name --- */

static int compare_names(const void *a, const void *b)
{
	const struct imap_folder *const *left = a, *const *right = b;

	return strcmp(key_of((*left)->wire_name), key_of((*right)->wire_name));
}

static int compare_to_name(const void *name, const void *item)
{
	const struct imap_folder *const *folder = item;

	return strcmp(key_of(name), key_of((*folder)->wire_name));
}

static struct imap_folder **index_by_name(const struct imap_folders *folders)
{
	struct imap_folder **index = xcalloc(folders->count + 1, sizeof(struct imap_folder *));

	for (size_t i = 0; i < folders->count; i++)
		index[i] = &folders->items[i];
	qsort(index, folders->count, sizeof(struct imap_folder *), compare_names);
	return index;
}

static struct imap_folder *look_up(
	struct imap_folder **index, const struct imap_folders *folders, const char *name)
{
	struct imap_folder **found =
		bsearch(name, index, folders->count, sizeof(struct imap_folder *), compare_to_name);

	return found ? *found : NULL;
}

void folders_set_counts(struct imap_folders *folders, const struct counts_list *list)
{
	CLEANUP(freep) struct imap_folder **index = index_by_name(folders);

	for (size_t i = 0; i < list->count; i++) {
		struct imap_folder *folder = look_up(index, folders, list->items[i].wire_name);

		if (folder)
			folder->counts = list->items[i].counts;
	}
}

void folders_set_subscribed(struct imap_folders *folders, const struct str_list *names)
{
	CLEANUP(freep) struct imap_folder **index = index_by_name(folders);

	for (size_t i = 0; i < names->count; i++) {
		struct imap_folder *folder = look_up(index, folders, names->items[i]);

		if (folder)
			folder->subscribed = true;
	}
}
