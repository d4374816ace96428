#include "support/model/model_internal.h"

static const char *const system_flags[] = {
	"\\Answered", "\\Flagged", "\\Deleted", "\\Seen", "\\Draft"};

static bool list_holds(const struct str_list *list, const char *flag)
{
	for (size_t i = 0; i < list->count; i++)
		if (str_equal_case(list->items[i], flag))
			return true;
	return false;
}

static void list_add_flag(struct str_list *list, const char *flag)
{
	if (str_equal_case(flag, "\\Recent") || list_holds(list, flag))
		return;
	for (size_t i = 0; i < ARRAY_LEN(system_flags); i++)
		if (str_equal_case(system_flags[i], flag)) {
			str_list_add(list, system_flags[i]);
			return;
		}
	str_list_add(list, flag);
}

static void list_drop_flag(struct str_list *list, const char *flag)
{
	for (size_t i = 0; i < list->count; i++)
		if (str_equal_case(list->items[i], flag)) {
			free(list->items[i]);
			list->items[i] = list->items[--list->count];
			return;
		}
}

static void for_each(
	const char *flags, struct str_list *list, void (*take)(struct str_list *, const char *))
{
	CLEANUP(freep) char *copy = xstrdup(flags);
	char *rest = copy, *flag;

	while ((flag = strsep(&rest, " ")))
		if (flag[0])
			take(list, flag);
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *list_text(struct str_list *list)
{
	struct buf text = BUF_INIT(MODEL_COMMAND_MAX);
	bool ok = true;

	if (list->count)
		qsort(list->items, list->count, sizeof(*list->items), compare_texts);
	for (size_t i = 0; i < list->count; i++)
		ok = ok && buf_printf(&text, "%s%s", i ? " " : "", list->items[i]);
	assert(ok);
	return text.data ? buf_take_str(&text) : xstrdup("");
}

char *flags_change(const char *flags, char sign, const char *change)
{
	CLEANUP(str_list_free) struct str_list list = {0};

	if (sign != '=')
		for_each(flags, &list, list_add_flag);
	for_each(change, &list, sign == '-' ? list_drop_flag : list_add_flag);
	return list_text(&list);
}

char *flags_canonical(const char *flags)
{
	return flags_change("", '=', flags);
}

bool flags_hold(const char *flags, const char *flag)
{
	CLEANUP(str_list_free) struct str_list list = {0};

	for_each(flags, &list, list_add_flag);
	return list_holds(&list, flag);
}

bool flags_have_keyword(const char *flags)
{
	for (const char *at = flags; at && *at; at = strchr(at, ' '), at = at ? at + 1 : NULL)
		if (*at != '\\')
			return true;
	return false;
}

void flags_keywords(const struct model_folder *folder, struct str_list *ret_keywords)
{
	CLEANUP(str_list_free) struct str_list all = {0};

	for (size_t i = 0; i < folder->count; i++)
		for_each(folder->messages[i].flags, &all, list_add_flag);
	for (size_t i = 0; i < all.count; i++)
		if (all.items[i][0] != '\\')
			str_list_add(ret_keywords, all.items[i]);
}
