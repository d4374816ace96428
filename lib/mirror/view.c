#include "mirror/view.h"

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"

enum { RECENT_TEXTS = 32 };

/* The list's own copy of these flags. */
static const char *keep_text(struct uid_list *list, const char *flags)
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
	const char *kept = keep_text(list, flags);

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

/* glibc's qsort(3) is a stable merge sort, but that is no promise: equal uids are rare (a server
 * that tells one message twice), and either of its answers is what the server said. */
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

void uid_list_free(struct uid_list *list)
{
	for (size_t i = 0; i < list->texts_count; i++)
		free(list->texts[i]);
	free(list->texts);
	free(list->items);
	*list = (struct uid_list){0};
}

void server_view_free(struct server_view *view)
{
	rangeset_free(&view->uids);
	rangeset_free(&view->vanished);
	uid_list_free(&view->changed);
}

void archive_view_free(struct archive_view *view)
{
	uid_list_free(&view->present);
	rangeset_free(&view->uids);
}
