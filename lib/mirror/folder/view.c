#include "mirror/folder/view.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { RECENT_TEXTS = 32 };

/* The list's own copy of the flags, shared with a recent one if equal. */
static const char *share_text(struct uid_list *list, const char *flags)
{
	size_t recent = list->texts_count < RECENT_TEXTS ? list->texts_count : RECENT_TEXTS;

	for (size_t i = 1; i <= recent; i++)
		if (strcmp(list->texts[list->texts_count - i], flags) == 0)
			return list->texts[list->texts_count - i];
	ARRAY_GROW(list->texts, list->texts_count, list->texts_cap);
	return list->texts[list->texts_count++] = xstrdup(flags);
}

void uid_list_add(struct uid_list *list, uint32_t uid, const char *flags)
{
	const char *kept = share_text(list, flags);

	ARRAY_GROW(list->items, list->count, list->cap);
	list->items[list->count++] = (struct uid_flags){uid, kept};
}

static int by_uid(const void *a, const void *b)
{
	const struct uid_flags *x = a, *y = b;

	return (x->uid > y->uid) - (x->uid < y->uid);
}

static bool is_sorted(const struct uid_list *list)
{
	for (size_t i = 1; i < list->count; i++)
		if (list->items[i - 1].uid >= list->items[i].uid)
			return false;
	return true;
}

/* qsort(3) need not be stable: which of two equal UIDs stays is undefined. They are rare (a server
 * that reports one message twice), and either is what the server said. */
void uid_list_sort(struct uid_list *list)
{
	size_t kept = 0;

	if (is_sorted(list))
		return;
	qsort(list->items, list->count, sizeof(*list->items), by_uid);
	for (size_t i = 0; i < list->count; i++) {
		kept -= kept > 0 && list->items[kept - 1].uid == list->items[i].uid;
		list->items[kept++] = list->items[i];
	}
	list->count = kept;
}

const struct uid_flags *uid_list_find(const struct uid_list *list, uint32_t uid)
{
	struct uid_flags key = {.uid = uid};

	if (list->count == 0)
		return NULL;
	return bsearch(&key, list->items, list->count, sizeof(*list->items), by_uid);
}

void uid_list_uids(const struct uid_list *list, struct rangeset *ret_uids)
{
	for (size_t i = 0; i < list->count; i++)
		rangeset_add(ret_uids, list->items[i].uid, list->items[i].uid);
}

void uid_list_free(struct uid_list *list)
{
	for (size_t i = 0; i < list->texts_count; i++)
		free(list->texts[i]);
	free(list->texts);
	free(list->items);
	*list = (struct uid_list){0};
}

/* --- a delta --- */

static void drop_if_too_much(struct delta *delta)
{
	if (delta->changed.count <= delta->most && delta->vanished.count <= delta->most)
		return;
	delta_free(delta);
	delta->too_much = true;
}

void delta_add_changed(struct delta *delta, uint32_t uid, const char *flags)
{
	if (delta->too_much)
		return;
	uid_list_add(&delta->changed, uid, flags);
	drop_if_too_much(delta);
}

void delta_add_vanished(struct delta *delta, const struct rangeset *uids)
{
	if (delta->too_much)
		return;
	rangeset_add_set(&delta->vanished, uids);
	drop_if_too_much(delta);
}

void delta_free(struct delta *delta)
{
	uid_list_free(&delta->changed);
	rangeset_free(&delta->vanished);
}

/* --- views --- */

void view_of_delta(
	struct delta *delta, const struct rangeset *without, struct server_view *ret_view)
{
	CLEANUP(rangeset_free) struct rangeset there = {0};

	uid_list_sort(&delta->changed);
	uid_list_uids(&delta->changed, &there);
	rangeset_add_set(&there, without);
	rangeset_subtract(&there, &delta->vanished, &ret_view->uids);
	rangeset_add_set(&ret_view->scope, &there);
	rangeset_add_set(&ret_view->scope, &delta->vanished);
	ret_view->flags = delta->changed;
	delta->changed = (struct uid_list){0};
}

void view_of_window(struct rangeset *left, uint32_t from, uint64_t most,
	struct server_view *ret_view, uint32_t *ret_next)
{
	uint32_t last = UINT32_MAX;

	rangeset_split(left, most, &ret_view->uids);
	if (left->count > 0)
		last = ret_view->uids.items[ret_view->uids.count - 1].last;
	rangeset_add(&ret_view->scope, from, last);
	*ret_next = left->count > 0 ? last + 1 : 0;
}

void server_view_free(struct server_view *view)
{
	rangeset_free(&view->scope);
	rangeset_free(&view->uids);
	uid_list_free(&view->flags);
}

void archive_view_free(struct archive_view *view)
{
	rangeset_free(&view->uids);
	uid_list_free(&view->flags);
}
